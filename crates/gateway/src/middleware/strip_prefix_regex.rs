//! `stripPrefixRegex`: takes what a pattern finds at the beginning off the path.

use carnet_config::routing::middleware::StripPrefixRegex as Options;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

impl Rewrite for Options {
    const KIND: &'static str = "stripPrefixRegex";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        path::strip(request, |path| {
            self.regex.iter().find_map(|pattern| {
                let found = pattern.find(path)?;
                (found.start == 0 && found.end > 0).then_some(found.end)
            })
        })
    }
}
