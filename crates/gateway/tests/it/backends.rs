//! What is spoken with backends: HTTP/2 where a handshake chooses it, HTTP/1.1 over Unix sockets,
//! the client certificate that a server's authorities have issued.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use carnet_config::routing::ServersTransport;
use carnet_config::routing::tls::Certificate;
use futures_util::future::join_all;
use http::Version;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_rustls::TlsAcceptor;

use crate::clients_tls::pem;
use crate::stand::{Stand, routes};
use crate::tls::{SERVER, SERVER_KEY, through};

/// A server with TLS, and what it was asked.
struct Encrypted {
    url: String,
    connections: Arc<AtomicUsize>,
    /// Version and host, or `:authority`, of each request.
    seen: Arc<Mutex<Vec<(Version, String)>>>,
}

impl Encrypted {
    /// A server that offers these protocols; `asks`: only to clients of this authority.
    async fn start(protocols: &[&str], asks: Option<CertificateDer<'static>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("https://{}", listener.local_addr().unwrap()),
            connections: Arc::default(),
            seen: Arc::default(),
        };
        let mut config = config(asks);
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (connections, seen) = (Arc::clone(&server.connections), Arc::clone(&server.seen));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(acceptor.clone(), socket, Arc::clone(&seen)));
            }
        });
        server
    }

    fn versions(&self) -> Vec<Version> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(version, _)| *version).collect()
    }
}

fn config(asks: Option<CertificateDer<'static>>) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match asks {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let certificate = CertificateDer::from_pem_slice(SERVER.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    builder.with_single_cert(vec![certificate], key).unwrap()
}

/// Answers with the common name of the client's certificate, if it has shown one; agrees to
/// upgrades and says `tunnel` then.
async fn serve(acceptor: TlsAcceptor, socket: TcpStream, seen: Arc<Mutex<Vec<(Version, String)>>>) {
    let Ok(stream) = acceptor.accept(socket).await else {
        return;
    };
    let shown = stream.get_ref().1.peer_certificates();
    let shown = shown.map(|chain| String::from_utf8_lossy(&chain[0]).into_owned());
    let service = service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        let host = request
            .headers()
            .get("host")
            .map(|host| host.to_str().unwrap());
        let host = host.or_else(|| request.uri().authority().map(|host| host.as_str()));
        let noted = (request.version(), host.unwrap_or_default().to_owned());
        seen.lock().unwrap().push(noted);
        let text = shown.clone().unwrap_or_else(|| "ok".to_owned());
        let mut response = http::Response::new(Full::new(Bytes::from(text)));
        if request.headers().contains_key("upgrade") {
            *response.body_mut() = Full::default();
            *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
            let headers = response.headers_mut();
            headers.insert("connection", "upgrade".parse().unwrap());
            headers.insert("upgrade", "x".parse().unwrap());
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut tunnel = TokioIo::new(upgrade.await.unwrap());
                tunnel.write_all(b"tunnel").await.unwrap();
                tunnel.shutdown().await.unwrap();
            });
        }
        async move { Ok::<_, Infallible>(response) }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let _ = connection.await;
}

fn trusting() -> ServersTransport {
    ServersTransport {
        root_cas: vec![SERVER.to_owned().into()],
        ..ServersTransport::default()
    }
}

async fn stand(url: &str, transport: ServersTransport) -> Stand {
    let stand = Stand::new("http: {}").await;
    stand.gateway.apply(&through(url, transport));
    stand
}

#[tokio::test]
async fn a_server_that_chooses_http2_gets_all_requests_over_one_connection() {
    let server = Encrypted::start(&["h2", "http/1.1"], None).await;
    let stand = stand(&server.url, trusting()).await;
    let asked = (0..20).map(|_| stand.get("a", &[]));
    for response in join_all(asked).await {
        assert_eq!((response.status, response.text().as_str()), (200, "ok"));
    }
    assert_eq!(server.versions(), [Version::HTTP_2; 20]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert!(
        server
            .seen
            .lock()
            .unwrap()
            .iter()
            .all(|(_, host)| host == "a")
    );
}

#[tokio::test]
async fn a_server_that_does_not_is_asked_over_http1() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Encrypted::start(protocols, None).await;
        let stand = stand(&server.url, trusting()).await;
        for _ in 0..3 {
            assert_eq!(stand.get("a", &[]).await.text(), "ok");
        }
        assert_eq!(server.versions(), [Version::HTTP_11; 3]);
        assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn disable_http2_leaves_http1() {
    let server = Encrypted::start(&["h2", "http/1.1"], None).await;
    let transport = ServersTransport {
        disable_http2: true,
        ..trusting()
    };
    let stand = stand(&server.url, transport).await;
    assert_eq!(stand.get("a", &[]).await.text(), "ok");
    assert_eq!(server.versions(), [Version::HTTP_11]);
}

#[tokio::test]
async fn another_protocol_begins_in_http1_beside_http2() {
    let server = Encrypted::start(&["h2", "http/1.1"], None).await;
    let stand = stand(&server.url, trusting()).await;
    assert_eq!(stand.get("a", &[]).await.text(), "ok");
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntunnel"), "{answer}");
    assert_eq!(server.versions(), [Version::HTTP_2, Version::HTTP_11]);
}

/// An authority, and a client certificate that it has issued to this name.
fn issued(authority: &str, name: &str) -> (CertificateDer<'static>, Certificate) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, authority);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let pair = Certificate {
        cert: pem("CERTIFICATE", certificate.der()).into(),
        key: pem("PRIVATE KEY", &key.serialize_der()).into(),
    };
    (issuer.der().clone(), pair)
}

#[tokio::test]
async fn of_several_client_certificates_the_fitting_one_is_shown() {
    let (first, second) = (
        issued("one", "client-of-one"),
        issued("two", "client-of-two"),
    );
    let (third, _) = issued("three", "nobody");
    for (authority, status, shown) in [
        (first.0, 200, "client-of-one"),
        (second.0, 200, "client-of-two"),
        (third, 502, ""),
    ] {
        let server = Encrypted::start(&["http/1.1"], Some(authority)).await;
        let transport = ServersTransport {
            certificates: vec![first.1.clone(), second.1.clone()],
            ..trusting()
        };
        let response = stand(&server.url, transport).await.get("a", &[]).await;
        assert_eq!(response.status, status);
        assert!(response.text().contains(shown), "{}", response.text());
    }
}

#[tokio::test]
async fn a_unix_socket_is_a_backend() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("the app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let served = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async move {
                let host = request.headers()["host"].to_str().unwrap();
                let text = format!("{host} {}", request.uri());
                Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(text))))
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                let _ = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let url = format!("unix://{}", path.display());
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    assert_eq!(stand.get("a.test", &[]).await.text(), "a.test /");
    let unnamed = stand.send("GET /x?y HTTP/1.0\r\n\r\n").await;
    assert_eq!(unnamed.text(), "localhost /x?y");
    assert_eq!(connections.load(Ordering::SeqCst), 1);

    served.abort();
    let _ = served.await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    assert_eq!(stand.get("a.test", &[]).await.status, 502);
}
