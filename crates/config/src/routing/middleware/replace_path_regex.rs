//! `replacePathRegex`: another path, made of the one before.

use serde::Serialize;

use super::pattern::pattern;
use crate::document::Fields;
use crate::rule::Pattern;

/// `replacePathRegex`, Traefik's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplacePathRegex {
    /// What of the path is replaced. The path before is told in `X-Replaced-Path`.
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
