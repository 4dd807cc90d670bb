//! Bodies that come after somebody has refused them: the answer arrives, and the next request with it
//! wherever the connection can be kept.

use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stand::Stand;

/// What refuses a request before its body, and with which status.
const REFUSING: [(&str, u16); 6] = [
    (
        "{basicAuth: {users: ['a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=']}}",
        401,
    ),
    ("{ipAllowList: {sourceRange: [10.0.0.0/8]}}", 403),
    ("{inFlightReq: {amount: 0}}", 429),
    ("{redirectScheme: {scheme: https}}", 307),
    ("{buffering: {maxRequestBodyBytes: 2}}", 413),
    ("{forwardAuth: {address: 'http://127.0.0.1:1'}}", 500),
];

struct Scene {
    client: TcpStream,
    backend: Server,
    _stand: Stand,
}

impl Scene {
    /// A connection to a gateway that refuses what is not below `/open`.
    async fn refusing(middleware: &str) -> Self {
        let backend = Server::start(|_| Answer::text(200, "open")).await.unwrap();
        let yaml = format!(
            "http:\n  routers:\n    open: {{rule: PathPrefix(`/open`), service: s}}\n    \
             closed: {{rule: PathPrefix(`/`), service: s, middlewares: [m]}}\n  middlewares:\n    \
             m: {middleware}\n  services:\n    \
             s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n",
            backend.url("")
        );
        let stand = Stand::new(&yaml).await;
        let client = TcpStream::connect(stand.address).await.unwrap();
        Self {
            client,
            backend,
            _stand: stand,
        }
    }

    async fn write(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next answer, which says its length.
    async fn answer(&mut self) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            text.push(self.client.read_u8().await.unwrap());
        }
        let head = String::from_utf8(text).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.client.read_exact(&mut body).await.unwrap();
        head
    }
}

// Holds HT-28, F26.
#[tokio::test]
async fn a_small_body_that_comes_late_costs_the_client_no_connection() {
    for (middleware, status) in REFUSING {
        let mut scene = Scene::refusing(middleware).await;
        scene
            .write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 38\r\n\r\n")
            .await;
        let refusal = scene.answer().await;
        assert!(
            refusal.starts_with(&format!("HTTP/1.1 {status} ")),
            "{middleware}: {refusal}"
        );
        assert!(
            !refusal.contains("Connection: close"),
            "{middleware}: {refusal}"
        );
        // A body that looks like a request is none.
        scene
            .write("GET /open/smuggled HTTP/1.1\r\nHost: a\r\n")
            .await;
        scene.write("GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(
            scene.answer().await.starts_with("HTTP/1.1 200 "),
            "{middleware}"
        );
        assert_eq!(scene.backend.count(), 1, "{middleware}");
    }
}

#[tokio::test]
async fn chunks_that_are_there_already_cost_no_connection_either() {
    for (middleware, status) in REFUSING {
        let mut scene = Scene::refusing(middleware).await;
        let post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        scene.write(post).await;
        let refusal = scene.answer().await;
        assert!(
            refusal.starts_with(&format!("HTTP/1.1 {status} ")),
            "{middleware}: {refusal}"
        );
        assert!(
            !refusal.contains("Connection: close"),
            "{middleware}: {refusal}"
        );
        scene.write("GET /open HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(
            scene.answer().await.starts_with("HTTP/1.1 200 "),
            "{middleware}"
        );
    }
}

#[tokio::test]
async fn a_body_that_nobody_waits_for_ends_the_connection_behind_a_whole_answer() {
    let piece = "x".repeat(1 << 16);
    let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
    for (framing, sent) in [
        ("Content-Length: 10000000", piece.as_str()),
        ("Transfer-Encoding: chunked", &chunk),
    ] {
        for (middleware, status) in REFUSING {
            let mut scene = Scene::refusing(middleware).await;
            scene
                .write(&format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"))
                .await;
            // More than fits into the sockets: somebody reads it.
            let sending = async {
                for _ in 0..150 {
                    scene.write(sent).await;
                }
            };
            let sent = tokio::time::timeout(Duration::from_secs(20), sending).await;
            assert!(sent.is_ok(), "{middleware}");
            let mut text = String::new();
            let read = scene.client.read_to_string(&mut text).await;
            assert!(read.is_ok(), "{middleware}: {read:?}");
            assert!(
                text.starts_with(&format!("HTTP/1.1 {status} ")),
                "{middleware}: {text}"
            );
            assert!(
                text.contains("\r\nConnection: close\r\n"),
                "{middleware}: {text}"
            );
            assert_eq!(scene.backend.count(), 0);
        }
    }
}

// Holds DO-01.
#[tokio::test(start_paused = true)]
async fn nobody_reads_for_ever_behind_an_answer() {
    let (middleware, _) = REFUSING[0];
    for (length, until) in [(5, 5..6), (10_000_000, 0..1)] {
        let mut scene = Scene::refusing(middleware).await;
        let begun = tokio::time::Instant::now();
        scene
            .write(&format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
            ))
            .await;
        let mut text = String::new();
        scene.client.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 401 "), "{text}");
        assert!(
            until.contains(&begun.elapsed().as_secs()),
            "{length}: {:?}",
            begun.elapsed()
        );
        // Whoever goes on is let go some seconds later; the kernel tells him by a clock of its own.
        while scene.client.write_all(b"x").await.is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(500_000), "{length}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
