//! `addPrefix`: puts something in front of the path.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `addPrefix`, Traefik's: puts something in front of the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AddPrefix {
    /// Put in front of the path. Required.
    pub prefix: String,
}

impl AddPrefix {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let prefix = fields.required_text("prefix")?;
        Some(Self { prefix })
    }
}
