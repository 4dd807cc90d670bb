//! From a map to [`Oidc`].

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use url::Url;

use super::place::place;
use super::{Csrf, Oidc, Place, Session};
use crate::document::Fields;
use crate::outbound::outbound_url;
use crate::routing::middleware::claimed::Claimed;
use crate::routing::middleware::oauth_client_credentials::{client_config, scopes, sealed_or_not};
use crate::routing::service::{Cookie, SameSite};
use crate::secret::{look_at, secret};
use crate::token::is_token;

const EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// Seconds in which people log in.
const STATE_MAX_AGE: i64 = 600;

const CSRF_HEADER: &str = "TraefikHub-Csrf-Token";

/// As many as the key has that is made of them; fewer may be guessed from one cookie.
const SECRET_BYTES: usize = 32;

/// Parameters of the authorization request that the gateway writes, or that would lead its answer
/// elsewhere than into the query of `redirectUrl`.
const WRITTEN: [&str; 11] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

/// Where people are led.
struct Places {
    redirect: Option<Place>,
    login: Option<Place>,
    logout: Option<Place>,
    backchannel: Option<Place>,
    after_login: Option<Place>,
    after_logout: Option<Place>,
}

/// Reads the options. `None` when one is missing without which nobody can log in.
pub(in super::super) fn read(fields: &mut Fields<'_>) -> Option<Oidc> {
    let issuer = issuer(fields);
    let client_id = fields.required_text("clientID");
    if let Some(id) = &client_id {
        look_at(fields, "clientID", id);
    }
    let client_secret = secret(fields, "clientSecret");
    let places = places(fields);
    let pkce = fields.boolean("pkce").unwrap_or(true);
    if !pkce && client_secret.is_none() {
        let message = "without `clientSecret` only PKCE shows who asked for a code";
        fields.error("pkce", message);
    }
    let disable_login = fields.boolean("disableLogin").unwrap_or(false);
    let scopes = with_openid(scopes(fields));
    let auth_params = auth_params(fields);
    let discovery_params = fields.text_map("discoveryParams");
    let state_cookie = fields.section("stateCookie", state_cookie);
    let session = fields.section("session", session);
    let session = session.unwrap_or_else(Session::usual);
    refuse_unsealed(fields, client_secret.is_some(), &session);
    if places.backchannel.is_some() && session.store.is_none() {
        let message = "needs `session.store.redis`: no gateway can end a session that a browser \
                       keeps";
        fields.error("backchannelLogoutUrl", message);
    }
    let csrf = fields.section("csrf", csrf);
    let bearer = fields.text("bearer").filter(|name| !name.is_empty());
    let claimed = Claimed::without_token(fields);
    let client_config = fields.map("clientConfig", client_config);
    Some(Oidc {
        issuer: issuer?,
        client_id: client_id?,
        client_secret,
        redirect_url: places.redirect?,
        login_url: places.login,
        logout_url: places.logout,
        backchannel_logout_url: places.backchannel,
        post_login_redirect_url: places.after_login,
        post_logout_redirect_url: places.after_logout,
        disable_login,
        scopes,
        auth_params,
        discovery_params,
        pkce,
        state_cookie: state_cookie.unwrap_or_else(usual_state_cookie),
        session,
        csrf,
        bearer,
        claimed,
        client_config: client_config.unwrap_or_default(),
    })
}

/// An issuer is compared with what its tokens say, which have neither (OpenID Connect Core,
/// section 2).
fn issuer(fields: &mut Fields<'_>) -> Option<Url> {
    let issuer = outbound_url(fields, "issuer")?;
    if issuer.query().is_some() || issuer.fragment().is_some() {
        let message = "an issuer has no query and no fragment; `discoveryParams` are for the first";
        fields.error("issuer", message);
    }
    Some(issuer)
}

fn places(fields: &mut Fields<'_>) -> Places {
    // An empty text is missing, too.
    fields.required_text("redirectUrl");
    let places = Places {
        redirect: place(fields, "redirectUrl"),
        login: place(fields, "loginUrl"),
        logout: place(fields, "logoutUrl"),
        backchannel: place(fields, "backchannelLogoutUrl"),
        after_login: place(fields, "postLoginRedirectUrl"),
        after_logout: place(fields, "postLogoutRedirectUrl"),
    };
    for (key, place) in [("loginUrl", &places.login), ("logoutUrl", &places.logout)] {
        if place.is_some() && *place == places.redirect {
            fields.error(key, "is the same as `redirectUrl`, which answers first");
        }
    }
    if places.logout.is_some() && places.logout == places.login {
        fields.error("logoutUrl", "is the same as `loginUrl`");
    }
    if places.logout.is_some() && places.logout == places.after_logout {
        let message = "is the same as `logoutUrl`, so that people would be logged out for ever";
        fields.error("postLogoutRedirectUrl", message);
    }
    let others = [&places.redirect, &places.login, &places.logout];
    if places.backchannel.is_some() && others.contains(&&places.backchannel) {
        let message = "is the place of another option, and only the provider may ask for it";
        fields.error("backchannelLogoutUrl", message);
    }
    places
}

fn with_openid(mut scopes: Vec<String>) -> Vec<String> {
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    scopes
}

fn auth_params(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let parameters = fields.text_map("authParams");
    for name in parameters.keys() {
        if WRITTEN.contains(&name.as_str()) {
            let message = "the gateway says itself what this parameter is";
            fields.error(&format!("authParams.{name}"), message);
        }
    }
    parameters
}

/// A cookie that scripts cannot read and other sites' forms do not send.
fn usual_cookie() -> Cookie {
    Cookie {
        name: None,
        secure: false,
        http_only: true,
        same_site: Some(SameSite::Lax),
        max_age: 0,
        path: "/".to_owned(),
        domain: None,
    }
}

fn usual_state_cookie() -> Cookie {
    Cookie {
        max_age: STATE_MAX_AGE,
        ..usual_cookie()
    }
}

/// A cookie with its name, and with a word about what browsers make of it.
fn cookie(fields: &mut Fields<'_>, usual: Cookie) -> Cookie {
    let cookie = usual.changed_by(fields);
    if cookie.name.as_deref().is_some_and(|name| !is_token(name)) {
        fields.error("name", "this is no name of a cookie");
    }
    match cookie.same_site {
        Some(SameSite::None) if !cookie.secure => {
            let message = "browsers drop a cookie with `none` that is not `secure`";
            fields.warn("sameSite", message);
        }
        Some(SameSite::Strict) => {
            let message = "browsers do not send the cookie when they come back from a provider of \
                           another site, so that nobody stays logged in; use `lax`";
            fields.warn("sameSite", message);
        }
        _ => {}
    }
    cookie
}

fn state_cookie(fields: &mut Fields<'_>) -> Cookie {
    let max_age = fields.integer("maxAge").unwrap_or(STATE_MAX_AGE);
    if max_age <= 0 {
        fields.error("maxAge", "people need at least one second to log in");
    }
    if max_age > i64::from(u32::MAX) {
        fields.error("maxAge", "the number is too large");
    }
    Cookie {
        max_age,
        ..cookie(fields, usual_cookie())
    }
}

impl Session {
    /// Where nothing is said about it.
    fn usual() -> Self {
        Self {
            cookie: usual_cookie(),
            expiry: EXPIRY,
            sliding: true,
            refresh: true,
            secret: None,
            store: None,
        }
    }
}

fn session(fields: &mut Fields<'_>) -> Session {
    let usual = Session::usual();
    let expiry = fields.duration("expiry").unwrap_or(usual.expiry);
    if expiry < Duration::from_secs(1) {
        fields.error("expiry", "a session lives for at least one second");
    }
    let secret = secret(fields, "secret");
    let length = secret.as_ref().map(|secret| secret.expose_secret().len());
    if length.is_some_and(|length| length < SECRET_BYTES) {
        let message = "is shorter than 32 bytes, so it may be guessed from one cookie; make a \
                       longer one";
        fields.error("secret", message);
    }
    Session {
        cookie: cookie(fields, usual.cookie),
        expiry,
        sliding: fields.boolean("sliding").unwrap_or(usual.sliding),
        refresh: fields.boolean("refresh").unwrap_or(usual.refresh),
        secret,
        store: fields.section("store", sealed_or_not).flatten(),
    }
}

/// Whoever could seal sessions could be anybody.
fn refuse_unsealed(fields: &mut Fields<'_>, has_client_secret: bool, session: &Session) {
    let store = session.store.as_ref();
    let has_stores = store.is_some_and(|store| !store.secrets.0.is_empty());
    if !has_client_secret && session.secret.is_none() && !has_stores {
        let message = "nothing seals the sessions; set `clientSecret` or `session.secret`";
        fields.error("session.secret", message);
    }
}

fn csrf(fields: &mut Fields<'_>) -> Csrf {
    let name = fields.text("cookieName").filter(|name| !name.is_empty());
    if name.as_deref().is_some_and(|name| !is_token(name)) {
        fields.error("cookieName", "this is no name of a cookie");
    }
    let header = fields.text("headerName").filter(|name| !name.is_empty());
    let header_name = header.unwrap_or_else(|| CSRF_HEADER.to_owned());
    if !is_token(&header_name) {
        fields.error("headerName", "this is no name of a header");
    }
    Csrf {
        cookie: Cookie {
            name,
            secure: fields.boolean("secure").unwrap_or(false),
            // Scripts of the service read it.
            http_only: false,
            ..usual_cookie()
        },
        header_name,
    }
}
