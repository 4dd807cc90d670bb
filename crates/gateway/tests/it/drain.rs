//! The end of a gateway.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::install::Ping;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::stand::{Plan, Stand, routes};

// Holds OP-10.
#[tokio::test(start_paused = true)]
async fn a_request_in_flight_is_finished_and_no_other_begins() {
    let backend = Server::start(|_| Answer::text(200, "done")).await.unwrap();
    let stand = Arc::new(Stand::new(&routes(&["Host(`a`)"], &backend.url(""))).await);
    let mut idle = TcpStream::connect(stand.address).await.unwrap();
    backend.hold();
    let in_flight = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.get("a", &[]).await }
    });
    backend.asked(1).await;
    stand.shutdown.cancel();
    // An idle connection is closed a second later, while the request goes on.
    let left = Instant::now();
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(left.elapsed() < Duration::from_secs(2));
    assert!(stand.gateway.readiness().is_draining());
    backend.release();
    assert_eq!(in_flight.await.unwrap().text(), "done");
    let stand = Arc::into_inner(stand).unwrap();
    stand.served.await.unwrap();
    assert!(TcpStream::connect(stand.address).await.is_err());
}

#[tokio::test]
async fn while_new_requests_are_still_accepted_ping_says_that_the_end_is_near() {
    let mut plan = Plan {
        ping: Some(Ping {
            entry_point: "web".to_owned(),
            ..Ping::default()
        }),
        ..Plan::default()
    };
    plan.entry_point.transport.request_accept_grace_timeout = Duration::from_secs(3600);
    let stand = Stand::planned(plan, "http: {}").await;
    assert_eq!(stand.ask("GET /ping HTTP/1.1\nHost: a").await.status, 200);
    stand.shutdown.cancel();
    // The announcement is a task of its own.
    while !stand.gateway.readiness().is_draining() {
        tokio::task::yield_now().await;
    }
    for (path, status) in [
        ("/ping", 503),
        ("/readyz", 503),
        ("/livez", 200),
        ("/", 404),
    ] {
        let response = stand.ask(&format!("GET {path} HTTP/1.1\nHost: a")).await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_grace_is_cut() {
    let backend = Server::start(|_| Answer::Hang).await.unwrap();
    let mut plan = Plan::default();
    plan.entry_point.transport.grace_timeout = Duration::from_secs(10);
    let stand = Stand::planned(plan, &routes(&["Host(`a`)"], &backend.url(""))).await;
    let address = stand.address;
    let in_flight =
        tokio::spawn(async move { carnet_testkit::client::get(address, "a", &[]).await });
    backend.asked(1).await;
    stand.shutdown.cancel();
    stand.served.await.unwrap();
    assert!(in_flight.await.unwrap().is_err());
}

/// Reads until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_request_that_was_on_its_way_is_answered_on_connections_old_and_new() {
    let stand = Stand::new("http: {}").await;
    let mut kept = TcpStream::connect(stand.address).await.unwrap();
    let mut fresh = TcpStream::connect(stand.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    kept.write_all(request).await.unwrap();
    let mut first = [0; 12];
    kept.read_exact(&mut first).await.unwrap();
    // Until the gateway has taken the second one, too.
    stand.get("a", &[]).await;
    stand.shutdown.cancel();
    while TcpStream::connect(stand.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    for client in [&mut kept, &mut fresh] {
        client.write_all(request).await.unwrap();
        let answer = rest(client).await;
        assert!(answer.contains("HTTP/1.1 404"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    stand.served.await.unwrap();
}

#[tokio::test]
async fn an_http2_connection_is_told_to_go_away_at_once() {
    /// Preface and empty SETTINGS.
    const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const GOAWAY: u8 = 7;
    let stand = Stand::new("http: {}").await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    client.write_all(BEGIN).await.unwrap();
    let mut kinds = Vec::new();
    let mut head = [0; 9];
    while client.read_exact(&mut head).await.is_ok() {
        let length = u64::from(u32::from_be_bytes([0, head[0], head[1], head[2]]));
        let mut payload = Vec::new();
        (&mut client)
            .take(length)
            .read_to_end(&mut payload)
            .await
            .unwrap();
        kinds.push(head[3]);
        stand.shutdown.cancel();
        // A PING is answered: what it asked for has arrived.
        if head[3] == 6 && head[4] == 0 {
            let answer = [&[0, 0, 8, 6, 1, 0, 0, 0, 0], payload.as_slice()].concat();
            client.write_all(&answer).await.unwrap();
        }
    }
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
    stand.served.await.unwrap();
}

// Holds WS-01.
#[tokio::test]
async fn a_websocket_is_closed_with_a_frame_that_its_server_sees_answered() {
    const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let backend = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let accepted = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\n\r\n\x81\x02hi";
        stream.write_all(accepted).await.unwrap();
        let mut seen = Vec::new();
        stream.read_to_end(&mut seen).await.unwrap();
        seen
    });
    let stand = Stand::new(&routes(&["Path(`/chat`)"], &url)).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    let handshake = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\n\r\n";
    client.write_all(handshake).await.unwrap();
    let mut got = Vec::new();
    while !got.ends_with(b"\x02hi") {
        got.push(client.read_u8().await.unwrap());
    }
    stand.shutdown.cancel();
    let mut frame = [0; 4];
    client.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame, GOING_AWAY);
    // The answer of a client is masked; it is the server's to see.
    let answer = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9];
    client.write_all(&answer).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(backend.await.unwrap(), answer);
    stand.served.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_left_at_once_and_nobody_is_told_of_an_end() {
    let mut plan = Plan::default();
    plan.entry_point.transport.request_accept_grace_timeout = Duration::from_secs(3600);
    let stand = Stand::planned(plan, "http: {}").await;
    let begun = Instant::now();
    stand.gateway.hand_over();
    stand.served.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(!stand.gateway.readiness().is_draining());
    assert!(TcpStream::connect(stand.address).await.is_err());
}
