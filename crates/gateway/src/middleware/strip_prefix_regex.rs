//! `stripPrefixRegex`: takes what a pattern finds at the beginning off the path.

use carnet_config::routing::middleware::StripPrefixRegex as Options;
use carnet_config::rule::Pattern;

use super::path::{self, Rewrite};
use crate::body::Request;
use crate::error::Fault;

/// The patterns, which look at the beginning alone.
#[derive(Debug)]
pub(super) struct StripPrefixRegex(Vec<Pattern>);

impl StripPrefixRegex {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let patterns = options.regex.iter().map(Pattern::at_start);
        patterns.collect::<Result<_, _>>().map(Self)
    }
}

impl Rewrite for StripPrefixRegex {
    const KIND: &'static str = "stripPrefixRegex";

    fn rewrite(&self, request: &mut Request) -> Result<(), Fault> {
        path::strip(request, |path| {
            let ends = self.0.iter().filter_map(|pattern| pattern.find(path));
            ends.map(|found| found.end).find(|end| *end > 0)
        })
    }
}
