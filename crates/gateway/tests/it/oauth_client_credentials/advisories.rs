//! What went wrong in other gateways where tokens are kept and waited for together. What each of
//! these advisories is about is in docs/security.md.

use std::sync::atomic::{AtomicUsize, Ordering};

use carnet_oauth::client_auth::Method;
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::token_endpoint::{Client, credentials, granted, jwt, refused, registered};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::task::JoinSet;

use super::{Room, basic, get};

/// A token for whoever asks, about what was shown and asked for.
fn about(call: &Request) -> Answer {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let (_, shown) = credentials(call).unwrap();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let claims = json!({
        "client_id": shown.id, "jti": number, "target": call.target,
        "secret_length": shown.secret.expose_secret().len(),
        "form": String::from_utf8_lossy(&call.body).len(),
    });
    granted(&jwt(&claims), Some(3600))
}

fn tokens(room: &Room) -> Vec<String> {
    let seen = room.backend.seen().into_iter();
    seen.map(|seen| seen.headers.only("authorization").unwrap().to_owned())
        .collect()
}

// Holds CVE-2021-32701, CVE-2026-33496, CVE-2026-2836, CA-01.
#[tokio::test]
async fn a_token_that_was_asked_for_in_any_other_way_is_not_used() {
    let room = Room::new("", about).await;
    let port = room.provider.url("").rsplit_once(':').unwrap().1.to_owned();
    let ways = [
        ("127.0.0.1", "/token", ""),
        ("127.0.0.1", "/token", "scopes: [read]"),
        ("127.0.0.1", "/token", "scopes: [read, write]"),
        ("127.0.0.1", "/token", "audience: read"),
        ("127.0.0.1", "/token", "resources: ['https://a']"),
        ("127.0.0.1", "/token", "parameters: {tenant: a}"),
        ("127.0.0.1", "/token", "parameters: {tenant: b}"),
        ("127.0.0.1", "/other", ""),
        ("127.0.0.1", "/token?tenant=a", ""),
        ("localhost", "/token", ""),
    ];
    // Each is warm while the next is asked, and asked twice.
    for (index, (host, path, options)) in ways.into_iter().enumerate() {
        room.apply(&format!("http://{host}:{port}{path}"), options);
        for _ in 0..2 {
            assert_eq!(room.get_as("id", "secret").await.status, 200);
        }
        assert_eq!(room.provider.count(), index + 1, "{host}{path} {options}");
    }
    let mut tokens = tokens(&room);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), ways.len());
}

// Holds CVE-2026-71326, CA-08.
#[tokio::test]
async fn callers_whose_credentials_read_the_same_without_their_border_do_not_wait_together() {
    let room = Room::new("forwardHeaders: {X-Whose: client_id}", about).await;
    let pairs = [
        ("id", "secret"),
        ("ids", "ecret"),
        ("i", "dsecret"),
        ("idsecre", "t"),
    ];
    room.provider.hold();
    let mut callers = JoinSet::new();
    for (id, secret) in pairs.into_iter().cycle().take(40) {
        let (address, fields) = (room.gateway.address, basic(id, secret));
        let caller = format!("X-Caller: {id}");
        callers.spawn(async move { get(address, &[&fields, &caller]).await.status });
    }
    room.provider.asked(pairs.len()).await;
    room.provider.release();
    assert_eq!(callers.join_all().await, [200; 40]);
    assert_eq!(room.provider.count(), pairs.len());
    for seen in room.backend.seen() {
        assert_eq!(seen.headers.only("x-whose"), seen.headers.only("x-caller"));
    }
}

// Holds CVE-2026-88010, CA-08.
#[tokio::test]
async fn what_was_learned_about_a_client_does_not_decide_who_waits_together() {
    let known = Client {
        id: "id",
        secret: "secret",
        method: Method::Basic,
    };
    let room = Room::new("", registered(vec![known])).await;
    // The method that works is known now, a token is kept, and a refusal is remembered.
    for (secret, status) in [("secret", 200), ("wrong", 401), ("secret", 200)] {
        assert_eq!(room.get_as("id", secret).await.status, status);
    }
    room.apply(&room.provider.url("/token"), "audience: cold");
    room.provider.hold();
    let mut callers = JoinSet::new();
    for number in 0..60 {
        let secret = ["secret", "wrong", "secretwrong"][number % 3];
        let (address, fields) = (room.gateway.address, basic("id", secret));
        callers.spawn(async move { (secret, get(address, &[&fields]).await.status) });
    }
    room.provider.asked(4 + 3).await;
    room.provider.release();
    for (secret, status) in callers.join_all().await {
        let wanted = if secret == "secret" { 200 } else { 401 };
        assert_eq!(status, wanted, "{secret:?}");
    }
    assert_eq!(room.backend.count(), 2 + 20);
}

// Holds CVE-2026-32595, CVE-2026-41263.
#[tokio::test]
async fn a_client_that_is_not_there_is_answered_as_one_whose_secret_is_wrong() {
    let known = Client {
        id: "id",
        secret: "secret",
        method: Method::Post,
    };
    let room = Room::new("cache: {header: X-Token}", registered(vec![known])).await;
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    let mut answers = Vec::new();
    for (calls, (id, secret)) in [("id", "wrong"), ("nobody", "wrong")]
        .into_iter()
        .enumerate()
    {
        for _ in 0..2 {
            answers.push(format!("{:?}", room.get_as(id, secret).await));
        }
        // Both are asked for by both methods, then both are remembered.
        assert_eq!(room.provider.count(), 1 + 2 * (calls + 1));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

// Holds CVE-2022-29226, CVE-2023-35941.
#[tokio::test]
async fn a_token_that_a_caller_brings_proves_nothing() {
    let room = Room::new("", registered(Vec::new())).await;
    let token = jwt(&json!({"client_id": "id", "exp": 4_102_444_800_u64}));
    let bearer = format!("Authorization: Bearer {token}");
    let cookie = format!("Cookie: BearerToken={token}; OauthHMAC=x; OauthExpires=4102444800");
    for fields in [vec![&*bearer], vec![&*cookie], vec![&*bearer, &*cookie]] {
        assert_eq!(room.get(&fields).await.status, 401, "{fields:?}");
    }
    assert_eq!((room.provider.count(), room.backend.count()), (0, 0));
}

// Holds CVE-2026-26998.
#[tokio::test]
async fn an_answer_without_end_is_read_to_a_bound_alone() {
    let endless = format!("{{\"access_token\": \"{}", "a".repeat(64 << 20));
    let room = Room::new("", move |_| Answer::text(200, &endless)).await;
    assert_eq!(room.get_as("id", "secret").await.status, 502);
    assert_eq!(room.backend.count(), 0);
    assert_eq!(room.gateway.cached(), []);
}

// Holds CVE-2022-23469.
#[tokio::test]
async fn what_a_provider_says_of_the_credentials_reaches_nobody() {
    let room = Room::new("clientConfig: {maxRetries: 0}", |call| {
        let (_, shown) = credentials(call).unwrap();
        let secret = shown.secret.expose_secret();
        refused(400, &format!("wrong_secret_{secret}"))
    })
    .await;
    let response = room.get_as("id", "CANARY").await;
    assert_eq!(response.status, 403);
    assert!(!format!("{response:?}").contains("CANARY"));
    assert!(!room.gateway.access_log().join("\n").contains("CANARY"));
}
