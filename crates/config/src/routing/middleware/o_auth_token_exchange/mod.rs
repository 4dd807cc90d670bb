//! Options of `oAuthTokenExchange`: a caller's token becomes another one, which a server gives in its
//! place (RFC 8693, or Entra ID's on-behalf-of flow).

use secrecy::{ExposeSecret as _, SecretString};

use super::oauth_client_credentials::OAuthClientCredentials;
use super::token_source::TokenSource;

mod read;
pub(super) mod written;

pub(super) use read::read;

/// `oAuthTokenExchange`. Option names match whatever their case.
#[derive(Debug, Clone, PartialEq)]
pub struct OAuthTokenExchange {
    /// What it has in common with `oAuthClientCredentials` in mode B: where the server is, how the
    /// gateway is its client, and what becomes of its tokens. Audience, scopes and resources are
    /// those of the method.
    pub client: OAuthClientCredentials,
    /// `method`, with the options that it alone has.
    pub method: Method,
    /// `tokenSource`: where requests carry their tokens. Default `Authorization: Bearer`.
    pub token_source: TokenSource,
}

/// How a token is exchanged.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// `rfc8693`.
    Rfc8693(Rfc8693),
    /// `entraID`: a JWT as an assertion (RFC 7523), with Microsoft's parameters.
    EntraId,
}

impl Method {
    /// The word of the configuration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rfc8693(_) => "rfc8693",
            Self::EntraId => "entraID",
        }
    }
}

/// `rfc8693`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rfc8693 {
    /// `subjectTokenType`. Default that of an access token.
    pub subject_token_type: String,
    /// `requestedTokenType`; `None`: not sent.
    pub requested_token_type: Option<String>,
    /// `actorToken` and `actorTokenType` (ours); `None`: the gateway acts as the client it is.
    pub actor: Option<Actor>,
}

/// Who acts for the caller.
#[derive(Debug, Clone)]
pub struct Actor {
    /// `actorToken`.
    pub token: SecretString,
    /// `actorTokenType`. Default that of an access token.
    pub token_type: String,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Actor {
    fn eq(&self, other: &Self) -> bool {
        let Self { token, token_type } = self;
        token.expose_secret() == other.token.expose_secret() && *token_type == other.token_type
    }
}
