//! The server over sockets.

use std::{
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixListener,
};

use bytes::Bytes;
use carnet_testkit::client;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::{Duration, Instant},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::server::{Room, tutorial};

/// A server at ports of its own; it ends when it is dropped.
pub(crate) struct Served {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) tasks: [tokio::task::JoinHandle<std::io::Result<()>>; 2],
    pub(crate) shutdown: CancellationToken,
    _guard: DropGuard,
}

impl Served {
    pub(crate) fn start(room: &Room) -> Self {
        let listen = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            (listener, address)
        };
        let ((public, public_at), (admin, admin_at)) = (listen(), listen());
        let shutdown = CancellationToken::new();
        let (one, two) = (room.server.clone(), room.server.clone());
        let (until, and) = (shutdown.clone(), shutdown.clone());
        Self {
            public: public_at,
            admin: admin_at,
            tasks: [
                tokio::spawn(async move { one.serve_public(public, until).await }),
                tokio::spawn(async move { two.serve_admin(admin, and).await }),
            ],
            _guard: shutdown.clone().drop_guard(),
            shutdown,
        }
    }

    pub(crate) async fn ended(self) {
        for task in self.tasks {
            task.await.unwrap().unwrap();
        }
    }
}

const ALIVE: &[u8] = b"GET /health/alive HTTP/1.1\r\nHost: a\r\n\r\n";

/// Asks over a connection that stays open.
async fn ask(stream: &mut TcpStream) -> bool {
    stream.write_all(ALIVE).await.unwrap();
    let mut bytes = [0; 1024];
    let count = stream.read(&mut bytes).await.unwrap();
    bytes[..count].starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn both_ports_are_served_in_both_versions_of_http_and_end_when_told() {
    let served = Served::start(&Room::new(tutorial()).await);
    for (address, path) in [(served.public, "/health/alive"), (served.admin, "/version")] {
        for is_http2 in [false, true] {
            let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(is_http2)
                .build_http();
            let uri = format!("http://{address}{path}").parse().unwrap();
            let response = client.get(uri).await.unwrap();
            assert_eq!(response.status(), 200);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(body.starts_with(b"{"), "{body:?}");
        }
    }
    served.shutdown.cancel();
    served.ended().await;
}

#[tokio::test]
async fn a_connection_may_rest_between_requests_and_a_head_must_not() {
    let served = Served::start(&Room::new(tutorial()).await);
    let mut resting = TcpStream::connect(served.public).await.unwrap();
    let mut slow = TcpStream::connect(served.public).await.unwrap();
    assert!(ask(&mut resting).await && ask(&mut slow).await);
    slow.write_all(b"GET / HT").await.unwrap();
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(slow.read(&mut [0; 9]).await.unwrap(), 0);
    assert!((4..=5).contains(&began.elapsed().as_secs()));
    tokio::time::advance(Duration::from_secs(100)).await;
    // While the clock stands, it would run ahead of what goes over a socket.
    tokio::time::resume();
    assert!(ask(&mut resting).await);
    tokio::time::pause();
    let began = Instant::now();
    assert_eq!(resting.read(&mut [0; 9]).await.unwrap(), 0);
    let rested = began.elapsed().as_secs();
    assert!((119..=120).contains(&rested), "{rested}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let served = Served::start(&Room::new(tutorial()).await);
    let long = "a".repeat(70_000);
    let request = format!("GET /health/alive HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n");
    let answer = client::send(served.public, request.as_bytes()).await;
    assert_eq!(answer.unwrap().status, 431);
}

#[tokio::test]
async fn a_port_can_be_a_unix_socket() {
    let room = Room::new(tutorial()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (server, shutdown) = (room.server.clone(), CancellationToken::new());
    let until = shutdown.clone();
    let task = tokio::spawn(async move { server.serve_admin(listener, until).await });
    let mut stream = UnixStream::connect(&path).await.unwrap();
    let request = b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    shutdown.cancel();
    task.await.unwrap().unwrap();
}

/// The status of a GET over a connection of its own.
async fn status(address: SocketAddr, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = client::send(address, request.as_bytes()).await.unwrap();
    (answer.status, answer.text())
}

// Holds OP-09.
#[tokio::test]
async fn a_server_that_was_told_to_end_is_alive_but_not_ready() {
    let mut options = tutorial();
    options.ports.drain_delay = Duration::from_secs(3600);
    let room = Room::new(options).await;
    let served = Served::start(&room);
    room.get("/.well-known/jwks.json").await;
    for (address, prefix) in [(served.public, ""), (served.admin, "/admin")] {
        assert_eq!(
            status(address, &format!("{prefix}/health/ready")).await.0,
            200
        );
    }
    served.shutdown.cancel();
    while status(served.public, "/health/ready").await.0 == 200 {
        tokio::task::yield_now().await;
    }
    let (_, text) = status(served.public, "/health/ready").await;
    assert_eq!(text, "{\"errors\":{\"server\":\"not ready\"}}\n");
    let (code, text) = status(served.admin, "/admin/health/ready").await;
    assert_eq!(code, 503);
    assert_eq!(text, "{\"errors\":{\"server\":\"it was told to end\"}}\n");
    for address in [served.public, served.admin] {
        assert_eq!(status(address, "/health/alive").await.0, 200);
    }
}

#[tokio::test]
async fn a_request_in_flight_is_finished_at_the_end() {
    let room = Room::new(tutorial()).await;
    let served = Served::start(&room);
    let mut stream = TcpStream::connect(served.public).await.unwrap();
    assert!(ask(&mut stream).await);
    let head = "POST /oauth2/revoke HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = [0; 1024];
    // It asks for the body, so it is in the middle of the request.
    let count = stream.read(&mut bytes).await.unwrap();
    assert!(bytes[..count].starts_with(b"HTTP/1.1 100"));
    served.shutdown.cancel();
    while TcpStream::connect(served.public).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(b"token=a").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    served.ended().await;
}
