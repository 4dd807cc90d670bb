//! `compress`.

use async_compression::tokio::write::GzipDecoder;
use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::server::{Answer, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{chunks, document};
use crate::stand::Stand;

/// A backend that answers as the target says: `/json?2000`, with more fields after commas.
fn told(request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or_default();
    let mut parts = query.split(',');
    let size = parts.next().unwrap_or_default().parse().unwrap_or(0);
    let mut answer = Answer::Response {
        status: if path == "/part" { 206 } else { 200 },
        headers: Vec::new(),
        body: vec![b'x'; size],
    };
    if path != "/none" {
        answer = answer.with("Content-Type", &format!("application{path}; charset=x"));
    }
    for field in parts {
        let (name, value) = field.split_once('=').unwrap();
        answer = answer.with(name, value);
    }
    answer
}

struct Packing {
    stand: Stand,
    _backend: Server,
}

impl Packing {
    async fn with(options: &str) -> Self {
        let backend = Server::start(told).await.unwrap();
        let yaml = document(&[&format!("{{compress: {options}}}")], &backend.url(""));
        Self {
            stand: Stand::new(&yaml).await,
            _backend: backend,
        }
    }

    async fn get(&self, target: &str, fields: &str) -> Response {
        let head = format!("GET {target} HTTP/1.1\nHost: a.test{fields}");
        self.stand.ask(&head).await
    }
}

const GZIP: &str = "\nAccept-Encoding: gzip";

async fn unpacked(response: &Response) -> Vec<u8> {
    let mut decoder = GzipDecoder::new(Vec::new());
    let packed = chunks(&mut response.body.clone()).concat();
    decoder.write_all(&packed).await.unwrap();
    decoder.shutdown().await.unwrap();
    decoder.into_inner()
}

#[tokio::test]
async fn an_answer_is_packed_as_the_client_likes_it() {
    let gateway = Packing::with("{}").await;
    for (accept, coding) in [
        ("gzip, br, zstd", Some("gzip")),
        ("br, zstd;q=0.5", Some("br")),
        ("zstd", Some("zstd")),
        ("identity", None),
        ("deflate", None),
    ] {
        let fields = format!("\nAccept-Encoding: {accept}");
        let response = gateway
            .get("/json?5000,Vary=Origin,Accept-Ranges=bytes", &fields)
            .await;
        assert_eq!(
            response.headers.only("content-encoding"),
            coding,
            "{accept}"
        );
        match coding {
            Some(_) => {
                assert!(response.body.len() < 1000, "{accept}");
                assert_eq!(response.headers.all("vary"), ["Accept-Encoding", "Origin"]);
                assert_eq!(response.headers.only("accept-ranges"), None);
            }
            None => {
                assert_eq!(response.body, [b'x'; 5000]);
                assert_eq!(response.headers.all("vary"), ["Origin"]);
            }
        }
    }
    let response = gateway.get("/json?5000", GZIP).await;
    assert_eq!(unpacked(&response).await, [b'x'; 5000]);
    // Who says nothing gets what is the default.
    let response = gateway.get("/json?5000", "").await;
    assert_eq!(response.headers.only("content-encoding"), None);
    let gateway = Packing::with("{encodings: [zstd, gzip], defaultEncoding: gzip}").await;
    let response = gateway.get("/json?5000", "").await;
    assert_eq!(response.headers.only("content-encoding"), Some("gzip"));
    let response = gateway
        .get("/json?5000", "\nAccept-Encoding: gzip, zstd, br")
        .await;
    assert_eq!(response.headers.only("content-encoding"), Some("zstd"));
}

#[tokio::test]
async fn what_is_packed_already_or_not_worth_it_stays_as_it_is() {
    for (options, target, fields, is_packed) in [
        ("{}", "/json?1024", "", true),
        ("{}", "/json?1023", "", false),
        ("{}", "/json?0", "", false),
        ("{minResponseBodyBytes: 10}", "/json?10", "", true),
        ("{}", "/none?2000", "", true),
        ("{}", "/part?2000", "", false),
        (
            "{}",
            "/json?2000,Content-Range=bytes 0-1999/9999",
            "",
            false,
        ),
        ("{}", "/json?2000,Content-Encoding=br", "", false),
        ("{}", "/json?2000,Cache-Control=no-transform", "", false),
        ("{}", "/grpc?2000", "", false),
        (
            "{}",
            "/json?2000",
            "\nContent-Type: application/grpc",
            false,
        ),
        (
            "{excludedContentTypes: [application/json]}",
            "/json?2000",
            "",
            false,
        ),
        (
            "{excludedContentTypes: [application/json]}",
            "/xml?2000",
            "",
            true,
        ),
        (
            "{excludedContentTypes: [text/event-stream]}",
            "/json?2000",
            "\nContent-Type: Text/Event-Stream",
            false,
        ),
        (
            "{includedContentTypes: [application/json]}",
            "/json?2000",
            "",
            true,
        ),
        (
            "{includedContentTypes: [application/json]}",
            "/xml?2000",
            "",
            false,
        ),
        (
            "{includedContentTypes: [application/json]}",
            "/none?2000",
            "",
            false,
        ),
    ] {
        let gateway = Packing::with(options).await;
        let response = gateway.get(target, &format!("{GZIP}{fields}")).await;
        let coding = response.headers.only("content-encoding") == Some("gzip");
        assert_eq!(coding, is_packed, "{options} {target}{fields}");
    }
    let gateway = Packing::with("{}").await;
    let head = format!("HEAD /json?2000 HTTP/1.1\nHost: a.test{GZIP}");
    let response = gateway.stand.ask(&head).await;
    assert_eq!(response.headers.only("content-length"), Some("2000"));
    assert_eq!(response.headers.only("vary"), None);
    for options in [
        "{encodings: [gzip, deflate]}",
        "{encodings: []}",
        "{encodings: [gzip], defaultEncoding: br}",
        "{minResponseBodyBytes: few}",
        "{includedContentTypes: [a/b], excludedContentTypes: [c/d]}",
        "{excludedContentTypes: ['a b']}",
    ] {
        let gateway = Packing::with(options).await;
        assert_eq!(gateway.get("/json?1", "").await.status, 503, "{options}");
    }
}

#[tokio::test]
async fn events_reach_the_client_when_they_happen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stand = Stand::new(&document(&["{compress: {}}"], &url)).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: gzip\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let (mut backend, _) = listener.accept().await.unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    backend.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let mut decoder = GzipDecoder::new(Vec::new());
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        backend.write_all(chunk.as_bytes()).await.unwrap();
        // Nothing more is sent until this one has arrived.
        while !decoder.get_ref().ends_with(event.as_bytes()) {
            client.read_buf(&mut received).await.unwrap();
            if received.starts_with(b"HTTP/1.1 ") {
                let text = String::from_utf8_lossy(&received).into_owned();
                let Some((head, _)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                received.drain(..head.len() + 4);
            }
            for piece in chunks(&mut received) {
                decoder.write_all(&piece).await.unwrap();
                decoder.flush().await.unwrap();
            }
        }
    }
}
