//! Many callers: each has his own token, and the server is asked once for each.

use std::sync::Arc;
use std::time::Duration;

use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::{jwt, refused};
use carnet_testkit::{Server, client};
use serde_json::json;
use tokio::task::JoinSet;

use super::{changer, door, given, subject};
use crate::jwt::{Door, NOW, bearer};

/// How many come at once. A thousand do in the tests of the engine; here each has four sockets.
const CROWD: usize = 240;

/// A backend that says which token it saw.
async fn mirror(server: &Server) -> (Door, Server) {
    let backend = Server::start(|request| {
        let token = request.headers.only("authorization").unwrap_or_default();
        Answer::text(200, token)
    });
    let backend = backend.await.unwrap();
    let door = Door::closed().await;
    let exchange = super::exchange(server, "cache: {header: X-From}");
    let told = door.gateway.offer(&format!(
        "http:\n  routers:\n    api: {{rule: 'Host(`api.test`)', service: api, middlewares: [x]}}\n  \
         services:\n    api: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n  middlewares:\n    x: \
         {{{exchange}}}",
        backend.url("")
    ));
    assert_eq!(told, "");
    (door, backend)
}

// Holds CA-07, CA-08.
#[tokio::test]
async fn requests_with_two_tokens_make_two_calls_and_nobody_gets_anothers() {
    let server = changer().await;
    let (door, backend) = mirror(&server).await;
    let address = door.gateway.address;
    server.hold();
    let mut requests = JoinSet::new();
    for number in 0..CROWD {
        requests.spawn(async move {
            let own = ["alice", "bob"][number % 2];
            let response = client::get(address, "api.test", &[&bearer(own)]).await;
            (own, response.unwrap())
        });
    }
    server.asked(2).await;
    server.release();
    while let Some(answered) = requests.join_next().await {
        let (own, response) = answered.unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.text(), format!("Bearer for-{own}"));
    }
    assert_eq!((server.count(), backend.count()), (2, CROWD));
}

#[tokio::test]
async fn the_response_says_where_the_token_came_from() {
    let server = Server::start(|call| match &*subject(call) {
        "bad" => refused(400, "invalid_request"),
        other => given(other),
    });
    let server = server.await.unwrap();
    let door = door(&server, "cache: {header: X-From}").await;
    for (token, word) in [
        ("a", "miss"),
        ("a", "hit"),
        ("b", "miss"),
        ("bad", "refused"),
    ] {
        let response = door.with(token).await;
        assert_eq!(response.headers.only("x-from"), Some(word), "{token}");
    }
    let missing = door.get(&[]).await;
    assert_eq!(missing.headers.only("x-from"), Some("refused"));
}

#[tokio::test]
async fn without_a_cache_each_request_is_an_exchange() {
    let server = changer().await;
    let door = door(&server, "cache: {enabled: false, header: X-From}").await;
    for number in 1..=3 {
        let response = door.with("callers").await;
        assert_eq!(response.headers.only("x-from"), Some("miss"));
        assert_eq!(server.count(), number);
    }
}

// Holds CA-06.
#[tokio::test]
async fn a_kept_token_ends_with_the_callers_and_is_not_fetched_ahead() {
    let server = changer().await;
    let door = door(&server, "").await;
    let subject = jwt(&json!({"exp": NOW + 60, "sub": "alice"}));
    for (advance, calls) in [(0, 1), (59, 1), (1, 2), (0, 3)] {
        door.clock.advance(Duration::from_secs(advance));
        assert_eq!(door.with(&subject).await.status, 200);
        assert_eq!(server.count(), calls);
    }
}

// Holds CA-09.
#[tokio::test]
async fn a_token_that_the_server_does_not_take_costs_one_call_for_a_while() {
    let server = Server::start(|_| refused(400, "invalid_request"))
        .await
        .unwrap();
    let door = Arc::new(door(&server, "").await);
    for _ in 0..20 {
        assert_eq!(door.with("bad").await.status, 401);
    }
    // The memory is a second: a machine that is slow may take that long for twenty requests.
    assert!(server.count() <= 3, "{}", server.count());
    assert_eq!(door.with("another").await.status, 401);
    assert_eq!(door.backend.count(), 0);
}

// Holds F08.
#[tokio::test]
async fn a_server_that_is_down_is_left_alone_and_what_it_gave_counts_on() {
    let server = Server::start(|call| match &*subject(call) {
        "early" => given("for-early"),
        _ => Answer::text(503, ""),
    });
    let server = server.await.unwrap();
    let door = door(&server, super::ONCE).await;
    assert_eq!(door.with("early").await.status, 200);
    for number in 0..50 {
        let response = door.with(&format!("t{number}")).await;
        assert_eq!(response.status, 503);
        assert!(response.headers.only("retry-after").is_some());
        assert_eq!(door.with("early").await.status, 200);
    }
    assert!(server.count() < 20, "{}", server.count());
}
