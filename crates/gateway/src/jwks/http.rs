//! Keys from a URL: of the set itself, or of the metadata that say where it is (RFC 8414, OpenID
//! Connect Discovery). Redirects are not followed.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use carnet_jose::JwkSet;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST};
use http::{HeaderValue, Request, StatusCode};
use serde_json::{Map, Value};
use url::{Host, Position, Url};

use super::{KeySource, Published};
use crate::upstream::Client;

/// More than this is no set of keys: one of a thousand RSA keys of 4096 bits is smaller.
const MAX_ANSWER: usize = 1 << 20;

/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Where to look.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The set.
    Set(Url),
    /// The metadata.
    Metadata(Url),
}

/// Keys that are looked for at a place.
pub(crate) struct HttpKeys {
    place: Place,
    client: Client,
    patience: Duration,
    retries: u32,
    name: String,
}

/// Why there is no answer.
struct Missed {
    sentence: String,
    /// Whether another attempt may bring one.
    is_passing: bool,
}

impl HttpKeys {
    /// Looks with this client, so often again, and no longer than that in all.
    pub(crate) fn new(place: Place, client: Client, patience: Duration, retries: u32) -> Self {
        let (Place::Set(url) | Place::Metadata(url)) = &place;
        Self {
            // What follows may be secret.
            name: url.origin().ascii_serialization(),
            place,
            client,
            patience,
            retries,
        }
    }

    async fn published(&self) -> Result<Published, String> {
        match &self.place {
            Place::Set(url) => set(&self.get(url).await?),
            Place::Metadata(url) => self.by_metadata(url).await,
        }
    }

    async fn by_metadata(&self, url: &Url) -> Result<Published, String> {
        let body = self.get(url).await?;
        let metadata: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|_| "the metadata are no JSON".to_owned())?;
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let place = text("jwks_uri").and_then(|place| Url::parse(place).ok());
        let place = place.ok_or_else(|| "the metadata name no `jwks_uri`".to_owned())?;
        if !may_be_named_by(url, &place) {
            return Err("the metadata name a `jwks_uri` that is not called".to_owned());
        }
        Ok(Published {
            issuer: text("issuer").map(str::to_owned),
            metadata,
            ..set(&self.get(&place).await?)?
        })
    }

    async fn get(&self, url: &Url) -> Result<Bytes, String> {
        let mut wait = FIRST_WAIT;
        for _ in 0..self.retries {
            match self.once(url).await {
                Err(missed) if missed.is_passing => {
                    tokio::time::sleep(wait).await;
                    wait = wait.saturating_mul(2);
                }
                outcome => return outcome.map_err(|missed| missed.sentence),
            }
        }
        self.once(url).await.map_err(|missed| missed.sentence)
    }

    async fn once(&self, url: &Url) -> Result<Bytes, Missed> {
        let request = request(url).ok_or_else(|| Missed {
            sentence: "the URL cannot be used".to_owned(),
            is_passing: false,
        })?;
        let answer = self.client.call(request, MAX_ANSWER).await;
        let answer = answer.map_err(|failure| Missed {
            sentence: failure.to_string(),
            is_passing: failure.kind != crate::upstream::FailureKind::TooLarge,
        })?;
        let status = answer.status();
        match status.is_success() {
            true => Ok(answer.into_body()),
            false => Err(Missed {
                sentence: format!("status {}", status.as_u16()),
                is_passing: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
            }),
        }
    }
}

impl KeySource for HttpKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<Published, String>> {
        self.published().boxed()
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Metadata lead to no less protected place than their own, and to no address that only means
/// something on a link: there machines answer whoever asks with credentials of their own.
pub(crate) fn may_be_named_by(metadata: &Url, place: &Url) -> bool {
    let is_http = match place.scheme() {
        "https" => true,
        "http" => metadata.scheme() == "http",
        _ => false,
    };
    is_http && !is_link_local(place)
}

fn is_link_local(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
        Some(Host::Domain(_)) | None => return false,
    };
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn set(body: &[u8]) -> Result<Published, String> {
    let (keys, rejected) = JwkSet::read(body).map_err(|error| error.to_string())?;
    Ok(Published {
        keys,
        rejected,
        ..Published::default()
    })
}

fn request(url: &Url) -> Option<Request<Bytes>> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = url[..Position::AfterQuery].parse().ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::try_from(host).ok()?);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Some(request)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn metadata_lead_to_no_less_protected_place_and_to_no_link() {
        for (metadata, place, may) in [
            ("https://as.test", "https://keys.test", true),
            ("https://as.test", "http://as.test/keys", false),
            ("http://as.svc", "http://as.svc/keys", true),
            ("http://127.0.0.1", "http://10.0.0.1/keys", true),
            ("http://as.svc", "http://169.254.169.254/keys", false),
            ("http://as.svc", "http://[fe80::1]/keys", false),
            ("http://as.svc", "http://[::ffff:169.254.169.254]/", false),
            ("http://as.svc", "file:///etc/keys", false),
        ] {
            let (metadata, place) = (Url::parse(metadata).unwrap(), Url::parse(place).unwrap());
            assert_eq!(may_be_named_by(&metadata, &place), may, "{place}");
        }
    }
}
