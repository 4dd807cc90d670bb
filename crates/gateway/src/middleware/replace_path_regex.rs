//! `replacePathRegex`: another path, made of the one before.

use carnet_config::routing::middleware::ReplacePathRegex as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "replacePathRegex";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let Options { regex, replacement } = self;
        let path = path::of(request);
        // Without a match nothing is said of the path before, either.
        if !regex.is_match(path) {
            return Ok(());
        }
        let path = path.to_owned();
        path::tell_replaced(request)?;
        path::set_left(
            request,
            &path::encoded(&regex.replace_all(&path, replacement)),
        )
    }
}
