//! A service that does not take the token it is given.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet_testkit::client;
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::token_endpoint::granted;

use super::{HOST, Room, basic};

/// A room whose service takes the second token only, and whose provider gives one after the other.
async fn room(options: &str) -> Room {
    let tokens = AtomicUsize::new(0);
    let provider = move |_: &Request| {
        let number = tokens.fetch_add(1, Ordering::Relaxed) + 1;
        granted(&format!("t{number}"), Some(3600))
    };
    Room::with_backend(options, provider, |request| {
        match request.headers.only("authorization") {
            Some("Bearer t2") => Answer::text(200, "served"),
            _ => Answer::text(401, "who?"),
        }
    })
    .await
}

/// The token gets old: younger ones are not given up.
async fn age() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_kept_token_is_fetched_anew_and_the_request_made_once_more() {
    let room = room("retryUnauthorized: true").await;
    assert_eq!(room.get_as("id", "secret").await.status, 401);
    assert_eq!(room.get_as("id", "secret").await.status, 401);
    assert_eq!(room.provider.count(), 1, "a young token is not given up");
    age().await;
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    assert_eq!((room.provider.count(), room.backend.count()), (2, 4));
    assert_eq!(room.gateway.purged(), 1);
    assert_eq!(room.get_as("id", "secret").await.status, 200);
    assert_eq!((room.provider.count(), room.backend.count()), (2, 5));
}

#[tokio::test]
async fn a_request_that_cannot_be_repeated_is_not() {
    let room = room("retryUnauthorized: true").await;
    assert_eq!(room.get_as("id", "secret").await.status, 401);
    age().await;
    let credentials = basic("id", "secret");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{credentials}\r\n\
         Content-Length: 1\r\n\r\nx"
    );
    let response = client::send(room.gateway.address, request.as_bytes()).await;
    assert_eq!(response.unwrap().status, 401);
    assert_eq!((room.provider.count(), room.backend.count()), (1, 2));
}

#[tokio::test]
async fn by_default_a_401_of_the_service_is_its_answer() {
    let room = room("").await;
    assert_eq!(room.get_as("id", "secret").await.status, 401);
    age().await;
    assert_eq!(room.get_as("id", "secret").await.status, 401);
    assert_eq!((room.provider.count(), room.backend.count()), (1, 2));
}

#[tokio::test]
async fn what_is_kept_can_be_seen_but_for_the_tokens() {
    let options = "audience: a, scopes: [r, w]";
    let room = Room::new(options, |_| granted("CANARY-token", Some(3600))).await;
    assert_eq!(room.get_as("id", "CANARY-secret").await.status, 200);
    let [token] = &room.gateway.cached()[..] else {
        panic!("one token");
    };
    let origin = room.provider.url("");
    assert_eq!((&token.provider, token.client_id.as_str()), (&origin, "id"));
    assert_eq!((token.audience.as_str(), token.scopes.len()), ("a", 2));
    assert!(token.time_left > Duration::from_secs(290) && token.age < Duration::from_secs(5));
    assert!(!format!("{token:?}").contains("CANARY"));
}
