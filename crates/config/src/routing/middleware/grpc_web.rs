//! `grpcWeb`: gRPC for browsers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `grpcWeb`, Traefik's: gRPC for browsers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrpcWeb {
    /// Origins whose scripts may ask and read; `*` is every one. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
}

impl GrpcWeb {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            allow_origins: fields.texts("allowOrigins"),
        })
    }
}
