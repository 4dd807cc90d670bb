//! Proofs of keys (RFC 9449) beside tokens that are bound to them: judged by `carnet_oauth::dpop`,
//! for the address and the method of the request, with a nonce where that is wanted, and each counted
//! once (`crate::proofs`).

use std::sync::Arc;
use std::time::Duration;

use carnet_config::routing::middleware::Dpop as Options;
use carnet_oauth::Clock;
use carnet_oauth::dpop::{self, DpopError, Expected, Nonces};
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, HOST, HeaderName, ORIGIN};
use http::{HeaderMap, HeaderValue};

use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::host;
use crate::middleware::Exchange;
use crate::middleware::redirect::told_scheme;
use crate::proofs::{Proofs as Known, Refusal, Shared};
use crate::supplies::Supplies;
use crate::token_source::seconds;

const DPOP_NONCE: HeaderName = HeaderName::from_static(dpop::NONCE_HEADER);

/// What scripts of other origins have to read to go on.
const EXPOSED: HeaderValue = HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate");

/// What is asked of proofs, and those that were used.
pub(in crate::middleware) struct Proofs {
    known: Arc<Known>,
    shared: Option<Shared>,
    /// Of which each proof needs one; `None`: nonces are not looked at.
    nonces: Option<Arc<Nonces>>,
    clock: Arc<dyn Clock>,
}

/// What the proof of a request is about, taken before its head is changed.
#[derive(Debug)]
pub(in crate::middleware) struct Sent {
    proofs: HeaderMap,
    method: String,
    /// Where it was sent to; two where nobody can say which port the client wrote.
    addresses: Vec<String>,
    is_of_script: bool,
}

/// The nonce that a client is to use from now on.
#[derive(Debug)]
pub(in crate::middleware) struct NextNonce(HeaderValue);

impl Sent {
    pub(in crate::middleware) fn of(request: &Request, exchange: &Exchange) -> Self {
        let headers = request.headers();
        let mut proofs = HeaderMap::new();
        for value in headers.get_all(dpop::HEADER) {
            proofs.append(dpop::HEADER, value.clone());
        }
        Self {
            proofs,
            method: request.method().as_str().to_owned(),
            addresses: addresses(request, exchange),
            is_of_script: headers.contains_key(ORIGIN),
        }
    }
}

/// What the client may have written as the address of a request: what a proxy in front says of it, which
/// the entry point has left only where it may be believed, and the path before others changed it.
fn addresses(request: &Request, exchange: &Exchange) -> Vec<String> {
    let text = |name: &str| request.headers().get(name)?.to_str().ok();
    let host = text("x-forwarded-host").filter(|host| !host.is_empty());
    let host = host.or_else(|| text(HOST.as_str())).unwrap_or_default();
    let (scheme, path) = (told_scheme(request, exchange), exchange.asked_path(request));
    let mut addresses = vec![format!("{scheme}://{host}{path}")];
    // Some proxies tell the port of a host apart.
    if let Some(port) = text("x-forwarded-port")
        && host::split(host).1.is_none()
    {
        addresses.push(format!("{scheme}://{host}:{port}{path}"));
    }
    addresses
}

impl Proofs {
    /// The error is one sentence.
    pub(in crate::middleware) fn new(
        options: Option<&Options>,
        supplies: &Supplies,
    ) -> Result<Self, String> {
        let store = options.and_then(|options| options.store.as_ref());
        let shared = store.map(|store| Shared::new(store, supplies));
        let needing = options.filter(|options| options.nonce_required);
        let known = &supplies.proofs;
        let nonces = needing.map(|told| known.nonces(&told.secrets, supplies.random.as_ref()));
        Ok(Self {
            known: Arc::clone(known),
            shared: shared.transpose()?,
            nonces,
            clock: Arc::clone(&supplies.clock),
        })
    }

    /// Whether the request proves the key with this thumbprint, for this token; and the nonce to use
    /// from now on, where another is near.
    ///
    /// # Errors
    /// When it does not, or did so before.
    pub(in crate::middleware) async fn check(
        &self,
        sent: &Sent,
        (thumbprint, token): (&str, &str),
        exchange: &Exchange,
    ) -> Result<Option<NextNonce>, Fault> {
        let now = seconds(self.clock.now());
        let values = sent.proofs.get_all(dpop::HEADER).iter();
        let proof = dpop::only(values.map(HeaderValue::as_bytes)).map_err(wrong)?;
        let missing = "the token is bound to a key, and there is no proof of it";
        let proof = proof.ok_or_else(|| Fault::new(Reason::ProofInvalid).because(missing))?;
        let expected = Expected {
            method: &sent.method,
            uris: &sent.addresses,
            access_token: Some(token),
            nonces: self.nonces.as_deref(),
            needs_nonce: self.nonces.is_some(),
            now,
        };
        let proven = dpop::verify(proof, &expected).map_err(wrong)?;
        if proven.thumbprint != thumbprint {
            let cause = "the token is bound to another key";
            return Err(Fault::new(Reason::TokenInvalid).because(cause));
        }
        // Another middleware of the chain, or an attempt before, saw the same request.
        if exchange.proof() != Some(&proven.name) {
            let used_up = self.known.use_up(&proven, self.shared.as_ref(), now);
            used_up.await.map_err(refused)?;
            exchange.used_up(proven.name);
        }
        Ok(proven.next_nonce.as_deref().and_then(NextNonce::new))
    }

    /// What a client needs to know that was refused for want of a nonce.
    pub(in crate::middleware) fn wanted(&self, fault: &Fault) -> Option<NextNonce> {
        let nonces = self.nonces.as_ref()?;
        let wants = fault.reason() == Reason::NonceMissing;
        let nonce = wants.then(|| nonces.at(seconds(self.clock.now())))?;
        NextNonce::new(&nonce)
    }
}

impl NextNonce {
    fn new(nonce: &str) -> Option<Self> {
        HeaderValue::try_from(nonce).ok().map(Self)
    }

    /// Tells it. No cache may keep an answer with a nonce (section 8.2), and scripts have to see it.
    pub(in crate::middleware) fn tell(self, response: &mut Response, sent: &Sent) {
        let headers = response.headers_mut();
        headers.insert(DPOP_NONCE, self.0);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if sent.is_of_script {
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// Two headers are a mistake of the request, everything else of the proof.
fn wrong(error: DpopError) -> Fault {
    let reason = match error {
        DpopError::Several => Reason::BadRequest,
        DpopError::Nonce => Reason::NonceMissing,
        _ => Reason::ProofInvalid,
    };
    Fault::new(reason).because(error)
}

fn refused(refusal: Refusal) -> Fault {
    let (reason, cause) = match refusal {
        Refusal::Used => (Reason::ProofInvalid, "the proof was used before"),
        Refusal::Full => (
            Reason::TokenUnverifiable,
            "there are too many proofs to remember",
        ),
        Refusal::NoStore => (
            Reason::TokenUnverifiable,
            "the store of proofs cannot be used",
        ),
    };
    let fault = Fault::new(reason).because(cause);
    match refusal {
        Refusal::Used => fault,
        Refusal::Full | Refusal::NoStore => fault.retry_after(Duration::from_secs(1)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::SystemTime;

    use crate::body::Body;
    use crate::middleware::Connection;

    // Holds DP-01.
    #[test]
    fn a_request_was_sent_to_where_a_trusted_proxy_says_or_else_to_where_it_came() {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let connection = Connection::new("web".into(), peer, None);
        let exchange = Exchange::new(Arc::new(connection), 1, SystemTime::UNIX_EPOCH);
        for (fields, expected) in [
            (&[("host", "a.test:81")][..], &["http://a.test:81/a"][..]),
            (&[], &["http:///a"]),
            (
                &[
                    ("host", "inside"),
                    ("x-forwarded-host", "a.test"),
                    ("x-forwarded-proto", "https"),
                ],
                &["https://a.test/a"],
            ),
            (
                &[
                    ("host", "inside"),
                    ("x-forwarded-host", "a.test"),
                    ("x-forwarded-port", "8443"),
                    ("x-forwarded-proto", "wss"),
                ],
                &["https://a.test/a", "https://a.test:8443/a"],
            ),
            (
                &[
                    ("x-forwarded-host", "a.test:81"),
                    ("x-forwarded-port", "82"),
                ],
                &["http://a.test:81/a"],
            ),
            (
                &[("host", "a.test"), ("x-forwarded-host", "")],
                &["http://a.test/a"],
            ),
        ] {
            let mut request = Request::new(Body::empty());
            *request.uri_mut() = "/a?b=c".parse().unwrap();
            for (name, value) in fields {
                request.headers_mut().append(*name, value.parse().unwrap());
            }
            assert_eq!(addresses(&request, &exchange), expected, "{fields:?}");
        }
    }
}
