//! TLS towards upstreams: whom to trust and who we are.

use std::sync::{Arc, OnceLock};

use carnet_config::routing::tls::Spoken;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};

use super::identities::Identities;
use super::{Http2, verifier};
use crate::pem;
use crate::tls::spoken;

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
    /// A URI that the certificate must have. With `insecure_skip_verify` it must be signed by an
    /// authority all the same, for whatever host.
    pub peer_uri: Option<String>,
    /// Versions and cipher suites.
    pub spoken: Spoken,
    /// PEM bundles trusted instead of the system's.
    pub root_cas: Vec<String>,
    /// Beside them, what the system trusts.
    pub adds_system_roots: bool,
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
            false => {
                let mut roots = pem::authorities(bundles)?;
                if tls.adds_system_roots {
                    roots.extend(native_roots().roots);
                }
                Some(Arc::new(roots))
            }
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
        let provider = Arc::new(spoken::provider(&self.tls.spoken));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&spoken::versions(&self.tls.spoken))
            .map_err(|error| format!("these TLS options allow no connection: {error}"))?;
        let roots = || match &self.roots {
            Some(roots) => Arc::clone(roots),
            None => Arc::new(native_roots()),
        };
        let builder = match (self.tls.insecure_skip_verify, &self.tls.peer_uri) {
            (false, None) => builder.with_root_certificates(roots()),
            (true, None) => builder
                .dangerous()
                .with_custom_certificate_verifier(verifier::of_any_certificate(provider)),
            (is_any_host, Some(uri)) => {
                let verifier = verifier::of_uri(uri, is_any_host, (roots(), provider))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
            }
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
