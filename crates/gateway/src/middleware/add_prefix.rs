//! `addPrefix`: puts something in front of the path.

use carnet_config::routing::middleware::AddPrefix as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "addPrefix";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let prefix = path::encoded(&self.prefix);
        let path = [prefix.as_ref(), path::of(request)].concat();
        path::set(request, &path)
    }
}
