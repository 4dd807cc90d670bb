//! Certificates that clients show (RFC 8705), and the authorities that vouch for them. That a client
//! has the key of its certificate, TLS has seen before one comes to be.

use std::{fmt, sync::Arc, time::Duration};

use carnet_oauth::confirmation;
use rustls::{
    RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, UnixTime, pem::PemObject as _},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

/// What a client showed: its certificate, and those between it and an authority. Clones are cheap.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// The client's own first; never empty.
    chain: Arc<[CertificateDer<'static>]>,
}

impl Certificate {
    /// Of a chain whose first certificate is the client's; `None` of an empty one.
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        (!chain.is_empty()).then(|| Self {
            chain: chain.into(),
        })
    }

    /// The client's own, DER.
    pub(crate) fn der(&self) -> &[u8] {
        self.chain.first().map(AsRef::as_ref).unwrap_or_default()
    }

    /// `x5t#S256`.
    pub(crate) fn thumbprint(&self) -> String {
        confirmation::of_certificate(self.der())
    }
}

/// The authorities whose certificates authenticate clients by a name in them.
#[derive(Clone)]
pub struct ClientAuthorities(Arc<dyn ClientCertVerifier>);

/// Why certificates cannot be judged by what was said of authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("holds no certificate of an authority; it must be PEM with blocks CERTIFICATE")]
pub struct NoAuthorities;

impl ClientAuthorities {
    /// Reads the certificates of authorities, PEM.
    ///
    /// # Errors
    /// When there is none, or one that cannot be read.
    pub fn from_pem(text: &str) -> Result<Self, NoAuthorities> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|_| NoAuthorities)?;
            roots.add(certificate).map_err(|_| NoAuthorities)?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        verifier.build().map(Self).map_err(|_| NoAuthorities)
    }

    /// Whether one of them vouches for a certificate at a time, in seconds since 1970: by a chain of
    /// signatures, in its time, for clients.
    pub(crate) fn vouch_for(&self, certificate: &Certificate, now: i64) -> bool {
        let now = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let Some((own, between)) = certificate.chain.split_first() else {
            return false;
        };
        let now = UnixTime::since_unix_epoch(now);
        self.0.verify_client_cert(own, between, now).is_ok()
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAuthorities")
    }
}
