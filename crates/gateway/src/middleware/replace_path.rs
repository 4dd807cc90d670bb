//! `replacePath`: another path.

use carnet_config::routing::middleware::ReplacePath as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "replacePath";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        path::tell_replaced(request)?;
        path::set(request, &path::encoded(&self.path))
    }
}
