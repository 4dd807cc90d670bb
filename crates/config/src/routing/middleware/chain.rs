//! `chain`: several middlewares by one name.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `chain`, Traefik's: several middlewares by one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chain {
    /// Names of middlewares, in the order in which they are passed.
    pub middlewares: Vec<String>,
}

impl Chain {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let middlewares = fields.texts("middlewares");
        Some(Self { middlewares })
    }
}
