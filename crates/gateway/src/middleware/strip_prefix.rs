//! `stripPrefix`: takes the first prefix that fits off the path.

use carnet_config::routing::middleware::StripPrefix as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "stripPrefix";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let uri = request.uri().clone();
        let Some(decoded) = path::decoded(uri.path()) else {
            return Ok(());
        };
        let fits = |prefix: &&String| decoded.starts_with(prefix.as_str());
        let Some(prefix) = self.prefixes.iter().find(fits) else {
            return Ok(());
        };
        path::tell(request, path::X_FORWARDED_PREFIX, prefix.trim())?;
        let rest = path::without_start(uri.path(), &decoded, prefix.len());
        path::set_left(request, rest)
    }
}
