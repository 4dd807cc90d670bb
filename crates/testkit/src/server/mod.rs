//! An HTTP/1.1 server on a port of its own that answers as it is told, well or badly, and
//! remembers what it was asked. Written over bytes: an HTTP library would refuse to misbehave.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificate;

mod answer;
mod request;

pub use answer::Answer;
pub use request::Request;

/// Answers a request. Runs on the server's task: it must not block.
pub type Respond = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server that ends when it is dropped.
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    respond: Box<Respond>,
    seen: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
    is_held: watch::Sender<bool>,
}

impl Server {
    /// Starts on the loopback interface.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::listen(Box::new(respond), None).await
    }

    /// The same over TLS, with this certificate.
    ///
    /// # Errors
    /// When no port can be bound, or the certificate cannot be shown.
    pub async fn over_tls(
        certificate: Certificate,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let acceptor = acceptor(certificate).map_err(io::Error::other)?;
        Self::listen(Box::new(respond), Some(acceptor)).await
    }

    async fn listen(respond: Box<Respond>, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            respond,
            seen: Mutex::default(),
            count: watch::Sender::new(0),
            is_held: watch::Sender::new(false),
        });
        let scheme = match tls {
            Some(_) => "https",
            None => "http",
        };
        let task = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Ok(Self {
            scheme,
            address,
            shared,
            task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        self.shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How often it was asked.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// Waits until it was asked that often.
    pub async fn asked(&self, count: usize) {
        let mut receiver = self.shared.count.subscribe();
        // The sender lives as long as this server.
        drop(receiver.wait_for(|seen| *seen >= count).await);
    }

    /// Keeps all answers back until [`Server::release`].
    pub fn hold(&self) {
        self.shared.is_held.send_replace(true);
    }

    /// Lets the answers go that were held back.
    pub fn release(&self) {
        self.shared.is_held.send_replace(false);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(pair: Certificate) -> Result<TlsAcceptor, Box<dyn std::error::Error + Send + Sync>> {
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, shared).await,
                        Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, shared).await;
                        },
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers the requests of one connection until an answer or the client ends it.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    loop {
        let request = loop {
            if let Some((request, length)) = Request::parse(&buffer) {
                buffer.drain(..length);
                break request;
            }
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let answer = shared.answer(request);
        let mut held = shared.is_held.subscribe();
        drop(held.wait_for(|is_held| !is_held).await);
        match answer.bytes() {
            Some(bytes) => {
                let is_sent =
                    stream.write_all(&bytes).await.is_ok() && stream.flush().await.is_ok();
                if !is_sent || answer.ends_connection() {
                    return;
                }
            }
            None => pending().await,
        }
    }
}

impl Shared {
    fn answer(&self, request: Request) -> Answer {
        let answer = (self.respond)(&request);
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        self.count.send_modify(|count| *count += 1);
        answer
    }
}
