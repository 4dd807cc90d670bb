//! Options of `oAuthIntrospection`: only requests pass with a token for which its server vouches
//! (RFC 7662).

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use super::claimed::Claimed;
use super::dpop::Dpop;
use super::oauth_client_credentials::{ClientConfig, Credentials};
use super::resource_metadata::ResourceMetadata;
use super::token_source::TokenSource;
use crate::secret::are_equal;

mod read;
pub(super) mod written;

pub(super) use read::read;

/// `oAuthIntrospection`. Option names match whatever their case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuthIntrospection {
    /// `clientConfig.url`: who is asked. Required; http or https.
    #[serde(serialize_with = "without_query")]
    pub url: Url,
    /// `clientConfig.headers` of each question.
    #[serde(skip)]
    pub headers: Headers,
    /// `clientConfig.tokenTypeHint`; `None`: not sent.
    #[serde(skip)]
    pub token_type_hint: Option<String>,
    /// `clientID` and `clientSecret` (ours), sent as Basic credentials; `None`: not sent.
    #[serde(skip)]
    pub credentials: Option<Credentials>,
    /// `issuer` (ours): what `iss` of the answer must be; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `audience` (ours): `aud` of the answer must name one of them; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// `tokenSource`: where requests carry their tokens.
    pub token_source: TokenSource,
    /// `resourceMetadata` (ours): what clients are told of the route; `None`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_metadata: Option<ResourceMetadata>,
    /// `dpop` (ours): what is asked of proofs of keys beside tokens that are bound to them; `None`: what
    /// RFC 9449 asks at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop: Option<Dpop>,
    /// What is asked of the claims, and what becomes of them.
    #[serde(flatten)]
    pub claimed: Claimed,
    /// How it is asked.
    #[serde(skip)]
    pub client_config: ClientConfig,
    /// For how long answers are believed.
    #[serde(skip)]
    pub cache: Cache,
}

/// Headers by their names. A value may be secret.
#[derive(Debug, Clone, Default)]
pub struct Headers(pub BTreeMap<String, SecretString>);

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        are_equal(&self.0, &other.0)
    }
}

/// `cache` (ours).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// `maxAge` of a yes, which no token outlives. Default 60 s, at most 300 s; 0: none is kept.
    pub max_age: Duration,
    /// `negativeMaxAge` of a no. Default 5 s, at most 60 s.
    pub negative_max_age: Duration,
}

fn without_query<S: serde::Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&url[..url::Position::AfterPath])
}
