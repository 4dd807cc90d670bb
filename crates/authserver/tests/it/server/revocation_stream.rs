//! `GET /admin/revocations`: what whoever follows hears.

use std::{net::TcpListener, path::Path, sync::Arc, sync::atomic::Ordering, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use carnet_authserver::{Algorithm, Options, store};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::server::{Room, still::StillStore, tutorial};

const SIGNING: &str = "/admin/keys/hydra.jwt.access-token";
const NOW: i64 = 1_795_694_400;
/// Longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(20);

fn options() -> Options {
    Options {
        algorithm: Algorithm::Es256,
        ..tutorial()
    }
}

/// A follower.
struct Follower {
    body: Body,
    read: String,
}

impl Follower {
    async fn of(room: &Room, query: &str, last_event: Option<&str>) -> Self {
        let mut request = Request::get(format!("/admin/revocations{query}"));
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = room.server.admin_router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            body: response.into_body(),
            read: String::new(),
        }
    }

    /// The next block: an event, or a comment.
    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let block = block.to_owned();
                self.read = rest.to_owned();
                return block;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.unwrap();
            let bytes = frame.unwrap().unwrap().into_data().unwrap();
            self.read += std::str::from_utf8(&bytes).unwrap();
        }
    }

    async fn event(&mut self) -> Value {
        let block = self.block().await;
        let data = block.lines().find_map(|line| line.strip_prefix("data: "));
        let event: Value = serde_json::from_str(data.unwrap()).unwrap();
        assert!(block.contains(&format!("id: {}", event["seq"])), "{block}");
        event
    }

    /// What is next, without its number.
    async fn hears(&mut self, mut expected: Value) -> i64 {
        let event = self.event().await;
        let seq = event["seq"].as_i64().unwrap();
        expected["seq"] = json!(seq);
        assert_eq!(event, expected);
        seq
    }
}

fn claim(token: &str, name: &str) -> Value {
    let payload = carnet_jose::jws::decode_unverified(token).unwrap().payload;
    serde_json::from_slice::<Value>(&payload).unwrap()[name].clone()
}

fn kid(token: &str) -> String {
    let header = carnet_jose::jws::decode_unverified(token).unwrap().header;
    header["kid"].as_str().unwrap().to_owned()
}

async fn post_client(room: &Room, id: &str) -> String {
    room.create(json!({"client_id": id, "token_endpoint_auth_method": "client_secret_post"}))
        .await
}

async fn token(room: &Room, id: &str) -> String {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=traefiklabs");
    let answer = room.post("/oauth2/token", &[], &form).await.json();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn revoke(room: &Room, id: &str, token: &str) -> StatusCode {
    let form = format!("client_id={id}&client_secret=traefiklabs&token={token}");
    room.post("/oauth2/revoke", &[], &form).await.status
}

#[tokio::test]
async fn a_follower_hears_what_is_revoked_and_then_what_becomes_so() {
    let room = Room::new(options()).await;
    for id in ["a", "b"] {
        post_client(&room, id).await;
    }
    let (one, two) = (token(&room, "a").await, token(&room, "a").await);
    assert_eq!(revoke(&room, "a", &one).await, StatusCode::OK);
    let of_token =
        |token: &str| json!({"jti": claim(token, "jti"), "not_before": NOW, "exp": NOW + 3600});
    let mut follower = Follower::of(&room, "", None).await;
    follower.hears(of_token(&one)).await;

    revoke(&room, "a", &two).await;
    let second = follower.hears(of_token(&two)).await;
    room.admin(
        Method::DELETE,
        "/admin/oauth2/tokens?client_id=a",
        Value::Null,
    )
    .await;
    let of_client = |id: &str| json!({"client_id": id, "not_before": NOW, "exp": NOW + 3600});
    follower.hears(of_client("a")).await;
    room.admin(Method::DELETE, "/admin/clients/b", Value::Null)
        .await;
    let of_b = follower.hears(of_client("b")).await;
    let signer = kid(&one);
    room.admin(Method::DELETE, &format!("{SIGNING}/{signer}"), Value::Null)
        .await;
    let of_key = json!({"kid": signer, "not_before": NOW, "exp": NOW + 3600});
    follower.hears(of_key.clone()).await;

    // Single tokens that their client's revocation covers are not told again.
    let mut late = Follower::of(&room, "", None).await;
    late.hears(of_client("a")).await;
    late.hears(of_client("b")).await;
    late.hears(of_key.clone()).await;
    let mut after = Follower::of(&room, &format!("?after={of_b}"), None).await;
    after.hears(of_key.clone()).await;
    let mut again = Follower::of(&room, "", Some(&of_b.to_string())).await;
    again.hears(of_key).await;
    let mut older = Follower::of(&room, &format!("?after={second}"), None).await;
    older.hears(of_client("a")).await;
    for unknown in ["?after=99999", "?after=-5", "?after=x", "?after="] {
        let mut follower = Follower::of(&room, unknown, None).await;
        follower.hears(of_client("a")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_hears_a_heartbeat_every_fifteen_seconds() {
    let room = Room::over(options(), Arc::new(StillStore::default())).await;
    let mut follower = Follower::of(&room, "", None).await;
    let begun = tokio::time::Instant::now();
    for beat in 1..=3 {
        assert_eq!(follower.block().await, ":");
        assert_eq!(begun.elapsed().as_secs(), 15 * beat);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlasts_every_clock_of_a_connection_and_ends_with_the_server() {
    let room = Room::over(options(), Arc::new(StillStore::default())).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (server, shutdown) = (room.server.clone(), CancellationToken::new());
    let until = shutdown.clone();
    let serving = tokio::spawn(async move { server.serve_admin(listener, until).await });
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = b"GET /admin/revocations HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut read = Vec::new();
    while begun.elapsed() < Duration::from_secs(600) {
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "closed after {:?}", begun.elapsed());
        read.extend_from_slice(&bytes[..count]);
    }
    shutdown.cancel();
    let ended = tokio::time::Instant::now();
    serving.await.unwrap().unwrap();
    assert!(
        ended.elapsed() < Duration::from_secs(1),
        "{:?}",
        ended.elapsed()
    );
    stream.read_to_end(&mut read).await.unwrap();
    let read = String::from_utf8(read).unwrap();
    assert!(read.ends_with("0\r\n\r\n"), "{read}");
}

async fn open(folder: &Path) -> Arc<dyn store::Store> {
    let dsn = format!("sqlite://{}", folder.join("db").display());
    store::migrate(&dsn).await.unwrap();
    store::open(&dsn).await.unwrap()
}

// Holds OP-12.
#[tokio::test]
async fn revocations_of_all_kinds_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::over(options(), open(folder.path()).await).await;
    for id in ["a", "b", "c"] {
        post_client(&room, id).await;
    }
    let single = token(&room, "a").await;
    let (kept, of_client) = (token(&room, "a").await, token(&room, "b").await);
    revoke(&room, "a", &single).await;
    room.admin(
        Method::DELETE,
        "/admin/oauth2/tokens?client_id=b",
        Value::Null,
    )
    .await;
    drop(room);
    let room = Room::over(options(), open(folder.path()).await).await;
    for token in [&single, &of_client] {
        assert_eq!(room.introspect(token).await["active"], false);
    }
    assert_eq!(room.introspect(&kept).await["active"], true);
    let mut follower = Follower::of(&room, "", None).await;
    assert_eq!(follower.event().await["jti"], claim(&single, "jti"));
    assert_eq!(follower.event().await["client_id"], "b");
}

// Holds IN-03.
#[tokio::test]
async fn a_key_that_was_deleted_does_not_revive_its_tokens_when_it_comes_back() {
    let room = Room::new(options()).await;
    let id = post_client(&room, "a").await;
    let before = token(&room, &id).await;
    let path = format!("{SIGNING}/{}", kid(&before));
    let set = room.admin(Method::GET, &path, Value::Null).await.json();
    room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(room.introspect(&before).await["active"], false);
    room.admin(Method::PUT, &path, set["keys"][0].clone()).await;
    assert_eq!(room.introspect(&before).await["active"], false);
    room.clock.advance(Duration::from_secs(1));
    let after = token(&room, &id).await;
    assert_eq!(kid(&after), kid(&before));
    assert_eq!(room.introspect(&after).await["active"], true);
    // A set that is replaced loses the keys that it no longer has.
    let other = json!({"keys": []});
    room.admin(Method::PUT, SIGNING, other).await;
    room.admin(Method::PUT, &path, set["keys"][0].clone()).await;
    assert_eq!(room.introspect(&after).await["active"], false);
}

#[tokio::test]
async fn too_many_single_revocations_become_one_of_their_client() {
    let room = Room::new(Options {
        revocation_limit: 3,
        ..options()
    })
    .await;
    for id in ["busy", "calm"] {
        post_client(&room, id).await;
    }
    let mut follower = Follower::of(&room, "", None).await;
    let calm = token(&room, "calm").await;
    let kept = token(&room, "calm").await;
    revoke(&room, "calm", &calm).await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(token(&room, "busy").await);
    }
    room.clock.advance(Duration::from_secs(1));
    let later = token(&room, "busy").await;
    assert_eq!(follower.event().await["jti"], claim(&calm, "jti"));
    for token in &busy[..2] {
        assert_eq!(revoke(&room, "busy", token).await, StatusCode::OK);
        assert_eq!(follower.event().await["jti"], claim(token, "jti"));
    }
    assert_eq!(revoke(&room, "busy", &busy[2]).await, StatusCode::OK);
    let of_client = json!({"client_id": "busy", "not_before": NOW, "exp": NOW + 3600});
    follower.hears(of_client).await;
    for token in busy.iter().chain([&calm]) {
        assert_eq!(room.introspect(token).await["active"], false);
    }
    for token in [&kept, &later] {
        assert_eq!(room.introspect(token).await["active"], true);
    }
}

#[tokio::test(start_paused = true)]
async fn a_signed_token_is_judged_without_the_database() {
    let store = Arc::new(StillStore::default());
    let room = Room::over(options(), store.clone()).await;
    let id = post_client(&room, "a").await;
    let token = token(&room, &id).await;
    store.is_stuck.store(true, Ordering::Relaxed);
    assert_eq!(room.introspect(&token).await["active"], true);
    let changed = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(room.introspect(&changed).await["active"], false);
}

#[tokio::test]
async fn a_new_secret_revokes_nothing_as_in_hydra() {
    let room = Room::new(options()).await;
    let id = post_client(&room, "a").await;
    let token = token(&room, &id).await;
    let change = json!([{"op": "replace", "path": "/client_secret", "value": "another-secret"}]);
    let path = format!("/admin/clients/{id}");
    let changed = room.admin(Method::PATCH, &path, change).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_eq!(room.introspect(&token).await["active"], true);
}
