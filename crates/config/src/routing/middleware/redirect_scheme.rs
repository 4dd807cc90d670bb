//! `redirectScheme`: sends clients to the same URL with another scheme.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `redirectScheme`, Traefik's: sends clients to the same URL with another scheme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RedirectScheme {
    /// The scheme instead. Required.
    pub scheme: String,
    /// The port instead. Default: the scheme's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// 301 or 308 in place of 302 or 307. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub permanent: bool,
}

impl RedirectScheme {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let scheme = fields.required_text("scheme");
        let port = fields.text("port").filter(|port| !port.is_empty());
        if port
            .as_deref()
            .is_some_and(|port| port.parse::<u16>().is_err())
        {
            fields.error("port", "expects the number of a port, like `443`");
        }
        let permanent = fields.boolean("permanent").unwrap_or(false);
        Some(Self {
            scheme: scheme?,
            port,
            permanent,
        })
    }
}
