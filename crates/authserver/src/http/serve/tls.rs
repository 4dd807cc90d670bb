//! TLS of a port: what a handshake needs.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use secrecy::ExposeSecret as _;

use super::client_certificate;
use crate::ports::TlsOptions;

/// What is spoken over TLS, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why TLS cannot be spoken with a certificate and a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate.
    #[error("cert: holds no certificate; it must be PEM with a block CERTIFICATE")]
    Certificate,
    /// There is no key.
    #[error(
        "key: holds no private key; it must be PEM with a block PRIVATE KEY that is not encrypted"
    )]
    Key,
    /// They do not fit each other, or are of a kind that is not supported.
    #[error("cert and key cannot be used together: {0}")]
    Pair(String),
}

/// The configuration of handshakes, which may ask for certificates of clients.
pub(crate) fn server_config(
    options: &TlsOptions,
    asks_for_certificates: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(options.certificate.as_bytes()).collect();
    let chain = chain.map_err(|_| TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::Certificate);
    }
    let key = PrivateKeyDer::from_pem_slice(options.key.expose_secret().as_bytes())
        .map_err(|_| TlsError::Key)?;
    let pair = |error: rustls::Error| TlsError::Pair(error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match asks_for_certificates {
        true => builder.with_client_cert_verifier(client_certificate::asked_for()),
        false => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}
