//! `oauth2.token_hook` and `oauth2.refresh_token_hook`.

use secrecy::{ExposeSecret as _, SecretString};

use super::read::url;
use crate::document::Fields;
use crate::secret::secret;

/// `oauth2.token_hook` or `oauth2.refresh_token_hook`: a web server that is asked before each token,
/// or before each that takes the place of another, and without whose answer there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHook {
    /// `url`: http or https, never a link-local address.
    pub url: String,
    /// `auth`: how the hook knows this server. Default none.
    pub auth: Option<HookKey>,
}

/// `auth` of type `api_key`, the only one.
#[derive(Debug, Clone)]
pub struct HookKey {
    /// `config.in`: `header` or `cookie`.
    pub place: HookKeyPlace,
    /// `config.name`.
    pub name: String,
    /// `config.value`.
    pub value: SecretString,
}

/// `config.in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKeyPlace {
    /// `header`.
    Header,
    /// `cookie`.
    Cookie,
}

impl PartialEq for HookKey {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
            && self.name == other.name
            && self.value.expose_secret() == other.value.expose_secret()
    }
}

impl Eq for HookKey {}

/// Reads one of the two keys, a text or a map.
pub(super) fn read(fields: &mut Fields<'_>, name: &'static str) -> Option<TokenHook> {
    let node = fields.node(name)?;
    if node.scalar().is_some() {
        let url = url(fields, name)?;
        return Some(TokenHook { url, auth: None });
    }
    fields
        .map(name, |hook| {
            let address = url(hook, "url");
            if address.is_none() {
                hook.error("url", "a hook needs its `url`");
            }
            let auth = hook.map("auth", key).flatten();
            Some(TokenHook {
                url: address?,
                auth,
            })
        })
        .flatten()
}

fn key(auth: &mut Fields<'_>) -> Option<HookKey> {
    auth.word("type", &[("api_key", ())]);
    let places = [
        ("header", HookKeyPlace::Header),
        ("cookie", HookKeyPlace::Cookie),
    ];
    let key = auth.map("config", |config| {
        let place = config.word("in", &places);
        let (name, value) = (config.required_text("name"), secret(config, "value"));
        if value.is_none() {
            config.error("value", "`value` is missing");
        }
        if name.as_deref().is_some_and(|name| !is_token(name)) {
            config.error("name", "is no name of a header or a cookie");
        }
        let is_odd = |value: &SecretString| !is_field(value.expose_secret());
        if value.as_ref().is_some_and(is_odd) {
            config.error("value", "holds a character that no header may hold");
        }
        Some(HookKey {
            place: place.unwrap_or(HookKeyPlace::Header),
            name: name?,
            value: value?,
        })
    });
    if key.is_none() {
        auth.error(
            "config",
            "a key needs its `config`: `in`, `name` and `value`",
        );
    }
    key.flatten()
}

/// A name of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_part)
}

/// A value without line ends, and without what ends a cookie.
fn is_field(value: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
    value.bytes().all(is_part)
}
