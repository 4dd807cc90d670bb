//! What went wrong in middlewares of others, one test an advisory or a family of them. More stand where
//! the rest of their middleware is tested; `docs/security.md` lists all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use carnet_config::install::EntryPoint;
use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Guarded, document, seen};
use crate::stand::{Plan, Stand, Whoami};

/// What a proxy says of a caller, and a service may decide by.
const FORWARDED: [&str; 11] = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Real-Ip",
];

/// A gateway before a service that says yes. Callers may speak for proxies where they are trusted.
async fn asked(options: &str, trusts_callers: bool) -> (Stand, Server, Whoami) {
    let yes = |_: &Request| Answer::text(200, "");
    let (service, backend) = (Server::start(yes).await.unwrap(), Whoami::start());
    let mut plan = Plan {
        entry_point: EntryPoint::at(":80"),
        ..Plan::default()
    };
    plan.entry_point.forwarded_headers.insecure = trusts_callers;
    let ask = format!(
        "{{forwardAuth: {{address: '{}'{options}}}}}",
        service.url("/auth")
    );
    let stand = Stand::planned(plan, &document(&[&ask], &backend.url)).await;
    (stand, service, backend)
}

/// The whole family, in every spelling that a server makes one of. Traefik rebuilt some of it, and
/// forgot `Port`, `Prefix`, and `X_Forwarded_Proto`.
// Holds CVE-2026-39858, CVE-2026-35051, CVE-2026-54764.
#[tokio::test]
async fn a_service_that_shall_not_trust_gets_nothing_that_a_caller_says_of_proxies() {
    let (stand, service, _backend) = asked(", trustForwardHeader: false", true).await;
    let mut head = "GET /a HTTP/1.1\nHost: a.test".to_owned();
    for name in FORWARDED {
        for mark in ["-", "_", "."] {
            head += &format!("\n{}: CANARY", name.replace('-', mark));
        }
    }
    assert_eq!(stand.ask(&head).await.status, 200);
    let question = service.seen().pop().unwrap();
    let headers = format!("{:?}", question.headers);
    assert!(!headers.contains("CANARY"), "{headers}");
    assert_eq!(question.headers.only("x-forwarded-uri"), Some("/a"));
}

/// Programs that answer such questions let requests pass by what these fields say: a path that needs
/// no login, a scheme, an address.
// Holds CVE-2026-40575, CVE-2025-64484, CVE-2026-34457, CVE-2025-54576.
#[tokio::test]
async fn the_service_is_told_the_path_that_is_asked_for_and_no_other() {
    let (stand, service, _backend) = asked("", false).await;
    for (forged, name) in [
        ("X-Forwarded-Uri: /open", "x-forwarded-uri"),
        ("X_Forwarded_Uri: /open", "x_forwarded_uri"),
        ("x.forwarded.uri: /open", "x.forwarded.uri"),
        ("X-Forwarded-Method: OPTIONS", "x-forwarded-method"),
        ("X-Forwarded-Host: open.test", "x-forwarded-host"),
        ("X_Forwarded_For: 10.0.0.1", "x_forwarded_for"),
    ] {
        let head = format!("GET /guarded?q=/open HTTP/1.1\nHost: a.test\n{forged}");
        assert_eq!(stand.ask(&head).await.status, 200);
        let question = service.seen().pop().unwrap();
        let (_, value) = forged.split_once(": ").unwrap();
        assert_ne!(question.headers.only(name), Some(value), "{forged}");
        let uri = question.headers.only("x-forwarded-uri");
        assert_eq!(uri, Some("/guarded?q=/open"), "{forged}");
    }
}

/// Traefik read an answer of any size into memory.
// Holds CVE-2026-26998.
#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = socket.write_all(head).await;
            let piece = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
            while socket.write_all(piece.as_bytes()).await.is_ok() {
                counter.fetch_add(1 << 16, Ordering::SeqCst);
            }
        }
    });
    for (limit, status) in [("", 200), (", maxResponseBodySize: 1000", 401)] {
        let ask = format!("{{forwardAuth: {{address: 'http://{address}'{limit}}}}}");
        let response = Guarded::by(&[&ask]).await;
        assert_eq!(response.status("").await, status, "{limit}");
    }
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken < 32 << 20, "{taken} bytes");
}

/// APISIX made two headers of one.
// Holds CVE-2026-31908.
#[tokio::test]
async fn a_header_of_the_service_stays_one_header() {
    for value in [
        "a\rX-Admin: 1",
        "a\nX-Admin: 1",
        "a\0X-Admin: 1",
        "a\r\n X-Admin: 1",
    ] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nX-Auth-User: {value}\r\nContent-Length: 0\r\n\r\n");
        let service = Server::start(move |_| Answer::Bytes(answer.clone().into_bytes()));
        let service = service.await.unwrap();
        let ask = format!(
            "{{forwardAuth: {{address: '{}', authResponseHeaders: [X-Auth-User]}}}}",
            service.url("/")
        );
        let gateway = Guarded::by(&[&ask]).await;
        let response = gateway.ask("GET / HTTP/1.1\nHost: a.test").await;
        assert_eq!(seen(&response, "X-Admin"), None, "{value:?}");
    }
}

/// What a middleware has set is no longer the caller's to remove.
// Holds CVE-2024-45410, CVE-2026-29054.
#[tokio::test]
async fn connection_removes_no_field_that_a_middleware_has_set() {
    let service = Server::start(|_| Answer::text(200, "").with("X-Set", "ours"));
    let service = service.await.unwrap();
    let ask = format!(
        "{{forwardAuth: {{address: '{}', authResponseHeaders: [X-Set]}}}}",
        service.url("/")
    );
    for (options, field) in [
        ("{headers: {customRequestHeaders: {X-Set: ours}}}", "X-Set"),
        (
            "{basicAuth: {users: ['user:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M='], headerField: X-Set}}",
            "X-Set",
        ),
        (&ask, "X-Set"),
        ("{stripPrefix: {prefixes: [/a]}}", "X-Forwarded-Prefix"),
        ("{replacePath: {path: /b}}", "X-Replaced-Path"),
    ] {
        let gateway = Guarded::by(&[options]).await;
        for listed in [
            format!("Connection: close, {field}"),
            format!("connection: {}", field.to_lowercase()),
            format!("CONNECTION: keep-alive , \t{}\t ", field.to_uppercase()),
            format!("Connection: close\nConnection: {field}"),
        ] {
            // user:test
            let head = format!(
                "GET /a/c HTTP/1.1\nHost: a.test\nAuthorization: Basic dXNlcjp0ZXN0\n{listed}"
            );
            let response = gateway.ask(&head).await;
            let value = seen(&response, field);
            assert!(
                value.is_some_and(|value| !value.is_empty()),
                "{options}: {listed}"
            );
        }
    }
}
