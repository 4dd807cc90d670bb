//! What a provider says of itself (OpenID Connect Discovery, section 3), as far as it is believed.

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use crate::jwks::{Published, may_be_named_by};

/// What was fetched, with the keys.
pub(super) struct Metadata(pub(super) Arc<Published>);

impl Metadata {
    /// As tokens name it.
    pub(super) fn issuer(&self) -> &str {
        self.0.issuer.as_deref().unwrap_or_default()
    }

    /// Where people log in. The error is one sentence.
    pub(super) fn authorization_endpoint(&self) -> Result<Url, String> {
        self.url("authorization_endpoint")
            .ok_or_else(|| "the metadata name no `authorization_endpoint`".to_owned())
    }

    /// Where tokens are given. The error is one sentence.
    pub(super) fn token_endpoint(&self) -> Result<Url, String> {
        self.url("token_endpoint")
            .ok_or_else(|| "the metadata name no `token_endpoint` that is called".to_owned())
    }

    /// Where people log out (OpenID Connect RP-Initiated Logout); `None`: nowhere, or at a host that
    /// they did not log in at, whose name only gateways may know.
    pub(super) fn end_session_endpoint(&self) -> Option<Url> {
        let origin = self.url("authorization_endpoint")?.origin();
        let url = self.url("end_session_endpoint")?;
        (url.origin() == origin).then_some(url)
    }

    /// Whether its answers say whose they are (RFC 9207).
    pub(super) fn names_itself(&self) -> bool {
        let name = "authorization_response_iss_parameter_supported";
        self.value(name).and_then(Value::as_bool) == Some(true)
    }

    /// Whether it takes secrets in forms and not in headers.
    pub(super) fn takes_forms_alone(&self) -> bool {
        let methods = self.value("token_endpoint_auth_methods_supported");
        let methods = methods.and_then(Value::as_array);
        let has = |name: &str| {
            let mut all = methods.into_iter().flatten();
            all.any(|method| method.as_str() == Some(name))
        };
        has("client_secret_post") && !has("client_secret_basic")
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.metadata.get(name)
    }

    /// As protected as the place of the metadata, which is the issuer's.
    fn url(&self, name: &str) -> Option<Url> {
        let url = Url::parse(self.value(name)?.as_str()?).ok()?;
        let issuer = Url::parse(self.issuer()).ok()?;
        may_be_named_by(&issuer, &url).then_some(url)
    }
}
