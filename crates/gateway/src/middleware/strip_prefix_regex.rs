//! `stripPrefixRegex`: takes what a pattern finds at the beginning off the path.

use carnet_config::routing::middleware::StripPrefixRegex as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "stripPrefixRegex";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        let uri = request.uri().clone();
        let Some(decoded) = path::decoded(uri.path()) else {
            return Ok(());
        };
        let found = self.regex.iter().find_map(|pattern| {
            let found = pattern.find(&decoded)?;
            (found.start == 0 && found.end > 0).then_some(found.end)
        });
        let Some(prefix) = found.and_then(|end| decoded.get(..end)) else {
            return Ok(());
        };
        path::tell(request, path::X_FORWARDED_PREFIX, prefix)?;
        let rest = path::without_start(uri.path(), &decoded, prefix.len());
        path::set_left(request, rest)
    }
}
