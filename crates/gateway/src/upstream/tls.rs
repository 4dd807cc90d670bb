//! TLS towards upstreams: whom to trust and who we are.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use secrecy::{ExposeSecret, SecretString};

use crate::pem;

/// TLS towards upstreams. The default trusts what the system trusts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tls {
    /// Name for SNI and verification; `None`: the host of the URL.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub insecure_skip_verify: bool,
    /// PEM bundles trusted instead of the system's.
    pub root_cas: Vec<String>,
    /// Who we are.
    pub client_certificate: Option<ClientCertificate>,
}

/// A client certificate and its key.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// PEM of the chain.
    pub cert: String,
    /// PEM of the key.
    pub key: SecretString,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.cert == other.cert && self.key.expose_secret() == other.key.expose_secret()
    }
}

/// The configuration of handshakes. The system's trust anchors are read at the first of them:
/// a gateway that speaks plain HTTP never needs them.
pub(super) struct Handshakes {
    tls: Tls,
    alpn: Vec<u8>,
    roots: Option<Arc<RootCertStore>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Handshakes {
    /// Checks the material. The error is one sentence.
    pub(super) fn new(tls: &Tls, http2_only: bool) -> Result<Self, String> {
        let bundles = tls.root_cas.iter().map(String::as_str);
        let roots = match tls.root_cas.is_empty() {
            true => None,
            false => Some(Arc::new(pem::authorities(bundles)?)),
        };
        let identity = tls.client_certificate.as_ref().map(identity).transpose()?;
        let handshakes = Self {
            tls: tls.clone(),
            // Over HTTP/2 this client cannot send another host than the one it dials, and servers
            // are told the host that their client asked for.
            alpn: match http2_only {
                true => b"h2".to_vec(),
                false => b"http/1.1".to_vec(),
            },
            roots,
            identity,
            config: OnceLock::new(),
        };
        if handshakes.roots.is_some() || handshakes.identity.is_some() {
            handshakes.config()?;
        }
        Ok(handshakes)
    }

    /// The name to ask for and verify.
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, String> {
        let name = self.tls.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned())
            .map_err(|_| format!("`{name}` is no name for a certificate"))
    }

    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.build()?);
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }

    fn build(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS is not available: {error}"))?;
        let builder = if self.tls.insecure_skip_verify {
            let verifier = Arc::new(AnyCertificate(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(verifier)
        } else {
            let roots = match &self.roots {
                Some(roots) => Arc::clone(roots),
                None => Arc::new(native_roots()),
            };
            builder.with_root_certificates(roots)
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| format!("the client certificate cannot be used: {error}"))?,
        };
        config.alpn_protocols = vec![self.alpn.clone()];
        Ok(config)
    }
}

fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "trust anchor of the system not readable");
    }
    roots.add_parsable_certificates(found.certs);
    roots
}

fn identity(
    certificate: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = pem::certificates(&certificate.cert, "the client certificate")?;
    let key = certificate.key.expose_secret();
    let key = pem::private_key(key, "the client certificate's key")?;
    Ok((chain, key))
}

/// `insecureSkipVerify`: the peer proves that it has the key of its certificate, and nothing else.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
