//! Switching protocols.

use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stand::{Stand, routes};

const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Reads a head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_websocket_becomes_a_tunnel_of_any_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let backend = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = head(&mut stream).await;
        let accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\0first";
        stream.write_all(accepted.as_bytes()).await.unwrap();
        let mut bytes = [0; 8];
        stream.read_exact(&mut bytes).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        request
    });
    let stand = Stand::new(&routes(&["Path(`/chat`)"], &url)).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(
        answer
            .to_lowercase()
            .contains("sec-websocket-accept: s3pplmbi"),
        "{answer}"
    );
    let mut first = [0; 6];
    client.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"\0first");
    client.write_all(b"\n\r#\0\xff\r\n\r").await.unwrap();
    let mut echo = [0; 8];
    client.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"\n\r#\0\xff\r\n\r");
    let mut end = Vec::new();
    assert_eq!(client.read_to_end(&mut end).await.unwrap(), 0);
    let request = backend.await.unwrap();
    assert!(request.contains("X-Forwarded-Proto: ws\r\n"), "{request}");
    assert!(request.contains("Upgrade: websocket\r\n"), "{request}");
}

// Holds WS-01.
#[tokio::test(start_paused = true)]
async fn a_websocket_that_is_silent_for_hours_stays_and_closes_with_its_own_code() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        let accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\n\r\n";
        stream.write_all(accepted).await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    let stand = Stand::new(&routes(&["Path(`/chat`)"], &url)).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101"));
    // Ping, text, and a close with the code 4001, masked by zeros (RFC 6455 section 5.2).
    for frame in [
        &b"\x89\x80\0\0\0\0"[..],
        b"\x81\x82\0\0\0\0hi",
        b"\x88\x82\0\0\0\0\x0f\xa1",
    ] {
        tokio::time::advance(Duration::from_secs(3 * 3600)).await;
        client.write_all(frame).await.unwrap();
        let mut echo = vec![0; frame.len()];
        client.read_exact(&mut echo).await.unwrap();
        assert_eq!(echo, frame);
    }
}

// Holds HT-26.
#[tokio::test]
async fn what_follows_a_refused_upgrade_is_a_request_like_any_other() {
    let backend = Server::start(|_| Answer::text(200, "no")).await.unwrap();
    let stand = Stand::new(&routes(&["Path(`/chat`)"], &backend.url(""))).await;
    let second = "GET /admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = stand.send(&format!("{HANDSHAKE}{second}")).await;
    assert_eq!(response.status, 200);
    assert!(
        response.text().contains("HTTP/1.1 404"),
        "{}",
        response.text()
    );
    assert_eq!(backend.count(), 1);
}

// Holds HT-27.
#[tokio::test]
async fn an_upgrade_to_http2_is_not_forwarded() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    let head = "GET / HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__";
    stand.ask(head).await;
    let seen = backend.seen().remove(0).headers;
    for gone in ["Upgrade", "HTTP2-Settings", "Connection"] {
        assert!(seen.all(gone).is_empty(), "{gone}");
    }
}
