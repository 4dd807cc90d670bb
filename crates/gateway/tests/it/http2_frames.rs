//! HTTP/2 that no honest client sends, frame by frame. What is refused reaches no backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, Outcome, PING,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame,
};
use crate::messages::at_rest;
use crate::stand::{Stand, routes};

const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "http"),
    (":authority", "a"),
    (":path", "/"),
];

async fn stand() -> (Stand, Server) {
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    (stand, backend)
}

/// What becomes of a request with these fields.
async fn outcome(stand: &Stand, fields: &[(&str, &str)]) -> Outcome {
    let mut frames = Frames::connect(stand.address).await;
    frames.request(1, fields).await;
    frames.outcome(1).await
}

/// The sound request, with one field replaced or added.
fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut fields = GET.to_vec();
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some(field) => field.1 = value,
        None => fields.push((name, value)),
    }
    fields
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    let fields = GET.into_iter();
    fields.filter(|(known, _)| *known != name).collect()
}

// Holds H2-02.
#[tokio::test]
async fn names_and_values_that_http1_could_misread_are_refused() {
    let (stand, backend) = stand().await;
    assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
    for (name, value) in [
        ("X-Upper", "1"),
        ("x\r\ny", "1"),
        ("x y", "1"),
        ("x:y", "1"),
        ("", "1"),
        ("x\0", "1"),
        ("x-a", "1\r\nx-b: 2"),
        ("x-a", "1\nx-b: 2"),
        ("x-a", "1\r2"),
        ("x-a", "1\x002"),
        ("x-a", "\x01"),
        ("x-a", "\x7f"),
        (":path", "/a\r\nx-b: 2"),
        (":path", "/a b"),
        (":path", "/a HTTP/1.1"),
        (":method", "GET / HTTP/1.1\r\nx: "),
        (":method", "G ET"),
        (":authority", "a\r\nx-b: 2"),
        (":authority", "a b"),
        (":unknown", "1"),
    ] {
        let outcome = outcome(&stand, &with(name, value)).await;
        assert!(outcome.is_refusal(), "{name:?}: {value:?}: {outcome:?}");
    }
    assert_eq!(backend.count(), 1);
}

// Holds H2-03.
#[tokio::test]
async fn fields_of_a_connection_are_refused() {
    let (stand, backend) = stand().await;
    for (name, value) in [
        ("connection", "close"),
        ("connection", "x-real-ip"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
    ] {
        let outcome = outcome(&stand, &with(name, value)).await;
        assert!(outcome.is_refusal(), "{name}: {outcome:?}");
    }
    assert_eq!(backend.count(), 0);
    let outcome = outcome(&stand, &with("te", "trailers")).await;
    assert_eq!(outcome, Outcome::Status(200));
}

// Holds H2-04.
#[tokio::test]
async fn authority_and_host_agree() {
    let (stand, backend) = stand().await;
    for fields in [
        with("host", "b"),
        without(":authority"),
        with(":authority", "u:p@a"),
        with(":authority", "a/b"),
        with(":authority", ""),
        [GET.to_vec(), vec![("host", "a"), ("host", "a")]].concat(),
        [GET.to_vec(), vec![(":authority", "a")]].concat(),
    ] {
        let outcome = outcome(&stand, &fields).await;
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }
    assert_eq!(backend.count(), 0);
    let host_alone = [without(":authority"), vec![("host", "a")]].concat();
    for fields in [with("host", "a"), host_alone] {
        assert_eq!(outcome(&stand, &fields).await, Outcome::Status(200));
    }
}

// Holds H2-05.
#[tokio::test]
async fn the_length_is_that_of_the_data() {
    let (stand, backend) = stand().await;
    for (length, data) in [
        ("5", "four"),
        ("5", "sixsix"),
        ("x", "1"),
        ("-1", ""),
        ("+4", "four"),
    ] {
        let mut frames = Frames::connect(stand.address).await;
        let fields = [with(":method", "POST"), vec![("content-length", length)]].concat();
        frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
        frames.send(DATA, END_STREAM, 1, data.as_bytes()).await;
        let outcome = frames.outcome(1).await;
        assert!(outcome.is_refusal(), "{length}: {outcome:?}");
    }
    for lengths in [&["5"][..], &["0", "5"], &["5", "5", "6"]] {
        let lengths = lengths.iter().map(|length| ("content-length", *length));
        let fields = GET.into_iter().chain(lengths).collect::<Vec<_>>();
        let outcome = outcome(&stand, &fields).await;
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }
    // A body that breaks off may have reached the backend, and cut there: never as a whole one.
    assert!(backend.seen().iter().all(|request| request.body.is_empty()));
}

// Holds H2-06, HT-18, HT-19.
#[tokio::test]
async fn paths_begin_with_a_slash_and_schemes_are_of_http() {
    let (stand, backend) = stand().await;
    for fields in [
        with(":path", ""),
        with(":path", "admin"),
        with(":path", "http://x/"),
        with(":path", "*"),
        with(":scheme", "ftp"),
        without(":path"),
        without(":scheme"),
        without(":method"),
        [GET.to_vec(), vec![(":path", "/b")]].concat(),
    ] {
        let outcome = outcome(&stand, &fields).await;
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }
    assert_eq!(backend.count(), 0);
}

// Holds H2-07, HT-17.
#[tokio::test]
async fn connect_and_its_extension_are_off() {
    let (stand, backend) = stand().await;
    let mut frames = Frames::connect(stand.address).await;
    let settings = frames.next().await.unwrap();
    assert_eq!(settings.kind, SETTINGS);
    // SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3).
    let mut entries = settings.payload.chunks(6);
    assert!(entries.all(|entry| entry[..2] != [0, 8] || entry[5] == 0));

    let websocket = [with(":method", "CONNECT"), vec![(":protocol", "websocket")]].concat();
    let plain = vec![(":method", "CONNECT"), (":authority", "a:443")];
    for fields in [websocket, plain] {
        let mut frames = Frames::connect(stand.address).await;
        frames.send(HEADERS, END_HEADERS, 1, &block(&fields)).await;
        let smuggled = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
        frames.send(DATA, END_STREAM, 1, smuggled).await;
        let outcome = frames.outcome(1).await;
        assert!(outcome.is_refusal(), "{fields:?}: {outcome:?}");
    }
    assert_eq!(backend.count(), 0);
}

/// How many bytes go out before the gateway closes; `None`: it took all of them.
async fn flood(frames: &mut Frames, bytes: &[u8], rounds: usize) -> Option<usize> {
    for round in 0..rounds {
        if !frames.raw(bytes).await {
            return Some(round * bytes.len());
        }
    }
    None
}

/// Whether the gateway ends the connection, within five seconds.
async fn is_gone(frames: &mut Frames) -> bool {
    let ended = async {
        while let Some(frame) = frames.next().await {
            if frame.kind == GOAWAY && frame.payload[4..8] != [0; 4] {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), ended)
        .await
        .is_ok()
}

// Holds H2-08.
#[tokio::test]
async fn streams_that_are_opened_to_be_reset_end_the_connection() {
    let (stand, _backend) = stand().await;
    let mut frames = Frames::connect(stand.address).await;
    let request = block(&GET);
    let mut is_closed = false;
    for index in 0..2000_u32 {
        let stream = 2 * index + 1;
        let mut pair = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request);
        pair.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        if !frames.raw(&pair).await {
            is_closed = true;
            break;
        }
    }
    assert!(is_closed || is_gone(&mut frames).await);
    // Others do not notice.
    assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
}

// Holds H2-09.
#[tokio::test]
async fn resets_that_a_client_provokes_end_the_connection_too() {
    let (stand, _backend) = stand().await;
    let request = block(&GET);
    // Each of these is an error of its stream alone (RFC 9113 sections 6.9 and 5.1).
    let no_increment = frame(8, 0, 0, &[0, 0, 0, 0]);
    let overflow = frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]);
    let late_data = frame(DATA, 0, 0, b"x");
    for provocation in [no_increment, overflow, late_data] {
        let mut frames = Frames::connect(stand.address).await;
        let mut is_closed = false;
        for index in 0..3000_u32 {
            let stream = 2 * index + 1;
            let mut pair = frame(HEADERS, END_HEADERS | END_STREAM, stream, &request);
            pair.extend_from_slice(&provocation[..5]);
            pair.extend_from_slice(&stream.to_be_bytes());
            pair.extend_from_slice(&provocation[9..]);
            if !frames.raw(&pair).await {
                is_closed = true;
                break;
            }
        }
        assert!(is_closed || is_gone(&mut frames).await);
        assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
    }
}

// Holds H2-10.
#[tokio::test]
async fn an_endless_header_block_ends_the_connection() {
    let (stand, backend) = stand().await;
    let mut frames = Frames::connect(stand.address).await;
    frames.send(HEADERS, END_STREAM, 1, &block(&GET)).await;
    let long = "v".repeat(8000);
    let part = frame(CONTINUATION, 0, 1, &block(&[("x-long", &long)]));
    let taken = flood(&mut frames, &part, 10_000).await;
    assert!(taken.is_some_and(|bytes| bytes < 40 << 20), "{taken:?}");
    assert_eq!(backend.count(), 0);
}

// Holds H2-11.
#[tokio::test]
async fn floods_of_empty_and_control_frames_are_answered_or_ended_and_nobody_else_notices() {
    let (stand, _backend) = stand().await;
    for part in [
        frame(DATA, 0, 1, &[]),
        frame(SETTINGS, 0, 0, &[]),
        frame(6, 0, 0, &[0; 8]),
        frame(2, 0, 1, &[0, 0, 0, 3, 1]),
        frame(8, 0, 0, &[0, 0, 0, 1]),
    ] {
        let mut frames = Frames::connect(stand.address).await;
        let post = block(&with(":method", "POST"));
        frames.send(HEADERS, END_HEADERS, 1, &post).await;
        // What is answered is not read: the answers must not pile up without end either.
        let many = part.repeat(1000);
        let sent = flood(&mut frames, &many, 1000);
        let sent = tokio::time::timeout(Duration::from_secs(1), sent);
        let _ = sent.await;
        assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
    }
}

/// Bytes that connections hold on both sides, whoever reads or does not.
const BUFFERS: usize = 12 << 20;

// Holds H2-12.
#[tokio::test]
async fn who_does_not_read_what_is_to_be_answered_is_not_read_either() {
    let (stand, _backend) = stand().await;
    for answered in [frame(SETTINGS, 0, 0, &[]), frame(PING, 0, 0, &[0; 8])] {
        let mut frames = Frames::narrow(stand.address).await;
        let many = answered.repeat(1000);
        let mut sent = 0;
        let flood = async {
            while frames.raw(&many).await {
                sent += many.len();
            }
        };
        // Ended, or no longer listened to: then nothing more goes out.
        let flooding = tokio::time::timeout(Duration::from_secs(3), flood);
        let is_ended = flooding.await.is_ok();
        assert!(is_ended || sent < BUFFERS, "{sent} bytes were taken");
        assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
    }
}

// Holds H2-12.
#[tokio::test]
async fn a_block_that_unfolds_into_more_than_a_head_may_have_reaches_no_backend() {
    let (stand, backend) = stand().await;
    let mut frames = Frames::connect(stand.address).await;
    // A field of 3,900 bytes that goes into the table, then a byte for each time it is meant
    // (RFC 7541 sections 6.2.1 and 6.1): 60 MB in a frame.
    let mut bomb = block(&GET);
    let mut field = block(&[("x", &"v".repeat(3900))]);
    field[0] = 0x40;
    bomb.extend(field);
    bomb.extend([0xbe; 12_000]);
    let end = END_HEADERS | END_STREAM;
    frames.send(HEADERS, end, 1, &bomb).await;
    let outcome_of_bomb = frames.outcome(1).await;
    assert!(outcome_of_bomb.is_refusal(), "{outcome_of_bomb:?}");
    assert_eq!(backend.count(), 0);
    assert_eq!(outcome(&stand, &GET).await, Outcome::Status(200));
}

// Holds H2-12.
#[tokio::test]
async fn answers_that_are_taken_byte_by_byte_are_not_fetched_ahead() {
    let (url, sent) = endless_backend().await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    let mut frames = Frames::connect(stand.address).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of one byte (RFC 9113 section 6.5.2).
    frames.send(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]).await;
    const STREAMS: u32 = 50;
    for index in 0..STREAMS {
        frames.request(2 * index + 1, &GET).await;
    }
    let mut answered = 0;
    while answered < STREAMS {
        let frame = frames.next().await.unwrap();
        if frame.kind == HEADERS {
            answered += 1;
            for _ in 0..20 {
                let one = [0, 0, 0, 1];
                frames.send(WINDOW_UPDATE, 0, frame.stream, &one).await;
            }
        }
    }
    let held = at_rest(&sent).await;
    let each = held / usize::try_from(STREAMS).unwrap();
    assert!(each < 6 << 20, "{each} bytes were fetched for each stream");
}

/// A backend whose answers have no end, and how much of them it was let send.
async fn endless_backend() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
                stream.write_all(head).await?;
                loop {
                    stream.write_all(&[b'x'; 4096]).await?;
                    count.fetch_add(4096, Ordering::SeqCst);
                }
                #[expect(unreachable_code, reason = "the type of the errors")]
                std::io::Result::Ok(())
            });
        }
    });
    (url, sent)
}
