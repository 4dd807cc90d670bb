//! `tokenSource`: where a request carries its token.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;
use crate::token::is_token;

/// Where a request carries its token; one place at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenSource {
    /// Name of a header. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Word before the token in that header, whatever its case. Default: `Bearer` in
    /// `Authorization`, where a token that is bound to a key comes behind `DPoP`; elsewhere none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_auth_scheme: Option<String>,
    /// Name of a parameter of the query, which is taken off the request. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Name of a field of a form, which stays in it.
    #[serde(skip)]
    #[schemars(skip)]
    pub form: Option<String>,
    /// Name of a cookie, which is taken off the request. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

impl TokenSource {
    /// The place of bearer tokens (RFC 6750, section 2.1).
    pub(super) fn authorization() -> Self {
        Self {
            header: Some("Authorization".to_owned()),
            header_auth_scheme: Some("Bearer".to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let mut text = |key| fields.text(key).filter(|text| !text.is_empty());
        let header = text("header");
        let scheme = text("headerAuthScheme");
        let (query, cookie) = (text("query"), text("cookie"));
        for (key, name) in [
            ("header", &header),
            ("headerAuthScheme", &scheme),
            ("cookie", &cookie),
        ] {
            if name.as_deref().is_some_and(|name| !is_token(name)) {
                fields.error(key, "has characters that no such name has");
            }
        }
        if header.is_none() && scheme.is_some() {
            fields.error("headerAuthScheme", "needs a `header` that it stands in");
        }
        if header.is_none() && query.is_none() && cookie.is_none() {
            let message = "names no place; give `header`, `query` or `cookie`";
            fields.error("", message);
        }
        let is_authorization = |name: &String| name.eq_ignore_ascii_case("authorization");
        let usual = header.as_ref().filter(|name| is_authorization(name));
        Self {
            header_auth_scheme: scheme.or(usual.map(|_| "Bearer".to_owned())),
            header,
            query,
            form: None,
            cookie,
        }
    }
}
