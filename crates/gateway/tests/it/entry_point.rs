//! Options of an entry point that concern its connections.

use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::frames::{Frames, GOAWAY, HEADERS, Outcome, SETTINGS};
use crate::stand::{Plan, Stand, routes};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const FIELDS: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "a"),
    (":path", "/"),
];

async fn stand(plan: Plan) -> (Stand, Server) {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = Stand::planned(plan, &routes(&["Host(`a`)"], &backend.url(""))).await;
    (stand, backend)
}

/// Sends a request and reads the answer, which has a body of two bytes.
async fn answer(socket: &mut TcpStream) -> String {
    socket.write_all(REQUEST).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\nok") {
        bytes.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_connection_ends_after_as_many_requests_as_it_may_carry() {
    let mut plan = Plan::default();
    plan.entry_point.transport.keep_alive_max_requests = 3;
    let (stand, backend) = stand(plan).await;
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    for _ in 0..2 {
        let text = answer(&mut socket).await;
        assert!(!text.contains("Connection: close"), "{text}");
    }
    let text = answer(&mut socket).await;
    assert!(text.contains("Connection: close"), "{text}");
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(backend.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_old_ends_with_its_next_answer() {
    let mut plan = Plan::default();
    plan.entry_point.transport.keep_alive_max_time = Duration::from_secs(30);
    let (stand, _backend) = stand(plan).await;
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    let text = answer(&mut socket).await;
    assert!(!text.contains("Connection: close"), "{text}");
    tokio::time::advance(Duration::from_secs(31)).await;
    let text = answer(&mut socket).await;
    assert!(text.contains("Connection: close"), "{text}");
}

#[tokio::test]
async fn over_http2_the_end_is_announced_and_what_runs_is_finished() {
    let mut plan = Plan::default();
    plan.entry_point.transport.keep_alive_max_requests = 2;
    let (stand, _backend) = stand(plan).await;
    let mut frames = Frames::connect(stand.address).await;
    frames.request(1, &FIELDS).await;
    assert_eq!(frames.outcome(1).await, Outcome::Status(200));
    frames.request(3, &FIELDS).await;
    let (mut is_announced, mut is_answered) = (false, false);
    while let Some(frame) = frames.next().await {
        is_announced |= frame.kind == GOAWAY && frame.payload[4..8] == [0; 4];
        is_answered |= frame.kind == HEADERS && frame.stream == 3;
        if frame.kind == 6 && frame.flags == 0 {
            // The end comes when it is certain that the announcement has arrived.
            frames.send(6, 1, 0, &frame.payload).await;
        }
    }
    assert!(is_announced && is_answered);
}

#[tokio::test]
async fn a_connection_of_http2_may_have_as_many_streams_as_configured() {
    let mut plan = Plan::default();
    plan.entry_point.max_concurrent_streams = 7;
    let (stand, _backend) = stand(plan).await;
    let mut frames = Frames::connect(stand.address).await;
    let settings = frames.next().await.unwrap();
    assert_eq!(settings.kind, SETTINGS);
    // SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 section 6.5.2).
    let entries: Vec<_> = settings.payload.chunks(6).collect();
    assert!(entries.contains(&&[0, 3, 0, 0, 0, 7][..]), "{entries:?}");
}
