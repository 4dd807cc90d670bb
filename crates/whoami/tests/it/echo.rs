//! The WebSocket of `/echo`.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::server::{Server, ask, options, start};

/// A conversation with the application.
async fn connect(server: &Server) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    client_async(format!("ws://{}/echo", server.address), stream)
        .await
        .unwrap()
        .0
}

#[tokio::test]
async fn messages_come_back() {
    let server = start(options());
    let mut socket = connect(&server).await;
    for message in [
        Message::text("hello"),
        Message::binary(vec![0, 1, 255]),
        Message::text("x".repeat(100_000)),
    ] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket
        .send(Message::Ping(Bytes::from_static(b"p")))
        .await
        .unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Pong(Bytes::from_static(b"p"))
    );
    socket.close(None).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
}

#[tokio::test]
async fn an_open_conversation_does_not_hold_up_the_end() {
    let mut server = start(options());
    let mut socket = connect(&server).await;
    socket.send(Message::text("hello")).await.unwrap();
    socket.next().await.unwrap().unwrap();
    server.shutdown.cancel();
    (&mut server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_for_something_else_is_refused() {
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (method, headers) in [
        ("GET", String::new()),
        ("POST", handshake.to_owned()),
        ("GET", handshake.replace("13", "8")),
        (
            "GET",
            handshake.replace("Connection: Upgrade", "Connection: close"),
        ),
        ("GET", handshake.replace("Sec-WebSocket-Key", "X-Key")),
    ] {
        let answer = ask(&format!(
            "{method} /echo HTTP/1.1\r\nHost: a\r\n{headers}\r\n"
        ))
        .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (400, "Bad Request\n"),
            "{headers}"
        );
        assert!(
            answer.has("Sec-Websocket-Version: 13"),
            "{:?}",
            answer.headers
        );
    }
}
