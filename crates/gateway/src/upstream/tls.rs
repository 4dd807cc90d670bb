//! TLS towards upstreams: whom to trust and who we are.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use secrecy::{ExposeSecret, SecretString};

use super::Http2;
use super::identities::Identities;
use crate::pem;

/// Names of protocols in handshakes (RFC 7301 section 6, RFC 9113 section 3.1).
const HTTP_1_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

/// TLS towards upstreams. The default trusts what the system trusts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tls {
    /// Name for SNI and verification; `None`: the host of the URL.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub insecure_skip_verify: bool,
    /// PEM bundles trusted instead of the system's.
    pub root_cas: Vec<String>,
    /// Who we are. One is shown to every server that asks; of several, the first that a server's
    /// authorities have issued.
    pub client_certificates: Vec<ClientCertificate>,
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
    http2: Http2,
    roots: Option<Arc<RootCertStore>>,
    identities: Option<Arc<Identities>>,
    /// With all protocols, and with HTTP/1.1 alone.
    configs: OnceLock<[Arc<ClientConfig>; 2]>,
}

impl Handshakes {
    /// Checks the material. The error is one sentence.
    pub(super) fn new(tls: &Tls, http2: Http2) -> Result<Self, String> {
        let bundles = tls.root_cas.iter().map(String::as_str);
        let roots = match tls.root_cas.is_empty() {
            true => None,
            false => Some(Arc::new(pem::authorities(bundles)?)),
        };
        let identities = match tls.client_certificates.is_empty() {
            true => None,
            false => Some(Arc::new(Identities::new(&tls.client_certificates)?)),
        };
        let handshakes = Self {
            tls: tls.clone(),
            http2,
            roots,
            identities,
            configs: OnceLock::new(),
        };
        if handshakes.roots.is_some() || handshakes.identities.is_some() {
            handshakes.config(false)?;
        }
        Ok(handshakes)
    }

    /// The name to ask for and verify.
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, String> {
        let name = self.tls.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned())
            .map_err(|_| format!("`{name}` is no name for a certificate"))
    }

    /// How to shake hands; `only_http1`: without the choice of HTTP/2.
    pub(super) fn config(&self, only_http1: bool) -> Result<Arc<ClientConfig>, String> {
        let configs = match self.configs.get() {
            Some(configs) => configs,
            None => {
                let built = self.build()?;
                self.configs.get_or_init(|| built)
            }
        };
        let [all, http1] = configs;
        Ok(Arc::clone(if only_http1 { http1 } else { all }))
    }

    fn build(&self) -> Result<[Arc<ClientConfig>; 2], String> {
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
        let mut config = match &self.identities {
            None => builder.with_no_client_auth(),
            Some(identities) => {
                builder.with_client_cert_resolver(Arc::<Identities>::clone(identities))
            }
        };
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        let http1 = Arc::new(config.clone());
        config.alpn_protocols = match self.http2 {
            Http2::Never => vec![HTTP_1_1.to_vec()],
            Http2::Negotiated => vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()],
            Http2::Only => vec![HTTP_2.to_vec()],
        };
        Ok([Arc::new(config), http1])
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
