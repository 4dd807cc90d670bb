//! `keySource`: where callers write a key.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;
use crate::token::is_token;

/// `keySource`, Traefik Hub's: where callers write a key. The first place that has one counts, in the
/// order header, query, cookie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeySource {
    /// Name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What stands before the key in that header, like `Bearer`. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_auth_scheme: Option<String>,
    /// Name of a parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Name of a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

impl KeySource {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut text = |key| fields.text(key).filter(|text| !text.is_empty());
        let source = Self {
            header: text("header"),
            header_auth_scheme: text("headerAuthScheme"),
            query: text("query"),
            cookie: text("cookie"),
        };
        for (key, name) in [
            ("header", &source.header),
            ("headerAuthScheme", &source.header_auth_scheme),
            ("cookie", &source.cookie),
        ] {
            if name.as_ref().is_some_and(|name| !is_token(name)) {
                fields.error(key, "has characters that such a name never has");
            }
        }
        if source.header.is_none() && source.header_auth_scheme.is_some() {
            fields.error(
                "headerAuthScheme",
                "is the scheme of a `header`; name that, too",
            );
        }
        if source.header.is_none() && source.query.is_none() && source.cookie.is_none() {
            fields.error(
                "",
                "names no place; give it a `header`, a `query` or a `cookie`",
            );
        }
        source
    }
}
