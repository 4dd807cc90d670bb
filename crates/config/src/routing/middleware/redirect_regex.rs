//! `redirectRegex`: sends clients to another URL, made of the one they asked for.

use schemars::JsonSchema;
use serde::Serialize;

use super::pattern::pattern;
use crate::document::Fields;
use crate::rule::Pattern;

/// `redirectRegex`, Traefik's: sends clients to another URL, made of the one they asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RedirectRegex {
    /// What of the whole URL (scheme, host, query) is replaced. Others pass. Required.
    #[schemars(with = "String")]
    pub regex: Pattern,
    /// Put in its place; `$1` and `${name}` stand for groups.
    pub replacement: String,
    /// 301 or 308 in place of 302 or 307. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

impl RedirectRegex {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let regex = pattern(fields, "regex");
        let replacement = fields.text("replacement").unwrap_or_default();
        let permanent = fields.boolean("permanent").unwrap_or(false);
        Some(Self {
            regex: regex?,
            replacement,
            permanent,
        })
    }
}
