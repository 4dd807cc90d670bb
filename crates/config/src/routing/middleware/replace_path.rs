//! `replacePath`: another path.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `replacePath`, Traefik's: another path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReplacePath {
    /// The path instead. The one before is told in `X-Replaced-Path`.
    pub path: String,
}

impl ReplacePath {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let path = fields.text("path").unwrap_or_default();
        Some(Self { path })
    }
}
