//! Options of `jwt`: only requests pass that carry a token which somebody signed whom we trust.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use super::claimed::Claimed;
use super::dpop::Dpop;
use super::oauth_client_credentials::ClientConfig;
use super::resource_metadata::ResourceMetadata;
use super::token_source::TokenSource;
use crate::routing::pem::{HoldsPem, Pem};

mod read;
pub(super) mod written;

pub(super) use read::read;

/// `jwt`. Option names match whatever their case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jwt {
    /// What signatures are verified with.
    #[serde(skip)]
    pub keys: Keys,
    /// `issuer` (ours): what `iss` must be; `None`: what the metadata of `discovery` say, else any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `audience` (ours): `aud` must name one of them; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// `leeway` (ours): clocks may differ by so much. Default 60 s, at most 300 s.
    #[serde(skip)]
    pub leeway: Duration,
    /// `tokenSource` (ours) and `tokenKey`: where requests carry their tokens.
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
    /// How keys are fetched.
    #[serde(skip)]
    pub client_config: ClientConfig,
    /// `cache.enabled` (ours): whether a token that was right is remembered. Default true.
    #[serde(skip)]
    pub is_cached: bool,
}

/// What signatures are verified with: exactly one.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// `signingSecret`.
    Secret(SigningSecret),
    /// `publicKey`: PEM.
    PublicKey(Pem),
    /// `jwksFile`: a set, or the file that holds it.
    File(Pem),
    /// `jwksUrl`: where the set is.
    Url(Url),
    /// `discovery` (ours): where metadata are that name the set (RFC 8414).
    Discovery(Url),
}

/// `signingSecret` and `signingSecretBase64Encoded`.
#[derive(Debug, Clone)]
pub struct SigningSecret {
    /// The secret as it is written.
    pub text: SecretString,
    /// Whether that is base64 of it.
    pub is_base64: bool,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for SigningSecret {
    fn eq(&self, other: &Self) -> bool {
        self.is_base64 == other.is_base64 && self.text.expose_secret() == other.text.expose_secret()
    }
}

impl HoldsPem for Jwt {
    fn pems(&mut self) -> Vec<&mut Pem> {
        match &mut self.keys {
            Keys::PublicKey(pem) | Keys::File(pem) => vec![pem],
            Keys::Secret(_) | Keys::Url(_) | Keys::Discovery(_) => Vec::new(),
        }
    }
}
