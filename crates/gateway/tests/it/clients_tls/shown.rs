//! Which certificate is shown, and which routes are reached.

use std::sync::Arc;

use bytes::Bytes;
use carnet_config::install::EntryPoint;
use carnet_config::install::entry_points::{ProxyProtocol, Redirection};
use carnet_config::routing::router::RouterTls;
use carnet_testkit::client;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Certificate, Encrypted, document, status};
use crate::stand::{Plan, Stand, Whoami};

#[tokio::test]
async fn the_certificate_of_the_name_is_shown_and_a_generated_one_for_others() {
    let whoami = Whoami::start();
    let (exact, wildcard) = (Certificate::of(&["a.test"]), Certificate::of(&["*.w.test"]));
    let tls = format!("tls:\n  certificates:\n{}{}", exact.yaml(), wildcard.yaml());
    let yaml = document(&whoami.url, &[("a", "Host(`a.test`)", "default")], &tls);
    let stand = Stand::new(&yaml).await;
    let shown = async |name: &str| {
        let connection = Encrypted::open(stand.address, name).await.unwrap();
        connection.certificate()
    };
    assert_eq!(shown("a.test").await, exact.der);
    assert_eq!(shown("A.TeSt").await, exact.der);
    assert_eq!(shown("x.w.test").await, wildcard.der);
    let other = shown("x.y.w.test").await;
    assert!(other != exact.der && other != wildcard.der);
    assert!(String::from_utf8_lossy(&other).contains("TRAEFIK DEFAULT CERT"));
}

#[tokio::test]
async fn routers_with_tls_and_without_never_see_each_others_requests() {
    let whoami = Whoami::start();
    let yaml = document(&whoami.url, &[("a", "Host(`a.test`)", "default")], "");
    let stand = Stand::new(&yaml).await;
    let mut encrypted = Encrypted::open(stand.address, "a.test").await.unwrap();
    let (status, text) = encrypted.get("a.test").await.unwrap();
    assert_eq!(status, 200);
    assert!(text.contains("X-Forwarded-Proto: https\r\n"), "{text}");
    assert!(text.contains("X-Forwarded-Port: 443\r\n"), "{text}");
    assert_eq!(encrypted.get("plain.test").await.unwrap().0, 404);
    assert_eq!(stand.get("plain.test", &[]).await.status, 200);
    assert_eq!(stand.get("a.test", &[]).await.status, 404);
}

// Holds H2-06.
#[tokio::test]
async fn a_request_that_says_it_is_not_encrypted_is_refused_where_it_is() {
    let whoami = Whoami::start();
    let yaml = document(&whoami.url, &[("a", "Host(`a.test`)", "default")], "");
    let stand = Stand::new(&yaml).await;
    for (scheme, expected) in [("https", 200), ("http", 400)] {
        let encrypted = Encrypted::open(stand.address, "a.test").await.unwrap();
        // Prior knowledge does as well as ALPN.
        let stream = TokioIo::new(encrypted.0);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::get(format!("{scheme}://a.test/"));
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), expected, "{scheme}");
    }
}

#[tokio::test]
async fn a_balancer_says_for_whom_it_speaks_before_the_handshake() {
    let whoami = Whoami::start();
    let yaml = document(&whoami.url, &[("a", "Host(`a.test`)", "default")], "");
    let mut plan = Plan::default();
    plan.entry_point.proxy_protocol = Some(ProxyProtocol {
        insecure: true,
        trusted_ips: vec![],
    });
    let stand = Stand::planned(plan, &yaml).await;
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    let header = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n";
    socket.write_all(header).await.unwrap();
    let mut encrypted = Encrypted::over(socket, "a.test", None).await.unwrap();
    let (status, text) = encrypted.get("a.test").await.unwrap();
    assert_eq!(status, 200);
    assert!(text.contains("X-Real-Ip: 192.0.2.7\r\n"), "{text}");
}

#[tokio::test]
async fn an_entry_points_tls_is_that_of_routers_that_say_nothing() {
    let whoami = Whoami::start();
    let mut entry_point = EntryPoint::at(":443");
    entry_point.tls = Some(RouterTls::default());
    let plan = Plan {
        entry_point,
        ..Plan::default()
    };
    let stand = Stand::planned(plan, &document(&whoami.url, &[], "")).await;
    assert_eq!(
        status(&stand, "plain.test", "plain.test", None).await,
        Some(200)
    );
    assert_eq!(stand.get("plain.test", &[]).await.status, 404);
}

#[tokio::test]
async fn a_name_without_certificate_is_refused_where_sni_is_strict() {
    let whoami = Whoami::start();
    let certificate = Certificate::of(&["a.test"]);
    let tls = format!(
        "tls:\n  options:\n    default: {{sniStrict: true}}\n  certificates:\n{}",
        certificate.yaml()
    );
    let yaml = document(&whoami.url, &[("a", "HostRegexp(`.*`)", "default")], &tls);
    let stand = Stand::new(&yaml).await;
    assert_eq!(status(&stand, "a.test", "a.test", None).await, Some(200));
    assert_eq!(status(&stand, "b.test", "b.test", None).await, None);
}

#[tokio::test]
async fn plain_requests_are_redirected_to_where_they_are_encrypted() {
    let whoami = Whoami::start();
    let mut entry_point = EntryPoint::at(":80");
    entry_point.redirection = Some(Redirection {
        to: ":8443".to_owned(),
        scheme: "https".to_owned(),
        permanent: true,
        priority: None,
    });
    let plan = Plan {
        entry_point,
        ..Plan::default()
    };
    let yaml = document(&whoami.url, &[("a", "Host(`plain.test`)", "default")], "");
    let stand = Stand::planned(plan, &yaml).await;
    for (request, status) in [
        ("GET /a?b HTTP/1.1\nHost: plain.test:80", 301),
        (
            "POST /a?b HTTP/1.1\nHost: plain.test\nContent-Length: 0",
            308,
        ),
    ] {
        let response = stand.ask(request).await;
        assert_eq!(response.status, status);
        let location = response.headers.only("location");
        assert_eq!(location, Some("https://plain.test:8443/a?b"));
    }
    let encrypted = self::status(&stand, "plain.test", "plain.test", None).await;
    assert_eq!(encrypted, Some(200));
}

#[tokio::test]
async fn a_client_that_speaks_neither_http_nor_tls_is_refused() {
    let stand = Stand::new("http: {}").await;
    let garbage = [22, 3, 1, 255, 255, 9];
    let answer = client::send(stand.address, &garbage).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(stand.get("x", &[]).await.status, 404, "the others go on");
}

/// The first message of a handshake.
fn hello() -> Vec<u8> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = "a.test".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

// Holds DO-02.
#[tokio::test(start_paused = true)]
async fn a_handshake_that_stops_is_let_go_wherever_it_stops() {
    let stand = Stand::new("http: {}").await;
    let hello = hello();
    for sent in [&hello[..1], &hello[..20], &hello[..]] {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let began = Instant::now();
        // What the server says of itself meanwhile, and whether it is closed or reset, is nobody's.
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert_eq!(began.elapsed().as_secs(), 10, "{} bytes", sent.len());
    }
}
