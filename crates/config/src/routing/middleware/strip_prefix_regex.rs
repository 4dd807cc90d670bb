//! `stripPrefixRegex`: takes something off the path.

use schemars::JsonSchema;
use serde::Serialize;

use super::pattern::patterns;
use crate::document::Fields;
use crate::rule::Pattern;

/// `stripPrefixRegex`, Traefik's: takes something off the path.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StripPrefixRegex {
    /// What the first of them finds at the beginning of the path is taken off, and told in
    /// `X-Forwarded-Prefix`.
    #[schemars(with = "Vec<String>")]
    pub regex: Vec<Pattern>,
}

impl StripPrefixRegex {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let regex = patterns(fields, "regex");
        Some(Self { regex })
    }
}
