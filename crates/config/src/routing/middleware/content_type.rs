//! `contentType`: answers without a type get that of their content.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `contentType`, Traefik's: answers without a type get that of their content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContentType {
    /// False: the middleware does nothing. Deprecated. Default true.
    pub auto_detect: bool,
}

impl ContentType {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let auto_detect = fields.boolean("autoDetect");
        if auto_detect.is_some() {
            fields.warn(
                "autoDetect",
                "is deprecated: the middleware is there to detect; remove it",
            );
        }
        Some(Self {
            auto_detect: auto_detect.unwrap_or(true),
        })
    }
}
