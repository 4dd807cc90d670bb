//! From a map to [`Jwt`].

use std::time::Duration;

use url::Url;

use super::{Jwt, Keys, SigningSecret};
use crate::document::Fields;
use crate::outbound::outbound_url;
use crate::routing::middleware::claimed::Claimed;
use crate::routing::middleware::dpop::Dpop;
use crate::routing::middleware::oauth_client_credentials::client_config;
use crate::routing::middleware::resource_metadata::ResourceMetadata;
use crate::routing::middleware::token_source::TokenSource;
use crate::routing::pem::Pem;
use crate::secret::secret;

const LEEWAY: Duration = Duration::from_secs(60);
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// RFC 7518, section 3.2, for HS256; the other two want more.
const SECRET_BYTES: usize = 32;

/// Reads the options. `None` when there is nothing to verify with.
pub(in super::super) fn read(fields: &mut Fields<'_>) -> Option<Jwt> {
    let issuer = fields.text("issuer").filter(|issuer| !issuer.is_empty());
    let keys = keys(fields, issuer.as_deref());
    let audience = fields.texts("audience");
    if audience.iter().any(String::is_empty) {
        fields.error("audience", "an audience is empty");
    }
    let leeway = fields.duration("leeway").unwrap_or(LEEWAY);
    if leeway > MAX_LEEWAY {
        fields.error("leeway", "clocks differ by 300 seconds at most");
    }
    let claimed = Claimed::read(fields);
    let resource_metadata = fields.map("resourceMetadata", ResourceMetadata::read);
    let dpop = fields.section("dpop", Dpop::read);
    let token_source = token_source(fields);
    let client_config = fields.map("clientConfig", client_config);
    let is_cached = fields.map("cache", |cache| cache.boolean("enabled"));
    Some(Jwt {
        keys: keys?,
        issuer,
        audience,
        leeway,
        token_source,
        resource_metadata: resource_metadata.flatten(),
        dpop,
        claimed,
        client_config: client_config.unwrap_or_default(),
        is_cached: is_cached.flatten().unwrap_or(true),
    })
}

const SOURCES: [&str; 5] = [
    "signingSecret",
    "publicKey",
    "jwksFile",
    "jwksUrl",
    "discovery",
];

fn keys(fields: &mut Fields<'_>, issuer: Option<&str>) -> Option<Keys> {
    let is_base64 = fields
        .boolean("signingSecretBase64Encoded")
        .unwrap_or(false);
    let given = SOURCES.map(|key| fields.text(key).is_some_and(|text| !text.is_empty()));
    let given: Vec<&str> = SOURCES
        .into_iter()
        .zip(given)
        .filter_map(|(key, is_given)| is_given.then_some(key))
        .collect();
    match given[..] {
        ["signingSecret"] => signing_secret(fields, is_base64),
        ["publicKey"] => Pem::optional(fields, "publicKey").map(Keys::PublicKey),
        ["jwksFile"] => Pem::optional_set(fields, "jwksFile").map(Keys::File),
        ["jwksUrl"] => jwks_url(fields, issuer).map(Keys::Url),
        ["discovery"] => outbound_url(fields, "discovery").map(Keys::Discovery),
        _ => {
            let message = "expects exactly one of `signingSecret`, `publicKey`, `jwksFile`, \
                           `jwksUrl` and `discovery`";
            fields.error("", message);
            None
        }
    }
}

fn signing_secret(fields: &mut Fields<'_>, is_base64: bool) -> Option<Keys> {
    let length = fields
        .text("signingSecret")
        .map_or(0, |text| match is_base64 {
            true => text.len() / 4 * 3,
            false => text.len(),
        });
    if length < SECRET_BYTES {
        let message = "is shorter than the 32 bytes that HS256 wants, so it may be guessed from one \
                       token; make a longer one";
        fields.warn("signingSecret", message);
    }
    let text = secret(fields, "signingSecret")?;
    Some(Keys::Secret(SigningSecret { text, is_base64 }))
}

/// A path belongs to the issuer that is configured: were it appended to what a token says, whoever
/// signs tokens would choose the keys that they are verified with.
fn jwks_url(fields: &mut Fields<'_>, issuer: Option<&str>) -> Option<Url> {
    let path = fields.text("jwksUrl").filter(|text| text.starts_with('/'));
    let Some(path) = path else {
        return outbound_url(fields, "jwksUrl");
    };
    let Some(issuer) = issuer else {
        let message = "a path needs an `issuer` that it belongs to";
        fields.error("jwksUrl", message);
        return None;
    };
    match Url::parse(&format!("{}{path}", issuer.trim_end_matches('/'))) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url),
        _ => {
            fields.error(
                "issuer",
                "is no URL of `http` or `https`, which `jwksUrl` needs",
            );
            None
        }
    }
}

/// `Authorization` and what `tokenKey` names, or what `tokenSource` says.
fn token_source(fields: &mut Fields<'_>) -> TokenSource {
    let key = fields.text("tokenKey").filter(|key| !key.is_empty());
    let told = fields.map("tokenSource", TokenSource::read);
    match told {
        Some(told) => {
            if key.is_some() {
                fields.error("tokenKey", "`tokenSource` says where tokens are");
            }
            told
        }
        None => TokenSource {
            query: key.clone(),
            form: key,
            ..TokenSource::authorization()
        },
    }
}
