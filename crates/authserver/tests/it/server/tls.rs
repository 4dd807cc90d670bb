//! The server over TLS, and who may do without it.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use carnet_authserver::{Authserver, Options, PortOptions, Ports, TlsOptions, store};
use carnet_testkit::{
    FixedClock, SeededRandom,
    certificates::{Certificate, FIRST, SECOND},
    client,
};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::server::{Room, serving::Served, tutorial};

/// What clients offer.
const BOTH: &[&[u8]] = &[b"h2", b"http/1.1"];
const HTTP1: &[&[u8]] = &[b"http/1.1"];

/// The settings of the tutorial, over TLS.
fn over_tls(pair: Certificate, proxies: &[&str]) -> Options {
    Options {
        ports: Ports {
            public: PortOptions {
                tls: Some(TlsOptions {
                    certificate: pair.certificate.to_owned(),
                    key: pair.key.into(),
                    allow_termination_from: proxies
                        .iter()
                        .map(|range| range.parse().unwrap())
                        .collect(),
                }),
                ..PortOptions::default()
            },
            ..Ports::default()
        },
        ..tutorial()
    }
}

/// A connection of a client that trusts one certificate.
async fn connect(
    address: SocketAddr,
    trusted: Certificate,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(trusted.certificate.as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("as.test").unwrap(), stream)
        .await
}

fn alive() -> http::Request<Empty<Bytes>> {
    let request = http::Request::get("/health/alive").header("host", "as.test");
    request.body(Empty::new()).unwrap()
}

#[tokio::test]
async fn both_versions_of_tls_speak_both_versions_of_http() {
    let served = Served::start(&Room::new(over_tls(FIRST, &[])).await);
    for (offered, version) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let begin = async |protocols: &'static [&[u8]]| {
            let stream = connect(served.public, FIRST, &[offered], protocols).await;
            let stream = stream.unwrap();
            let (_, connection) = stream.get_ref();
            assert_eq!(connection.protocol_version(), Some(version));
            let protocol = connection.alpn_protocol().map(<[u8]>::to_vec);
            (TokioIo::new(stream), protocol)
        };
        let (stream, protocol) = begin(BOTH).await;
        assert_eq!(protocol.as_deref(), Some(&b"h2"[..]));
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        assert_eq!(sender.send_request(alive()).await.unwrap().status(), 200);
        for (protocols, agreed) in [(HTTP1, true), (&[], false)] {
            let (stream, protocol) = begin(protocols).await;
            assert_eq!(protocol.is_some(), agreed);
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            assert_eq!(sender.send_request(alive()).await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_a_bad_one_for_none() {
    let room = Room::new(over_tls(FIRST, &[])).await;
    let served = Served::start(&room);
    let begin = async |trusted| connect(served.public, trusted, &[&TLS13], HTTP1).await;
    let stream = TokioIo::new(begin(FIRST).await.unwrap());
    let (mut open, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(open.send_request(alive()).await.unwrap().status(), 200);

    room.server.reload(over_tls(SECOND, &[])).unwrap();
    assert!(begin(FIRST).await.is_err());
    assert!(begin(SECOND).await.is_ok());
    open.ready().await.unwrap();
    assert_eq!(open.send_request(alive()).await.unwrap().status(), 200);

    for (certificate, key, sentence) in [
        (
            SECOND.certificate,
            FIRST.key,
            "serve.public.tls.cert and key cannot be used together: ",
        ),
        (
            SECOND.key,
            SECOND.key,
            "serve.public.tls.cert: holds no certificate",
        ),
        (
            SECOND.certificate,
            "canary",
            "serve.public.tls.key: holds no private key",
        ),
    ] {
        let bad = over_tls(Certificate { certificate, key }, &[]);
        let error = room.server.reload(bad).unwrap_err().to_string();
        assert!(error.starts_with(sentence), "{error}");
        assert!(begin(SECOND).await.is_ok());
    }
}

#[tokio::test]
async fn a_server_with_a_bad_certificate_does_not_start() {
    let bad = Certificate {
        key: SECOND.key,
        ..FIRST
    };
    let started = Authserver::new(
        over_tls(bad, &[]),
        store::open("memory").await.unwrap(),
        Arc::new(FixedClock::default()),
        Arc::new(SeededRandom::default()),
    );
    let error = started.await.unwrap_err().to_string();
    assert!(error.starts_with("serve.public.tls."), "{error}");
}

// Holds TE-02.
#[tokio::test]
async fn plain_http_is_for_probes_and_for_proxies_that_were_named() {
    let room = Room::new(over_tls(FIRST, &[])).await;
    let served = Served::start(&room);
    let post = json!({"token_endpoint_auth_method": "client_secret_post"});
    let id = room.create(post).await;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=traefiklabs");
    let ask = async |head: &str| {
        let request = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: as.test\r\nConnection: close\r\n{head}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        client::send(served.public, request.as_bytes())
            .await
            .unwrap()
    };
    let by_proxy = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 127.0.0.1\r\n";
    for (proxies, head, status) in [
        (&[][..], "", 502),
        (&[], by_proxy, 502),
        (&["10.0.0.0/8"], by_proxy, 502),
        (&["127.0.0.0/8"], "", 502),
        (&["127.0.0.0/8"], "X-Forwarded-Proto: http\r\n", 502),
        (&["10.0.0.0/8", "127.0.0.0/8"], by_proxy, 200),
    ] {
        room.server.reload(over_tls(FIRST, proxies)).unwrap();
        let answer = ask(head).await;
        assert_eq!(
            answer.status,
            status,
            "{proxies:?} {head}: {}",
            answer.text()
        );
        assert_eq!(answer.text().contains("access_token"), status == 200);
    }
    room.server.reload(over_tls(FIRST, &[])).unwrap();
    let probe = b"GET /health/alive/ HTTP/1.1\r\nHost: as.test\r\nConnection: close\r\n\r\n";
    let answer = client::send(served.public, probe).await.unwrap();
    assert_eq!(answer.status, 200);
}

// Holds DO-02.
#[tokio::test]
async fn a_handshake_that_stops_is_let_go() {
    let served = Served::start(&Room::new(over_tls(FIRST, &[])).await);
    let mut stream = TcpStream::connect(served.public).await.unwrap();
    tokio::time::pause();
    stream.write_all(&[0x16]).await.unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    // Whether it is closed or reset does not matter.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(began.elapsed().as_secs(), 10);
}
