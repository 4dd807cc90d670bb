//! Answers to the questions by which an authority finds out whether a host is ours: a text at
//! a path (HTTP-01, RFC 8555 section 8.3), or a certificate in a handshake of its own (TLS-ALPN-01,
//! RFC 8737).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::PrivateKeyDer;

use crate::body::{Body, Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange};
use crate::respond;

/// Where an authority asks.
pub(crate) const PATH: &str = "/.well-known/acme-challenge/";
/// The protocol of its handshakes.
const PROTOCOL: &[u8] = b"acme-tls/1";

/// The answers that are expected now.
#[derive(Default)]
pub(crate) struct Challenges(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    /// By token.
    texts: BTreeMap<String, String>,
    /// By host.
    handshakes: BTreeMap<String, Arc<ServerConfig>>,
}

/// An answer that is given as long as this lives.
pub(crate) struct Placed {
    challenges: Arc<Challenges>,
    token: Option<String>,
    host: Option<String>,
}

impl Challenges {
    /// Answers a token with a text.
    pub(super) fn place_text(self: &Arc<Self>, token: &str, text: &str) -> Placed {
        let texts = &mut self.locked().texts;
        texts.insert(token.to_owned(), text.to_owned());
        Placed {
            challenges: Arc::clone(self),
            token: Some(token.to_owned()),
            host: None,
        }
    }

    /// Answers a handshake for a host with the digest of a text.
    pub(super) fn place_digest(
        self: &Arc<Self>,
        host: &str,
        digest: &[u8],
    ) -> Result<Placed, String> {
        let config = handshake(host, digest)?;
        let handshakes = &mut self.locked().handshakes;
        handshakes.insert(host.to_owned(), Arc::new(config));
        Ok(Placed {
            challenges: Arc::clone(self),
            token: None,
            host: Some(host.to_owned()),
        })
    }

    /// The handshake of an authority that asks about a host; `None`: this client is none, or
    /// nothing is asked.
    pub(crate) fn handshake<'a>(
        &self,
        host: Option<&str>,
        mut protocols: impl Iterator<Item = &'a [u8]>,
    ) -> Option<Arc<ServerConfig>> {
        let is_asked = protocols.next() == Some(PROTOCOL) && protocols.next().is_none();
        let asked = host.filter(|_| is_asked)?;
        self.locked().handshakes.get(asked).cloned()
    }

    fn locked(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges").finish_non_exhaustive()
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let mut answers = self.challenges.locked();
        if let Some(token) = &self.token {
            answers.texts.remove(token);
        }
        if let Some(host) = &self.host {
            answers.handshakes.remove(host);
        }
    }
}

/// `acme-http@internal`.
impl Endpoint for Challenges {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let token = request.uri().path().strip_prefix(PATH).unwrap_or_default();
        let text = self.locked().texts.get(token).cloned();
        let response = match text {
            Some(text) => {
                let mut response = Response::new(Body::from(bytes::Bytes::from(text)));
                *response.status_mut() = StatusCode::OK;
                let kind = HeaderValue::from_static("application/octet-stream");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            None => {
                let fault = Fault::new(crate::error::Reason::NoRoute);
                respond::to_fault(&fault, exchange)
            }
        };
        Box::pin(async move { Ok(response) })
    }
}

/// A handshake with the certificate of RFC 8737 section 3.
fn handshake(host: &str, digest: &[u8]) -> Result<ServerConfig, String> {
    let failed = |error: &dyn fmt::Display| format!("no answer for an authority: {error}");
    let mut params =
        CertificateParams::new(vec![host.to_owned()]).map_err(|error| failed(&error))?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let pair = KeyPair::generate().map_err(|error| failed(&error))?;
    let certificate = params.self_signed(&pair).map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
    let key = any_supported_type(&key).map_err(|error| failed(&error))?;
    let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}
