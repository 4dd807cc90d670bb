//! `http.middlewares.<name>`: exactly one kind an object, checked when read.

pub mod oauth_client_credentials;

pub use oauth_client_credentials::OAuthClientCredentials;

/// A middleware and its options.
#[derive(Debug, Clone, PartialEq)]
pub enum Middleware {
    /// `oAuthClientCredentials`.
    OAuthClientCredentials(Box<OAuthClientCredentials>),
}
