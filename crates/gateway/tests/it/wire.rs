//! Requests as bytes: what is dangerous to read is refused, and the backend sees nothing.

use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stand::{Plan, Stand, Whoami, routes};

async fn backend() -> Server {
    Server::start(|_| Answer::text(200, "ok")).await.unwrap()
}

// Holds HT-01, HT-02, HT-04, HT-05, HT-09, HT-12, HT-15, HT-19, HT-38.
#[tokio::test]
async fn dangerous_requests_are_refused_and_the_backend_sees_nothing() {
    let backend = backend().await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    for head in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\nHost: a\r\n folded: x",
        "GET / HTTP/1.1\r\nHost: a\nX: y",
        "GET /a#b HTTP/1.1\r\nHost: a",
        "GET /%zz HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.1\r\nHost: a@b",
        "GET / HTTP/1.2\r\nHost: a",
        "GET / HTTP/2.0\r\nHost: a",
        "GET ftp://a/ HTTP/1.1\r\nHost: a",
    ] {
        let response = stand.send(&format!("{head}\r\n\r\n0\r\n\r\n")).await;
        assert_eq!(response.status, 400, "{head:?}");
        assert_eq!(backend.count(), 0, "{head:?}");
    }
    assert_eq!(stand.send("GET / HTTP/1.1\nHost: a\n\n").await.status, 400);
}

#[tokio::test]
async fn requests_in_one_write_are_answered_in_order() {
    let whoami = Whoami::start();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &whoami.url)).await;
    let first = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let second = "\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;x=y\r\nworld\r\n0\r\n\r\n";
    let third = "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = stand.send(&format!("{first}{second}{third}")).await;
    let text = response.text();
    let mut rest = text.as_str();
    for part in ["POST /1 ", "hello", "POST /2 ", "world", "GET /3 "] {
        let at = rest.find(part);
        rest = &rest[at.unwrap_or_else(|| panic!("{part} is missing in {text}"))..];
    }
}

#[tokio::test]
async fn a_smuggled_request_behind_a_sound_one_is_refused() {
    let backend = backend().await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let sound = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
    let bad = "GET /2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
    let response = stand.send(&format!("{sound}{bad}")).await;
    assert!(
        response.text().contains("HTTP/1.1 400"),
        "{}",
        response.text()
    );
    assert_eq!(backend.count(), 1);
}

// Holds HT-28.
#[tokio::test]
async fn what_is_left_of_an_unread_body_is_no_request() {
    let backend = backend().await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &backend.url(""))).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 10000000\r\n\r\n";
    let smuggled = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let _ = client.write_all(smuggled.repeat(1000).as_bytes()).await;
    let text = end_of(client).await;
    assert!(
        text.is_empty() || text.starts_with("HTTP/1.1 404"),
        "{text}"
    );
    assert_eq!(text.matches("HTTP/1.1").count(), text.len().min(1));
    assert_eq!(backend.count(), 0);
}

// Holds F13.
#[tokio::test]
async fn a_long_head_that_is_not_whole_takes_room_and_gets_503_where_there_is_none() {
    let backend = backend().await;
    let plan = Plan {
        memory: Some(6 * (64 << 10)),
        ..Plan::default()
    };
    let stand = Stand::planned(plan, &routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let part = format!(
        "GET /long HTTP/1.1\r\nHost: a\r\nX: {}",
        "x".repeat(12 << 10)
    );
    let mut first = TcpStream::connect(stand.address).await.unwrap();
    first.write_all(part.as_bytes()).await.unwrap();
    let mut second = TcpStream::connect(stand.address).await.unwrap();
    second.write_all(part.repeat(4).as_bytes()).await.unwrap();
    let text = end_of(second).await;
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
    assert!(text.contains("Connection: close"), "{text}");
    assert_eq!(backend.count(), 0);
    first
        .write_all(b"\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(end_of(first).await.starts_with("HTTP/1.1 200"));
    assert_eq!(backend.count(), 1);
}

async fn end_of(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text
}

// Holds DO-01.
#[tokio::test(start_paused = true)]
async fn slow_and_idle_connections_are_closed() {
    let backend = backend().await;
    let mut plan = Plan::default();
    plan.entry_point.transport.read_timeout = Duration::from_secs(60);
    plan.entry_point.transport.idle_timeout = Duration::from_secs(180);
    let stand = Stand::planned(plan, &routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let begun = tokio::time::Instant::now();

    let silent = TcpStream::connect(stand.address).await.unwrap();
    assert_eq!(end_of(silent).await, "");
    assert!(begun.elapsed() <= Duration::from_secs(61));

    let mut slow = TcpStream::connect(stand.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost").await.unwrap();
    assert_eq!(end_of(slow).await, "");
    assert!(begun.elapsed() <= Duration::from_secs(122));

    let mut idle = TcpStream::connect(stand.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(end_of(idle).await.starts_with("HTTP/1.1 200"));
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_secs(300), "{elapsed:?}");
}

// Holds F22.
#[tokio::test(start_paused = true)]
async fn a_connection_that_rests_serves_as_one_that_does_not() {
    let backend = backend().await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    // Else a part waits for an acknowledgement, which knows nothing of a clock that stands still.
    client.set_nodelay(true).unwrap();
    let (first, second) = ("GET / HTTP/1.1\r\nHost: a", "\r\n\r\n");
    for pause in [0, 1, 30] {
        for part in [first, second] {
            // Longer than it takes to rest, within a request and between two of them.
            tokio::time::sleep(Duration::from_secs(pause)).await;
            client.write_all(part.as_bytes()).await.unwrap();
        }
        let mut answer = [0; 12];
        let read = client.read_exact(&mut answer).await;
        assert!(read.is_ok(), "after {pause} s: {read:?}");
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut rest = Vec::new();
        while !rest.ends_with(b"ok") {
            rest.push(client.read_u8().await.unwrap());
        }
    }
    assert_eq!(backend.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_longer_than_the_write_timeout_is_cut() {
    let backend = Server::start(|_| Answer::Hang).await.unwrap();
    let mut plan = Plan::default();
    plan.entry_point.transport.write_timeout = Duration::from_secs(5);
    let mut routes = routes(&["PathPrefix(`/`)"], &backend.url(""));
    routes += "        serversTransport: slow\n  serversTransports:\n    slow:\n";
    routes += "      forwardingTimeouts:\n        responseHeaderTimeout: 10s\n";
    let stand = Stand::planned(plan, &routes).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(end_of(client).await, "");
}
