//! `replacePathRegex`: another path, made of the one before.

use schemars::JsonSchema;
use serde::Serialize;

use super::pattern::pattern;
use crate::document::Fields;
use crate::rule::Pattern;

/// `replacePathRegex`, Traefik's: another path, made of the one before.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReplacePathRegex {
    /// What of the path is replaced. Required. The path before is told in `X-Replaced-Path`.
    #[schemars(with = "String")]
    pub regex: Pattern,
    /// Put in its place; `$1` and `${name}` stand for groups.
    pub replacement: String,
}

impl ReplacePathRegex {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let regex = pattern(fields, "regex");
        let replacement = fields.text("replacement").unwrap_or_default();
        let regex = regex?;
        Some(Self { regex, replacement })
    }
}
