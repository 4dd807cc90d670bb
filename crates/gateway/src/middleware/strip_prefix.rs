//! `stripPrefix`: takes the first prefix that fits off the path.

use carnet_config::routing::middleware::StripPrefix as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "stripPrefix";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        path::strip(request, |path| {
            let fits = |prefix: &&String| path.starts_with(prefix.as_str());
            self.prefixes.iter().find(fits).map(String::len)
        })
    }
}
