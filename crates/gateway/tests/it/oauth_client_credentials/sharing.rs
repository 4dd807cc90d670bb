//! Who shares a token with whom.

use std::time::Duration;

use carnet_oauth::client_auth::Method;
use carnet_testkit::token_endpoint::{Client, granted, jwt, registered};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Room, basic, get};

// Holds CA-07.
#[tokio::test]
async fn a_hundred_callers_of_one_key_make_exactly_one_call() {
    let room = Room::new("", |_| granted("t", Some(3600))).await;
    room.provider.hold();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (address, fields) = (room.gateway.address, basic("id", "secret"));
        callers.spawn(async move { get(address, &[&fields]).await.status });
    }
    room.provider.asked(1).await;
    room.provider.release();
    assert_eq!(callers.join_all().await, [200; 100]);
    assert_eq!((room.provider.count(), room.backend.count()), (1, 100));
}

// Holds HI-21.
#[tokio::test]
async fn credentials_are_the_same_in_latin_1_and_in_utf_8() {
    let room = Room::new("", |_| granted("t", Some(3600))).await;
    assert_eq!(room.get_as("\u{e9}", "s").await.status, 200);
    let latin = room.get(&["Authorization: Basic 6Tpz"]).await;
    assert_eq!(latin.status, 200);
    assert_eq!((room.provider.count(), room.backend.count()), (1, 2));
}

// Holds CA-07.
#[tokio::test]
async fn a_first_caller_who_hangs_up_takes_nothing_from_the_second() {
    let room = Room::new("", |_| granted("t", Some(3600))).await;
    room.provider.hold();
    let (address, fields) = (room.gateway.address, basic("id", "secret"));
    let first = tokio::spawn(async move { get(address, &[&fields]).await });
    room.provider.asked(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    room.provider.release();
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    assert_eq!((room.provider.count(), room.backend.count()), (1, 1));
}

// Holds CA-01, CA-02.
#[tokio::test]
async fn a_wrong_secret_never_hits_anothers_token() {
    let client = Client {
        id: "id",
        secret: "secret",
        method: Method::Post,
    };
    let room = Room::new("", registered(vec![client])).await;
    for _ in 1..=10 {
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        for (id, secret) in [
            ("id", "wrong"),
            ("id", ""),
            ("ids", "ecret"),
            ("i", "dsecret"),
        ] {
            assert_eq!(room.get_as(id, secret).await.status, 401, "{id} {secret}");
        }
        // The right one was asked for once; the wrong ones once by both methods, then remembered.
        assert_eq!(room.provider.count(), 1 + 8);
    }
    assert_eq!(room.backend.count(), 10);
}

// Holds HI-15.
#[tokio::test]
async fn a_token_of_one_audience_is_never_sent_where_another_is_asked_for() {
    let room = Room::new("audience: one", |call| {
        let body = String::from_utf8_lossy(&call.body);
        let audience = if body.contains("audience=one") {
            "one"
        } else {
            "two"
        };
        granted(&jwt(&json!({"aud": [audience]})), Some(3600))
    })
    .await;
    let url = room.provider.url("/oauth2/token");
    let mut tokens = Vec::new();
    for audience in ["one", "two"] {
        room.apply(&url, &format!("audience: {audience}"));
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        let seen = room.backend.seen().pop().unwrap();
        tokens.push(seen.headers.only("authorization").unwrap().to_owned());
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn with_the_cache_off_a_client_that_was_removed_is_out_at_once() {
    let room = Room::new("cache: {enabled: false}", |_| granted("t", Some(3600))).await;
    for calls in 1..=3 {
        assert_eq!(room.get_as("id", "secret").await.status, 200);
        assert_eq!(room.provider.count(), calls);
    }
}

#[tokio::test]
async fn a_token_is_asked_for_again_once_the_time_of_day_says_that_it_is_over() {
    let room = Room::new("", |_| granted("t", Some(60))).await;
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    room.clock.advance(Duration::from_secs(53));
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    assert_eq!(room.provider.count(), 1);
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    assert_eq!(room.provider.count(), 2);
}

#[tokio::test]
async fn a_header_says_where_the_token_came_from_where_that_is_wanted() {
    let client = Client {
        id: "id",
        secret: "secret",
        method: Method::Post,
    };
    let room = Room::new("cache: {header: X-Token}", registered(vec![client])).await;
    for (secret, status, word) in [
        ("secret", 200, "miss"),
        ("secret", 200, "hit"),
        ("wrong", 401, "refused"),
    ] {
        let response = room.get_as("id", secret).await;
        assert_eq!(response.status, status);
        assert_eq!(response.headers.all("x-token"), [word]);
    }
    let url = room.provider.url("/oauth2/token");
    room.apply(&url, "");
    let response = room.get_as("id", "secret").await;
    assert_eq!(response.headers.all("x-token"), [""; 0]);
}
