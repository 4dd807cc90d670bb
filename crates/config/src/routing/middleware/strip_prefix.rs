//! `stripPrefix`: takes something off the path.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `stripPrefix`, Traefik's: takes something off the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StripPrefix {
    /// The first that the path begins with is taken off, and told in `X-Forwarded-Prefix`.
    pub prefixes: Vec<String>,
}

impl StripPrefix {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if fields.boolean("forceSlash").is_some() {
            let message = "`forceSlash` has no meaning any more: a path always begins with `/`";
            fields.warn("forceSlash", message);
        }
        let prefixes = fields.texts("prefixes");
        Some(Self { prefixes })
    }
}
