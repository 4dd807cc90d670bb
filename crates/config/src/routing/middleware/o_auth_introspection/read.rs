//! From a map to [`OAuthIntrospection`].

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{Cache, Headers, OAuthIntrospection};
use crate::document::Fields;
use crate::outbound::outbound_url;
use crate::routing::middleware::claimed::Claimed;
use crate::routing::middleware::dpop::Dpop;
use crate::routing::middleware::oauth_client_credentials::{
    ClientConfig, Credentials, client_config,
};
use crate::routing::middleware::resource_metadata::ResourceMetadata;
use crate::routing::middleware::token_source::TokenSource;
use crate::secret::{credential, look_at, secret};
use crate::token::is_token;

const MAX_AGE: Duration = Duration::from_secs(60);
const MOST_AGE: Duration = Duration::from_secs(300);
const NEGATIVE_MAX_AGE: Duration = Duration::from_secs(5);
const MOST_NEGATIVE_AGE: Duration = Duration::from_secs(60);

/// Headers that belong to the message.
const FRAMING: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

/// Who is asked and how: `clientConfig`.
struct Asked {
    url: Option<Url>,
    headers: Headers,
    token_type_hint: Option<String>,
    client: ClientConfig,
}

/// Reads the options. `None` when there is nobody to ask.
pub(in super::super) fn read(fields: &mut Fields<'_>) -> Option<OAuthIntrospection> {
    let hint = fields.text("tokenTypeHint").filter(|hint| !hint.is_empty());
    let asked = fields.section("clientConfig", asked);
    if asked.is_none() {
        fields.error("clientConfig", "`clientConfig.url` is missing");
    }
    let token_source = fields.section("tokenSource", TokenSource::read);
    if token_source.is_none() {
        let message = "names no place; give `header`, `query` or `cookie`";
        fields.error("tokenSource", message);
    }
    let credentials = credentials(fields);
    let issuer = fields.text("issuer").filter(|issuer| !issuer.is_empty());
    let audience = fields.texts("audience");
    let claimed = Claimed::read(fields);
    let resource_metadata = fields.map("resourceMetadata", ResourceMetadata::read);
    let dpop = fields.section("dpop", Dpop::read);
    let cache = fields.map("cache", cache).unwrap_or_default();
    let asked = asked?;
    Some(OAuthIntrospection {
        url: asked.url?,
        headers: asked.headers,
        token_type_hint: asked.token_type_hint.or(hint),
        credentials,
        issuer,
        audience,
        token_source: token_source?,
        resource_metadata: resource_metadata.flatten(),
        dpop,
        claimed,
        client_config: asked.client,
        cache,
    })
}

fn asked(fields: &mut Fields<'_>) -> Asked {
    Asked {
        url: outbound_url(fields, "url"),
        headers: headers(fields),
        token_type_hint: fields.text("tokenTypeHint").filter(|hint| !hint.is_empty()),
        client: client_config(fields),
    }
}

fn headers(fields: &mut Fields<'_>) -> Headers {
    let mut headers = BTreeMap::new();
    for (name, value) in fields.text_map("headers") {
        let key = format!("headers.{name}");
        look_at(fields, &key, &value);
        if !is_token(&name) {
            fields.error(&key, "this is no name of a header");
        } else if FRAMING.contains(&&*name.to_ascii_lowercase()) {
            fields.error(&key, "this header belongs to the message");
        } else if value.contains("{{") {
            let message =
                "templates are not served: an answer is kept for a token, whoever sends it";
            fields.error(&key, message);
        }
        headers.insert(name, SecretString::from(value));
    }
    Headers(headers)
}

fn credentials(fields: &mut Fields<'_>) -> Option<Credentials> {
    let client_id = credential(fields, "clientID");
    let client_secret = secret(fields, "clientSecret");
    if client_id.is_some() != client_secret.is_some() {
        let missing = if client_id.is_some() {
            "clientSecret"
        } else {
            "clientID"
        };
        let message = "`clientID` and `clientSecret` belong together; set both or neither";
        fields.error(missing, message);
    }
    Some(Credentials {
        client_id: client_id?,
        client_secret: client_secret?,
    })
}

fn cache(fields: &mut Fields<'_>) -> Cache {
    let default = Cache::default();
    let mut age = |key, usual: Duration, most: Duration| {
        let age = fields.duration(key).unwrap_or(usual);
        if age > most {
            let message = format!("answers are kept for {} seconds at most", most.as_secs());
            fields.error(key, message);
        }
        age
    };
    Cache {
        max_age: age("maxAge", default.max_age, MOST_AGE),
        negative_max_age: age(
            "negativeMaxAge",
            default.negative_max_age,
            MOST_NEGATIVE_AGE,
        ),
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            max_age: MAX_AGE,
            negative_max_age: NEGATIVE_MAX_AGE,
        }
    }
}
