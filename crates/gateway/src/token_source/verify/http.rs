//! Keys from a URL: of the set itself, or of the metadata that say where it is (RFC 8414, OpenID
//! Connect Discovery). Redirects are not followed.

use bytes::Bytes;
use carnet_jose::JwkSet;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST};
use http::{HeaderValue, Request};
use serde_json::Value;
use url::{Position, Url};

use super::{KeySource, Published};
use crate::upstream::Client;

/// More than this is no set of keys.
const MAX_ANSWER: usize = 1 << 20;

/// Where to look.
pub(crate) enum HttpKeys {
    /// The set.
    Set(Url, Client),
    /// The metadata.
    Metadata(Url, Client),
}

impl KeySource for HttpKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        async move {
            match self {
                Self::Set(url, client) => Ok(Published {
                    keys: set(&get(url, client).await?)?,
                    issuer: None,
                }),
                Self::Metadata(url, client) => metadata(url, client).await,
            }
        }
        .boxed()
    }
}

async fn metadata(url: &Url, client: &Client) -> Result<Published, String> {
    let body = get(url, client).await?;
    let metadata: Value =
        serde_json::from_slice(&body).map_err(|_| "the metadata are no JSON".to_owned())?;
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    let place = text("jwks_uri").and_then(|place| Url::parse(place).ok());
    let place = place.filter(|place| matches!(place.scheme(), "http" | "https"));
    let place = place.ok_or_else(|| "the metadata name no `jwks_uri`".to_owned())?;
    Ok(Published {
        keys: set(&get(&place, client).await?)?,
        issuer: text("issuer").map(str::to_owned),
    })
}

fn set(body: &[u8]) -> Result<JwkSet, String> {
    JwkSet::from_json(body).map_err(|error| error.to_string())
}

async fn get(url: &Url, client: &Client) -> Result<Bytes, String> {
    let unusable = || "the URL cannot be used".to_owned();
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = url[..Position::AfterQuery]
        .parse()
        .map_err(|_| unusable())?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(host).map_err(|_| unusable())?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let answer = client.call(request, MAX_ANSWER).await;
    let answer = answer.map_err(|failure| failure.to_string())?;
    match answer.status().is_success() {
        true => Ok(answer.into_body()),
        false => Err(format!("status {}", answer.status().as_u16())),
    }
}
