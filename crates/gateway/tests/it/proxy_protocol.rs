//! Balancers in front of the gateway that say for whom they speak.

use carnet_config::install::entry_points::ProxyProtocol;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stand::{Plan, Stand, routes};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const V1: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 80\r\n";
/// Version 2, a stream over IPv6 from `[2001:db8::7]:40000`, with an extension of three bytes.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2a\
    \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
    \x9c\x40\0\x50\x05\0\x03abc";
/// Version 2 for itself, as a probe.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn plan(trusted: &str) -> Plan {
    let mut plan = Plan::default();
    plan.entry_point.proxy_protocol = Some(ProxyProtocol {
        insecure: false,
        trusted_ips: vec![trusted.parse().unwrap()],
    });
    plan
}

async fn stand(trusted: &str) -> (Stand, Server) {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = Stand::planned(plan(trusted), &routes(&["Host(`a`)"], &backend.url(""))).await;
    (stand, backend)
}

/// Sends in these pieces, and gives what came back.
async fn answer(stand: &Stand, pieces: &[&[u8]]) -> String {
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    for piece in pieces {
        // The gateway may have closed already.
        let _ = socket.write_all(piece).await;
        tokio::task::yield_now().await;
    }
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_trusted_balancer_says_who_the_client_is() {
    let (stand, backend) = stand("127.0.0.1/32").await;
    for (header, client) in [
        (V1, "192.0.2.7"),
        (V2, "2001:db8::7"),
        (LOCAL, "127.0.0.1"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (b"PROXY TCP6 ::ffff:192.0.2.8 ::1 1 2\r\n", "192.0.2.8"),
        (b"", "127.0.0.1"),
    ] {
        let text = answer(&stand, &[&[header, REQUEST].concat()]).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{client}: {text}");
        let seen = backend.seen().pop().unwrap().headers;
        assert_eq!(seen.only("X-Real-Ip"), Some(client));
        assert_eq!(seen.only("X-Forwarded-For"), Some(client));
    }
}

#[tokio::test]
async fn a_header_may_come_byte_by_byte_and_so_may_a_request_without_one() {
    let (stand, backend) = stand("127.0.0.1/32").await;
    for (header, client) in [(V1, "192.0.2.7"), (V2, "2001:db8::7"), (b"", "127.0.0.1")] {
        let put = b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let bytes = [header, put].concat();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        let text = answer(&stand, &pieces).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{client}: {text}");
        let seen = backend.seen().pop().unwrap().headers;
        assert_eq!(seen.only("X-Real-Ip"), Some(client));
    }
}

// Holds HI-09.
#[tokio::test]
async fn a_stranger_that_writes_the_header_gets_nowhere() {
    let (stand, backend) = stand("192.0.2.1/32").await;
    for header in [V1, V2, LOCAL] {
        let text = answer(&stand, &[&[header, REQUEST].concat()]).await;
        assert!(
            text.is_empty() || text.starts_with("HTTP/1.1 400"),
            "{text}"
        );
    }
    assert_eq!(backend.count(), 0);
    let text = answer(&stand, &[REQUEST]).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[tokio::test]
async fn a_malformed_header_ends_the_connection_without_a_word() {
    let (stand, backend) = stand("127.0.0.1/32").await;
    let endless = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat();
    let long = [&LOCAL[..14], &[0xff, 0xff], &[0; 9000]].concat();
    for header in [
        &b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 99999\r\n"[..],
        b"PROXY TCP4 not.an.address 198.51.100.1 1 2\r\n",
        b"PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rX",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0",
        // Datagrams do not come over a connection.
        b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xc0\0\x02\x07\xc0\0\x02\x08\0\x01\0\x02",
        &endless,
        &long,
    ] {
        let text = answer(&stand, &[&[header, REQUEST].concat()]).await;
        assert_eq!(text, "", "{}", String::from_utf8_lossy(header));
    }
    assert_eq!(backend.count(), 0);
}

// Holds DO-01.
#[tokio::test(start_paused = true)]
async fn a_header_that_does_not_end_is_waited_for_as_long_as_for_a_request() {
    let (stand, _backend) = stand("127.0.0.1/32").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(answer(&stand, &[b"PROXY TCP4 192."]).await, "");
    assert_eq!(begun.elapsed().as_secs(), 60);
}
