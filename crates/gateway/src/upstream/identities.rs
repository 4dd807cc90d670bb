//! Who we are to servers that ask for a certificate: the one that their authorities have issued.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use secrecy::ExposeSecret;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::tls::ClientCertificate;
use crate::pem;

/// Certificates with their keys, in the order of the configuration.
#[derive(Debug)]
pub(super) struct Identities(Vec<Identity>);

#[derive(Debug)]
struct Identity {
    key: Arc<CertifiedKey>,
    /// Names of the issuers along the chain, in DER.
    issuers: Vec<Vec<u8>>,
}

impl Identities {
    /// The error is one sentence.
    pub(super) fn new(certificates: &[ClientCertificate]) -> Result<Self, String> {
        let identities = certificates.iter().map(Identity::new);
        identities.collect::<Result<_, _>>().map(Self)
    }
}

impl Identity {
    fn new(certificate: &ClientCertificate) -> Result<Self, String> {
        let chain = pem::certificates(&certificate.cert, "the client certificate")?;
        let key = certificate.key.expose_secret();
        let key = pem::private_key(key, "the client certificate's key")?;
        let issuers = chain.iter().filter_map(|certificate| {
            let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
            Some(certificate.issuer().as_raw().to_vec())
        });
        let issuers = issuers.collect();
        let provider = aws_lc_rs::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|error| format!("the client certificate cannot be used: {error}"))?;
        Ok(Self {
            key: Arc::new(key),
            issuers,
        })
    }

    fn fits(&self, authorities: &[&[u8]], schemes: &[SignatureScheme]) -> bool {
        let is_issued = authorities.is_empty()
            || self
                .issuers
                .iter()
                .any(|issuer| authorities.contains(&issuer.as_slice()));
        is_issued && self.key.key.choose_scheme(schemes).is_some()
    }
}

impl ResolvesClientCert for Identities {
    fn resolve(
        &self,
        authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let chosen = match self.0.as_slice() {
            [only] => Some(only),
            several => several
                .iter()
                .find(|identity| identity.fits(authorities, schemes)),
        };
        chosen.map(|identity| Arc::clone(&identity.key))
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
