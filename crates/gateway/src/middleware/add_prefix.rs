//! `addPrefix`: puts something in front of the path.

use carnet_config::routing::middleware::AddPrefix as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "addPrefix";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let path = format!("{}{}", path::encoded(&self.prefix), path::of(request));
        path::set(request, &path)
    }
}
