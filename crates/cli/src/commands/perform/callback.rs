//! Where a browser comes back to: a port of this machine, for one answer at a time.

use std::sync::Arc;
use std::time::Duration;

use carnet_oauth::form;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::output::Failure;

/// A longer head is no browser's.
const LONGEST: usize = 16 * 1024;

/// A browser says what it wants within so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The parameters of an answer.
pub(super) type Parameters = Vec<(String, String)>;

/// The port that browsers come back to.
pub(super) struct Callback {
    listener: TcpListener,
    /// Where they come by https.
    tls: Option<TlsAcceptor>,
}

impl Callback {
    /// Over https with a certificate that nobody has signed.
    pub(super) fn open(listener: std::net::TcpListener, is_https: bool) -> Result<Self, Failure> {
        listener.set_nonblocking(true).map_err(unusable)?;
        Ok(Self {
            listener: TcpListener::from_std(listener).map_err(unusable)?,
            tls: match is_https {
                true => Some(acceptor().map_err(unusable)?),
                false => None,
            },
        })
    }

    /// Waits for the browser: at `/` it is sent to `begin`, at `/callback` it brings the answer.
    pub(super) async fn answer(&self, begin: &str) -> Result<Parameters, Failure> {
        loop {
            let (stream, _) = self.listener.accept().await.map_err(unusable)?;
            let visit = async {
                match &self.tls {
                    None => visit(stream, begin).await,
                    Some(tls) => visit(tls.accept(stream).await.ok()?, begin).await,
                }
            };
            // Browsers open connections that they never use: nobody waits for those.
            if let Ok(Some(parameters)) = tokio::time::timeout(PATIENCE, visit).await {
                return Ok(parameters);
            }
        }
    }
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the callback port cannot be used: {error}"))
}

fn acceptor() -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let certificate = CertificateParams::new(names)?.self_signed(&key)?;
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// One connection of a browser, and the answer if it brings one.
async fn visit(mut stream: impl AsyncRead + AsyncWrite + Unpin, begin: &str) -> Option<Parameters> {
    let target = target(&mut stream).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    match path {
        "/" => {
            let head = format!("302 Found\r\nLocation: {begin}");
            respond(&mut stream, &head, "").await;
        }
        "/callback" => {
            let text = "You can close this window and go back to the command line.\n";
            respond(&mut stream, "200 OK\r\nContent-Type: text/plain", text).await;
            return Some(form::parse(query.as_bytes()));
        }
        _ => respond(&mut stream, "404 Not Found", "").await,
    }
    None
}

/// What a request names.
async fn target(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    (words.next() == Some("GET")).then_some(())?;
    words.next().map(str::to_owned)
}

/// Answers; a browser that has gone is no failure.
async fn respond(stream: &mut (impl AsyncWrite + Unpin), head: &str, text: &str) {
    let length = text.len();
    let answer =
        format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    drop(stream.write_all(answer.as_bytes()).await);
    drop(stream.shutdown().await);
}
