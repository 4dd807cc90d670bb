//! TLS towards clients: a client that shows what it is told to and takes what it is shown, and
//! certificates made for one test.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::stand::Stand;

mod bound;
mod guards;
mod options;
mod passed;
mod shown;

/// Accepts whatever it is shown, and lets the test look at it.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Who a client says it is.
type Shown = Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>;

/// An encrypted connection; the name is what is asked for in the handshake.
struct Encrypted(TlsStream<TcpStream>);

impl Encrypted {
    async fn open(address: SocketAddr, name: &str) -> io::Result<Self> {
        Self::of(address, name, None).await
    }

    async fn of(address: SocketAddr, name: &str, shown: Shown) -> io::Result<Self> {
        Self::over(TcpStream::connect(address).await?, name, shown).await
    }

    async fn over(stream: TcpStream, name: &str, shown: Shown) -> io::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything(provider)));
        let mut config = match shown {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self(connector.connect(name, stream).await?))
    }

    /// The certificate that was shown.
    fn certificate(&self) -> CertificateDer<'static> {
        let shown = self.0.get_ref().1.peer_certificates().unwrap();
        shown[0].clone().into_owned()
    }

    /// The status of the answer to a request for a host, and all that came with it. With TLS 1.3
    /// a refused certificate shows here first.
    async fn get(&mut self, host: &str) -> io::Result<(u16, String)> {
        self.ask(host, "").await
    }

    /// The same with more fields, each with its line end.
    async fn ask(&mut self, host: &str, fields: &str) -> io::Result<(u16, String)> {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n");
        self.0.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = self.0.read(&mut buffer).await?;
            answer.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                let head = head.to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1);
                let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
                length.is_some_and(|length: usize| body.len() >= length)
            });
            if whole || read == 0 {
                let status = text.get(9..12).and_then(|code| code.parse().ok());
                return Ok((status.unwrap_or_default(), text));
            }
        }
    }
}

/// The status of a request on a connection of its own; `None` when the handshake is refused.
async fn status(stand: &Stand, name: &str, host: &str, shown: Shown) -> Option<u16> {
    let mut connection = Encrypted::of(stand.address, name, shown).await.ok()?;
    let (status, _) = connection.get(host).await.ok()?;
    (status > 0).then_some(status)
}

/// A certificate for some names, as PEM and DER.
struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

impl Certificate {
    fn of(names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let pair = KeyPair::generate().unwrap();
        let made = CertificateParams::new(names).unwrap();
        let made = made.self_signed(&pair).unwrap();
        Self {
            der: made.der().clone(),
            pem: pem("CERTIFICATE", made.der()),
            key: pem("PRIVATE KEY", &pair.serialize_der()),
        }
    }

    /// An item of `tls.certificates`.
    fn yaml(&self) -> String {
        let indented = |text: &str| text.trim().replace('\n', "\n        ");
        format!(
            "    - certFile: |\n        {}\n      keyFile: |\n        {}\n",
            indented(&self.pem),
            indented(&self.key)
        )
    }
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// An authority and a client that it vouches for.
struct Clients {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Clients {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pair = KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, pair).unwrap(),
        }
    }

    fn client(&self) -> Shown {
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
        let issuer: &Issuer<'_, KeyPair> = &self.issuer;
        let made = params.signed_by(&pair, issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
        Some((vec![made.der().clone()], key))
    }

    /// A value of `clientAuth` that trusts the authority.
    fn yaml(&self, kind: &str) -> String {
        let authority = pem("CERTIFICATE", self.issuer.der());
        let authority = authority.trim().replace('\n', "\\n");
        format!("{{caFiles: [\"{authority}\"], clientAuthType: {kind}}}")
    }
}

/// Routers with TLS, each a name, a rule and its options, and a plain one for `plain.test`.
fn document(url: &str, routers: &[(&str, &str, &str)], tls: &str) -> String {
    let routers: String = routers
        .iter()
        .map(|(name, rule, options)| {
            format!(
                "    {name}: {{rule: \"{rule}\", service: whoami, tls: {{options: {options}}}}}\n"
            )
        })
        .collect();
    format!(
        "http:\n  routers:\n{routers}    \
         plain: {{rule: Host(`plain.test`), service: whoami}}\n  \
         services:\n    whoami: {{loadBalancer: {{servers: [{{url: \"{url}\"}}]}}}}\n{tls}"
    )
}
