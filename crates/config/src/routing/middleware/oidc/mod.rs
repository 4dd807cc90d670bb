//! Options of `oidc`: people log in at an OpenID provider and keep a session with the gateway.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use url::{Position, Url};

use super::claimed::Claimed;
use super::oauth_client_credentials::{ClientConfig, Store};
use crate::routing::service::Cookie;

mod place;
mod read;
pub(super) mod written;

pub(super) use read::read;

/// `oidc`. Option names match whatever their case.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Oidc {
    /// `issuer` of the provider, under which its discovery document lies. Required; http or https.
    #[serde(serialize_with = "as_text")]
    pub issuer: Url,
    /// `clientID` of the gateway at the provider. Required.
    #[serde(rename = "clientID")]
    pub client_id: String,
    /// `clientSecret`; `None`: a public client, with PKCE alone.
    #[serde(skip)]
    pub client_secret: Option<SecretString>,
    /// `redirectUrl`: where the provider sends people back to. A URL, or a path of the host that was
    /// asked. Required.
    pub redirect_url: Place,
    /// `loginUrl`: who asks for it is sent to log in, everybody else without a session gets 401.
    /// `None`: whoever has no session is sent to log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_url: Option<Place>,
    /// `logoutUrl`: who asks for it is logged out, here and at the provider. `None`: nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logout_url: Option<Place>,
    /// `backchannelLogoutUrl`: where the provider says who has logged out there. `None`: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_url: Option<Place>,
    /// `postLoginRedirectUrl`: where people go after they logged in. `None`: to what they asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_login_redirect_url: Option<Place>,
    /// `postLogoutRedirectUrl`: where they go after they logged out. `None`: the provider decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_logout_redirect_url: Option<Place>,
    /// `disableLogin`: whether nobody is sent to log in, so that whoever has no session gets 401.
    pub disable_login: bool,
    /// `scopes`, `openid` among them. Default `openid`.
    pub scopes: Vec<String>,
    /// `authParams`: parameters of the authorization request beside ours.
    #[serde(skip)]
    pub auth_params: BTreeMap<String, String>,
    /// `discoveryParams`: parameters of the request for the discovery document.
    #[serde(skip)]
    pub discovery_params: BTreeMap<String, String>,
    /// `pkce`. Default true, unlike the original (RFC 9700, section 2.1.1).
    pub pkce: bool,
    /// `stateCookie`: what a browser keeps while its person logs in.
    #[serde(skip)]
    pub state_cookie: Cookie,
    /// `session`.
    #[serde(skip)]
    pub session: Session,
    /// `csrf`: asked of requests that change something; `None`: nothing is.
    #[serde(skip)]
    pub csrf: Option<Csrf>,
    /// `bearer` (ours): the middleware that judges requests with a token in `Authorization`, in the
    /// place of a session. `None`: they need a session like all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer: Option<String>,
    /// What is asked of the claims of the ID token, and what becomes of them.
    #[serde(flatten)]
    pub claimed: Claimed,
    /// How the provider is asked.
    #[serde(skip)]
    pub client_config: ClientConfig,
}

/// A URL, or a path of whatever host was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// With scheme and host.
    Url(Url),
    /// Begins with one slash.
    Path(String),
}

/// `session`.
#[derive(Debug, Clone)]
pub struct Session {
    /// `name`, `path`, `domain`, `sameSite` (default `lax`), `httpOnly` (default true), `secure`.
    pub cookie: Cookie,
    /// `expiry`: how long a session lives, in seconds. Default 24 hours.
    pub expiry: Duration,
    /// `sliding`: whether it lives on while it is used. Default true.
    pub sliding: bool,
    /// `refresh`: whether tokens are renewed before they end. Default true.
    pub refresh: bool,
    /// `secret` (ours): what cookies are sealed with, at least 32 bytes; gateways that share it read
    /// each other's sessions. `None`: the client secret.
    pub secret: Option<SecretString>,
    /// `store`: Redis keeps the sessions, browsers an id. `None`: browsers keep them. Its secrets
    /// may be none.
    pub store: Option<Store>,
}

/// `csrf`: requests that change something carry the value of a cookie in a header as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csrf {
    /// `cookieName`, and whether it is for TLS alone (`secure`).
    pub cookie: Cookie,
    /// `headerName`. Default `TraefikHub-Csrf-Token`.
    pub header_name: String,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Oidc {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            issuer,
            client_id,
            client_secret,
            redirect_url,
            login_url,
            logout_url,
            backchannel_logout_url,
            post_login_redirect_url,
            post_logout_redirect_url,
            disable_login,
            scopes,
            auth_params,
            discovery_params,
            pkce,
            state_cookie,
            session,
            csrf,
            bearer,
            claimed,
            client_config,
        } = self;
        *issuer == other.issuer
            && *client_id == other.client_id
            && is_same(client_secret.as_ref(), other.client_secret.as_ref())
            && *redirect_url == other.redirect_url
            && *login_url == other.login_url
            && *logout_url == other.logout_url
            && *backchannel_logout_url == other.backchannel_logout_url
            && *post_login_redirect_url == other.post_login_redirect_url
            && *post_logout_redirect_url == other.post_logout_redirect_url
            && *disable_login == other.disable_login
            && *scopes == other.scopes
            && *auth_params == other.auth_params
            && *discovery_params == other.discovery_params
            && *pkce == other.pkce
            && *state_cookie == other.state_cookie
            && *session == other.session
            && *csrf == other.csrf
            && *bearer == other.bearer
            && *claimed == other.claimed
            && *client_config == other.client_config
    }
}

/// As with [`Oidc`].
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            cookie,
            expiry,
            sliding,
            refresh,
            secret,
            store,
        } = self;
        *cookie == other.cookie
            && *expiry == other.expiry
            && *sliding == other.sliding
            && *refresh == other.refresh
            && is_same(secret.as_ref(), other.secret.as_ref())
            && *store == other.store
    }
}

fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(|secret| secret.expose_secret()) == other.map(|secret| secret.expose_secret())
}

/// Without what may be secret in it.
impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Url(url) => as_text(url, serializer),
            Self::Path(path) => {
                let path = path.split(['?', '#']).next().unwrap_or_default();
                serializer.serialize_str(path)
            }
        }
    }
}

fn as_text<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&url[..Position::AfterPath])
}
