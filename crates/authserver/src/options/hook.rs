//! `oauth2.token_hook` and `oauth2.refresh_token_hook`: who is asked before a token is made.

use secrecy::SecretString;

/// A web hook that may refuse a token, or say what else it claims.
#[derive(Debug, Clone)]
pub struct TokenHook {
    /// `url`: where the question is posted, http or https. It may be a private address, but never a
    /// link-local one.
    pub url: String,
    /// `auth`: how the hook knows this server.
    pub auth: Option<HookKey>,
}

/// `auth` of type `api_key`.
#[derive(Debug, Clone)]
pub struct HookKey {
    /// `in`.
    pub place: HookKeyPlace,
    /// `name`: of the header or the cookie.
    pub name: String,
    /// `value`.
    pub value: SecretString,
}

/// Where the key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKeyPlace {
    /// `header`.
    Header,
    /// `cookie`.
    Cookie,
}
