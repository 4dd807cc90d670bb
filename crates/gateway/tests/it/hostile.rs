//! Bytes of clients and backends that mean harm, and what exactly the other side receives.

use std::sync::{Arc, Mutex};

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stand::{Stand, routes};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A backend that keeps the bytes of each connection, and answers each read by the next of these.
struct Recorder {
    url: String,
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    async fn start(answers: &'static [&'static [u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let recorder = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            connections: Arc::default(),
        };
        let connections = Arc::clone(&recorder.connections);
        let answers = Arc::new(Mutex::new(answers.iter().cycle()));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (connections, answers) = (Arc::clone(&connections), Arc::clone(&answers));
                tokio::spawn(async move {
                    let index = {
                        let mut all = connections.lock().unwrap();
                        all.push(Vec::new());
                        all.len() - 1
                    };
                    let mut buffer = [0; 65536];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        let bytes = &buffer[..length];
                        connections.lock().unwrap()[index].extend_from_slice(bytes);
                        let answer = answers.lock().unwrap().next();
                        if stream.write_all(answer.unwrap()).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        recorder
    }

    /// What came over the first connection.
    fn text(&self) -> String {
        let connections = self.connections.lock().unwrap();
        String::from_utf8_lossy(&connections[0]).into_owned()
    }

    fn count(&self) -> usize {
        self.connections.lock().unwrap().len()
    }
}

/// Sends bytes, and gives all that comes until the gateway closes.
async fn exchange(stand: &Stand, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Expects that the gateway says 400 and closes, and that the backend sees nothing.
async fn refused(stand: &Stand, backend: &Server, bytes: &[u8]) {
    let answer = exchange(stand, bytes).await;
    let shown = String::from_utf8_lossy(bytes);
    assert!(answer.starts_with("HTTP/1.1 400"), "{shown:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{shown:?}: {answer}");
    assert_eq!(backend.count(), 0, "{shown:?}");
}

// Holds HT-13, HT-14.
#[tokio::test]
async fn control_characters_and_names_that_are_none_are_refused() {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let around = |inside: &[u8]| {
        let behind = b"\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
        [b"GET / HTTP/1.1\r\nHost: a\r\n", inside, behind].concat()
    };
    let controls = (0..0x20_u8).chain([0x7f]).filter(|byte| *byte != b'\t');
    for byte in controls {
        let value = [b"X: a", &[byte][..], b"b"].concat();
        refused(&stand, &backend, &around(&value)).await;
    }
    for field in [
        &b": x"[..],
        b"\xefoo: x",
        b"A B: x",
        b"A\0: x",
        b"A(: x",
        b"A,B: x",
        b"A/B: x",
        b"\"A\": x",
        b"no colon",
        b"Content-Length\t: 5",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: chunked\xa0",
        b"Transfer-Encoding: ,chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Content-Length: +5",
        b"Content-Length: 0x5",
        b"Content-Length: 5, 5",
        b"Content-Length: ",
        b"Content-Length: 18446744073709551616",
    ] {
        refused(&stand, &backend, &around(field)).await;
    }
}

// Holds HT-38.
#[tokio::test]
async fn odd_versions_and_methods_have_one_outcome_each() {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    for line in [
        "GET /",
        "GET / HTTP/0.9",
        "GET / HTTP/1.2",
        "GET / HTTP/2.0",
        "GET / HTTP/3.0",
        "GET / http/1.1",
        "GET / HTTP/1.1 ",
        "GET  / HTTP/1.1",
        "GET\t/ HTTP/1.1",
        "G(T / HTTP/1.1",
        " GET / HTTP/1.1",
    ] {
        let request = format!("{line}\r\nHost: a\r\n\r\n");
        refused(&stand, &backend, request.as_bytes()).await;
    }
    // Methods are what the backend makes of them, and their case counts.
    for method in ["get", "PURGE", "M-SEARCH"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = exchange(&stand, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{method}: {answer}");
        assert_eq!(backend.seen().pop().unwrap().method, method);
    }
}

// Holds HT-16, HT-21, HT-33.
#[tokio::test]
async fn a_backend_receives_exactly_these_bytes() {
    let backend = Recorder::start(&[OK]).await;
    let stand = Stand::new(&routes(&["Host(`x.test`)"], &backend.url)).await;
    let request = "POST http://x.test/a//b/../c%7e?q=1;r=2 HTTP/1.1\r\nHost: y.test\r\n\
        Connection: close, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\n\
        Proxy-Connection: x\r\nAccept-Encoding: br\r\nX-Kept:  a\tb  \r\nX-Kept: c\r\n\
        Content-Length: 5\r\n\r\nhello";
    let answer = exchange(&stand, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let text = backend.text();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    lines[1..].sort_unstable();
    let expected = [
        "POST /a/c~?q=1&r=2 HTTP/1.1",
        "Accept-Encoding: br",
        "Content-Length: 5",
        "Host: x.test",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: x.test",
        "X-Forwarded-Port: 80",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Server: gateway-host",
        "X-Kept: a\tb",
        "X-Kept: c",
        "X-Real-Ip: 127.0.0.1",
    ];
    assert_eq!(lines, expected);
    assert_eq!(body, "hello");
}

// Holds HT-20, CVE-2026-65600, CVE-2026-67309, CVE-2026-33494, CVE-2021-27306.
#[tokio::test]
async fn the_path_that_is_routed_is_the_path_that_is_sent_on() {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    // Nobody but the guard's route may lead to `/admin`.
    let yaml = routes(
        &["PathPrefix(`/`) && !PathPrefix(`/admin`)"],
        &backend.url(""),
    );
    let stand = Stand::new(&yaml).await;
    for path in [
        "/admin",
        "/admin/",
        "//admin",
        "///admin/x",
        "/./admin",
        "/pub/../admin",
        "/../admin",
        "/pub/%2e%2e/admin",
        "/pub/.%2e/admin",
        "/pub/%2E./admin",
        "/%61dmin",
        "/a%64min",
        "/%61%64%6D%69%6E",
        "/pub/..//admin",
        "/pub/./../admin",
        "/a/b/../../admin",
        "/a;/../admin",
        "/admin?x",
        "/admin%20",
        "/admin;x",
        "/admin.",
        "http://a/admin",
        "http://a//admin",
        "/pub//../admin",
        "/./././admin",
        "/pub/../../admin",
        "/%2e/admin",
        "/%2e%2e/admin",
        "/pub/%2e%2e//admin/",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = exchange(&stand, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    assert_eq!(backend.count(), 0);
    // What is another path for us is another one for the backend, too: nothing is decoded on the way.
    for path in [
        "/Admin",
        "/pub/..;/../admin",
        "/pub/..%2fadmin",
        "/pub%2f..%2fadmin",
        "/%2fadmin",
        "/%5cadmin",
        "/pub/..%5cadmin",
        "/%252e%252e/admin",
        "/%2561dmin",
        "/%c0%ae%c0%ae/admin",
        "/pub/..;/admin",
        "/.;/admin",
        "/pub/...//admin",
        "/%00/admin",
        "/\u{2025}/admin",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = exchange(&stand, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        let sent = backend.seen().pop().unwrap().target;
        assert!(
            !sent.starts_with("/admin") && !sent.contains("/../"),
            "{path}: {sent}"
        );
    }
}

// Holds HT-34.
#[tokio::test]
async fn answers_without_a_body_have_none_and_lengths_that_lie_mix_nothing() {
    // The body that follows is not what was asked for; it must not be anybody's answer.
    let evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";
    for (method, status) in [
        ("HEAD", "200 OK"),
        ("GET", "204 No Content"),
        ("GET", "304 Not Modified"),
    ] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\n").into_bytes();
        let answer: &'static [u8] = Box::leak([head, evil.to_vec()].concat().into_boxed_slice());
        let answers: &'static [&'static [u8]] = Box::leak(vec![answer, OK].into_boxed_slice());
        let backend = Recorder::start(answers).await;
        let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url)).await;
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let first = exchange(&stand, request.as_bytes()).await;
        assert!(first.starts_with(&format!("HTTP/1.1 {status}")), "{first}");
        assert!(first.ends_with("\r\n\r\n"), "{first}");
        let second = stand.ask("GET /2 HTTP/1.1\nHost: a").await;
        assert_eq!(second.text(), "ok", "{method} {status}");
        assert_eq!(backend.count(), 2);
    }
}

// Holds HT-29, HT-36.
#[tokio::test]
async fn what_a_backend_sends_unasked_reaches_nobody() {
    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\
        Content-Length: 4\r\n\r\nEVIL";
    let backend = Recorder::start(&[TWO]).await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url)).await;
    for asked in 1..=3 {
        let answer = stand.ask("GET / HTTP/1.1\nHost: a").await;
        assert_eq!(answer.text(), "ok");
        assert_eq!(backend.count(), asked);
    }
}

// Holds HT-36.
#[tokio::test]
async fn a_connection_that_gave_a_malformed_answer_is_not_used_again() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA B: x\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answers: &'static [&'static [u8]] = Box::leak(vec![answer, OK].into_boxed_slice());
        let backend = Recorder::start(answers).await;
        let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url)).await;
        let shown = String::from_utf8_lossy(answer);
        let first = stand.ask("GET / HTTP/1.1\nHost: a").await;
        assert_eq!(first.status, 502, "{shown}");
        assert_eq!(
            stand.ask("GET / HTTP/1.1\nHost: a").await.text(),
            "ok",
            "{shown}"
        );
        assert_eq!(backend.count(), 2, "{shown}");
    }
}

// Holds HT-37.
#[tokio::test]
async fn nothing_is_cached() {
    let backend =
        Server::start(|_| Answer::text(200, "ok").with("Cache-Control", "public, max-age=60"))
            .await
            .unwrap();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    for client in ["one", "two"] {
        let head = format!("GET /same HTTP/1.1\nHost: a\nAuthorization: Bearer {client}");
        assert_eq!(stand.ask(&head).await.status, 200);
    }
    assert_eq!(backend.count(), 2);
}

// Holds DO-06.
#[tokio::test]
async fn regular_expressions_take_linear_time() {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let rules = [
        "PathRegexp(`^/(a+)+$`)",
        "HostRegexp(`^([a-z]+)*!$`)",
        "QueryRegexp(`q`, `(x|x)*y`)",
    ];
    let stand = Stand::new(&routes(&rules, &backend.url(""))).await;
    let long = "a".repeat(30_000);
    let begun = tokio::time::Instant::now();
    let head = format!("GET /{long}! HTTP/1.1\nHost: {}\nX: y", "a".repeat(5000));
    assert_eq!(stand.ask(&head).await.status, 404);
    let head = format!("GET /?q={} HTTP/1.1\nHost: a", "x".repeat(30_000));
    assert_eq!(stand.ask(&head).await.status, 404);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    // One that would take too much memory is an error of its rule.
    let huge = stand.apply(&routes(
        &["PathRegexp(`(a{1000}){1000}`)"],
        &backend.url(""),
    ));
    assert!(!huge.is_empty());
}

// Holds DO-05.
#[tokio::test]
async fn many_parameters_of_one_request_cost_little() {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = Stand::new(&routes(&["Query(`wanted`, `1`)"], &backend.url(""))).await;
    let query: String = (0..8_000).map(|n| format!("{n:x}=1&")).collect();
    let begun = tokio::time::Instant::now();
    let head = format!("GET /?{query} HTTP/1.1\nHost: a");
    assert_eq!(stand.ask(&head).await.status, 404);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
