//! Tokens that their server revokes, told over its stream.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{granted, jwt, refused};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Room;

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

/// A server of events: who connects gets all there were, then each as it comes.
struct Stream {
    address: SocketAddr,
    events: Arc<watch::Sender<Vec<String>>>,
    /// Connections so far.
    connections: Arc<AtomicUsize>,
    /// Ends those there are.
    generation: Arc<watch::Sender<usize>>,
}

impl Stream {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = Self {
            address: listener.local_addr().unwrap(),
            events: Arc::new(watch::Sender::new(Vec::new())),
            connections: Arc::default(),
            generation: Arc::new(watch::Sender::new(0)),
        };
        let (events, generation) = (Arc::clone(&stream.events), Arc::clone(&stream.generation));
        let connections = Arc::clone(&stream.connections);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (events, mut ended) = (events.subscribe(), generation.subscribe());
                ended.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = tell(socket, events) => {}
                        _ = ended.changed() => {}
                    }
                });
            }
        });
        stream
    }

    fn option(&self) -> String {
        format!(
            "revocations: {{url: 'http://{}/admin/revocations', bearer: b}}",
            self.address
        )
    }

    fn revoke(&self, what: Value) {
        let mut event = json!({"seq": 1, "not_before": NOW, "exp": NOW + 3600});
        event
            .as_object_mut()
            .unwrap()
            .extend(what.as_object().unwrap().clone());
        let text = format!(": heartbeat\n\nid: 1\ndata: {event}\n\n");
        self.events.send_modify(|events| events.push(text));
    }

    async fn connected(&self, number: usize) {
        until(|| async { self.connections.load(Ordering::Relaxed) >= number }).await;
    }
}

async fn tell(mut socket: TcpStream, mut events: watch::Receiver<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let asked = String::from_utf8_lossy(&head).to_lowercase();
    assert!(asked.contains("authorization: bearer b\r\n"), "{asked}");
    let mut text = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".to_owned();
    let mut told = 0;
    loop {
        let all = events.borrow_and_update().clone();
        all[told..].iter().for_each(|event| text.push_str(event));
        told = all.len();
        if socket.write_all(text.as_bytes()).await.is_err() || events.changed().await.is_err() {
            return;
        }
        text.clear();
    }
}

/// Waits until it is so: a second at most, the promise of the stream.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let wait = timeout(Duration::from_secs(1), async {
        while !is_so().await {
            sleep(Duration::from_millis(5)).await;
        }
    });
    wait.await.unwrap();
}

fn token(number: usize) -> Answer {
    let number = i64::try_from(number).unwrap();
    let issued = NOW + i64::from(number == 2);
    let claims = json!({"jti": number.to_string(), "client_id": "id", "iat": issued});
    granted(&jwt(&claims), Some(3600))
}

// Holds RV-04.
#[tokio::test]
async fn what_is_revoked_there_is_fetched_anew_here_within_a_second() {
    for what in [
        json!({"jti": "1"}),
        json!({"client_id": "id"}),
        json!({"kid": "k"}),
    ] {
        let stream = Stream::start().await;
        let calls = AtomicUsize::new(0);
        let room = Room::new(&stream.option(), move |_| {
            token(calls.fetch_add(1, Ordering::Relaxed) + 1)
        })
        .await;
        stream.connected(1).await;
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        for other in [json!({"jti": "7"}), json!({"client_id": "other"})] {
            stream.revoke(other);
        }
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        assert_eq!(room.provider.count(), 1);
        stream.revoke(what);
        until(|| async {
            assert_eq!(room.get_as("id", "secret").await.status, 200);
            room.provider.count() == 2
        })
        .await;
        // The new one was issued after the revocation.
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        assert_eq!(room.provider.count(), 2);
    }
}

// Holds RV-04.
#[tokio::test]
async fn a_client_that_is_removed_there_is_refused_here_within_a_second() {
    let stream = Stream::start().await;
    let is_removed = Arc::new(AtomicBool::new(false));
    let removed = Arc::clone(&is_removed);
    let room = Room::new(&stream.option(), move |_| {
        match removed.load(Ordering::Relaxed) {
            true => refused(401, "invalid_client"),
            false => token(1),
        }
    })
    .await;
    stream.connected(1).await;
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    is_removed.store(true, Ordering::Relaxed);
    stream.revoke(json!({"client_id": "id"}));
    until(|| async { room.get_as("id", "secret").await.status == 401 }).await;
}

#[tokio::test]
async fn a_stream_that_breaks_is_taken_up_again_and_nothing_in_between_is_missed() {
    let stream = Stream::start().await;
    let calls = AtomicUsize::new(0);
    let room = Room::new(&stream.option(), move |_| {
        token(calls.fetch_add(1, Ordering::Relaxed) + 1)
    })
    .await;
    stream.connected(1).await;
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    stream.generation.send_modify(|generation| *generation += 1);
    stream.revoke(json!({"jti": "1"}));
    until(|| async {
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        room.provider.count() == 2
    })
    .await;
}

// Holds RV-04.
#[tokio::test]
async fn a_token_that_was_on_its_way_when_it_was_revoked_reaches_nobody() {
    let stream = Stream::start().await;
    let calls = AtomicUsize::new(0);
    let room = Room::new(&stream.option(), move |_| {
        token(calls.fetch_add(1, Ordering::Relaxed))
    })
    .await;
    stream.connected(1).await;
    assert_eq!(room.get_as("id", "first").await.status, 200);
    room.provider.hold();
    let waiting = room.get_as("id", "secret");
    let revoking = async {
        room.provider.asked(2).await;
        stream.revoke(json!({"jti": "1"}));
        // Another token is dropped by the event that follows, so the first was read.
        stream.revoke(json!({"jti": "0"}));
        until(|| async { room.gateway.purged() == 1 }).await;
        room.provider.release();
    };
    let (response, ()) = tokio::join!(waiting, revoking);
    assert_eq!((response.status, room.backend.count()), (503, 1));
}

#[tokio::test]
async fn without_the_stream_tokens_serve_on() {
    let nowhere = super::closed_port();
    let option = format!("revocations: {{url: 'http://{nowhere}/admin/revocations'}}");
    let room = Room::new(&option, |_| token(1)).await;
    for _ in 0..3 {
        assert_eq!(room.get_as("id", "secret").await.status, 200);
    }
    assert_eq!(room.provider.count(), 1);
}
