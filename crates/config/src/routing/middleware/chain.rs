//! `chain`: several middlewares by one name.

use serde::Serialize;

use crate::document::Fields;

/// `chain`, Traefik's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
