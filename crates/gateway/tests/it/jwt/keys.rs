//! Keys that are fetched: from a set, by metadata; many, too many, none; and across reloads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use carnet_jose::{Algorithm, PrivateKey};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use serde_json::{Value, json};

use crate::ear::Ear;

use super::{Door, claims, key, set, signed, with};

/// Publishes a set that may be replaced.
struct Publisher {
    server: Server,
    set: Arc<Mutex<Value>>,
    is_down: Arc<AtomicBool>,
}

impl Publisher {
    async fn of(published: Value) -> Self {
        let set = Arc::new(Mutex::new(published));
        let is_down = Arc::new(AtomicBool::new(false));
        let (answered, down) = (Arc::clone(&set), Arc::clone(&is_down));
        let server = Server::start(move |request| {
            let host = request.headers.only("host").unwrap();
            match &*request.target {
                _ if down.load(Ordering::Relaxed) => Answer::text(500, "down"),
                "/metadata" => Answer::json(
                    200,
                    &json!({"issuer": "https://as.test", "jwks_uri": format!("http://{host}/keys")}),
                ),
                "/moved" => Answer::text(302, "").with("Location", "/keys"),
                _ => Answer::json(200, &answered.lock().unwrap()),
            }
        });
        Self {
            server: server.await.unwrap(),
            set,
            is_down,
        }
    }

    fn url(&self) -> String {
        format!("jwksUrl: '{}'", self.server.url("/keys"))
    }
}

#[tokio::test]
async fn keys_come_from_a_set_by_metadata_or_from_a_path_of_the_issuer() {
    let own = key(Algorithm::Rs256, "k");
    let publisher = Publisher::of(set(&[&own])).await;
    let issuer = publisher.server.url("");
    let metadata = format!("discovery: '{}'", publisher.server.url("/metadata"));
    let path = format!("jwksUrl: /keys, issuer: '{issuer}'");
    for (options, claims, status) in [
        (publisher.url(), claims(), 200),
        (metadata.clone(), claims(), 200),
        (metadata, with("iss", json!("https://other.test")), 401),
        (path.clone(), with("iss", json!(issuer)), 200),
        (path, claims(), 401),
        (
            format!("jwksUrl: '{}'", publisher.server.url("/moved")),
            claims(),
            503,
        ),
    ] {
        let door = Door::new(&format!("{options}, clientConfig: {{maxRetries: 0}}")).await;
        let response = door.with(&signed(&own, &claims)).await;
        assert_eq!(response.status, status, "{options} {claims}");
        assert_eq!(door.backend.count(), usize::from(status == 200));
    }
}

// Holds F07.
#[tokio::test]
async fn a_new_key_is_found_by_the_first_token_that_it_signed() {
    let (old, new) = (key(Algorithm::Es256, "old"), key(Algorithm::Es256, "new"));
    let publisher = Publisher::of(set(&[&old])).await;
    let door = Door::new(&publisher.url()).await;
    assert_eq!(door.with(&signed(&old, &claims())).await.status, 200);
    *publisher.set.lock().unwrap() = set(&[&new, &old]);
    for key in [&new, &old, &new, &old] {
        assert_eq!(door.with(&signed(key, &claims())).await.status, 200);
    }
    assert_eq!(publisher.server.count(), 2);
    // A key that is gone takes what was remembered with it.
    let third = key(Algorithm::Es256, "third");
    *publisher.set.lock().unwrap() = set(&[&third]);
    assert_eq!(door.with(&signed(&third, &claims())).await.status, 200);
    assert_eq!(door.with(&signed(&old, &claims())).await.status, 401);
}

// Holds F07.
#[tokio::test]
async fn a_flood_of_unknown_names_of_keys_costs_one_fetch_and_nobody_else_waits() {
    let own = key(Algorithm::Es256, "k");
    let forger = key(Algorithm::Es256, "forged");
    let publisher = Publisher::of(set(&[&own])).await;
    let door = Door::new(&publisher.url()).await;
    let token = signed(&own, &claims());
    assert_eq!(door.with(&token).await.status, 200);
    for number in 0..200 {
        let header = json!({"alg": "ES256", "kid": format!("../{number}")});
        let forged = super::signed_as(&forger, &header, &claims());
        assert_eq!(door.with(&forged).await.status, 401);
        assert_eq!(door.with(&token).await.status, 200);
    }
    assert_eq!(publisher.server.count(), 2);
}

#[tokio::test]
async fn a_set_of_a_thousand_keys_works() {
    let keys: Vec<PrivateKey> = (0..1000)
        .map(|number| key(Algorithm::Es256, &format!("k{number}")))
        .collect();
    let rsa = key(Algorithm::Rs256, "rsa");
    let all: Vec<&PrivateKey> = keys.iter().chain([&rsa]).collect();
    let publisher = Publisher::of(set(&all)).await;
    let door = Door::new(&publisher.url()).await;
    for key in [&keys[0], &keys[499], &keys[999], &rsa] {
        assert_eq!(door.with(&signed(key, &claims())).await.status, 200);
    }
    // Without a name not every key is tried: a stranger's token is not worth that.
    let header = json!({"alg": "ES256"});
    let nameless = super::signed_as(&keys[999], &header, &claims());
    assert_eq!(door.with(&nameless).await.status, 401);
}

#[tokio::test]
async fn a_set_of_ten_megabytes_is_refused() {
    let own = key(Algorithm::Es256, "k");
    let mut large = set(&[&own]);
    large["padding"] = json!("x".repeat(10 << 20));
    let publisher = Publisher::of(large).await;
    let door = Door::new(&publisher.url()).await;
    let response = door.with(&signed(&own, &claims())).await;
    assert_eq!(
        (response.status, &*response.text()),
        (503, "Service Unavailable")
    );
    assert_eq!(response.headers.only("www-authenticate"), None);
    // It is not asked for again by each request.
    assert_eq!(door.with(&signed(&own, &claims())).await.status, 503);
    assert_eq!((publisher.server.count(), door.backend.count()), (1, 0));
}

// Holds F08.
#[tokio::test]
async fn a_server_that_fails_leaves_the_keys_and_without_any_the_route_is_closed() {
    let own = key(Algorithm::Es256, "k");
    let publisher = Publisher::of(set(&[&own])).await;
    let options = format!("{}, clientConfig: {{maxRetries: 0}}", publisher.url());
    let door = Door::new(&options).await;
    let token = signed(&own, &claims());
    assert_eq!(door.with(&token).await.status, 200);
    publisher.is_down.store(true, Ordering::Relaxed);
    let other = signed(&own, &with("sub", json!("bob")));
    assert_eq!(door.with(&other).await.status, 200);
    let late = Door::new(&options).await;
    for _ in 0..3 {
        assert_eq!(late.with(&token).await.status, 503);
    }
    // Whoever has no token is told so all the same.
    assert_eq!(late.get(&[]).await.status, 401);
    assert_eq!(late.backend.count(), 0);
    let empty = Publisher::of(json!({"keys": []})).await;
    let door = Door::new(&empty.url()).await;
    assert_eq!(door.with(&token).await.status, 503);
}

// Holds F08.
#[tokio::test]
async fn that_there_are_no_keys_is_told_once_and_callers_when_to_come_again() {
    let (ear, _listening) = Ear::listening();
    let own = key(Algorithm::Es256, "k");
    let publisher = Publisher::of(set(&[])).await;
    let door = Door::new(&publisher.url()).await;
    for _ in 0..20 {
        let response = door.with(&signed(&own, &claims())).await;
        assert_eq!(response.status, 503);
        assert_eq!(response.headers.only("retry-after"), Some("5"));
    }
    let told = "cannot be fetched; no token counts without them";
    assert_eq!(ear.heard().matches(told).count(), 1);
    assert!(!ear.heard().contains("the last ones are good"));
}

#[tokio::test]
async fn keys_survive_a_reload_that_leaves_the_options_as_they_are() {
    let own = key(Algorithm::Es256, "k");
    let publisher = Publisher::of(set(&[&own])).await;
    let jwt = format!("jwt: {{{}}}", publisher.url());
    let door = Door::behind(&[&jwt]).await;
    let token = signed(&own, &claims());
    assert_eq!(door.with(&token).await.status, 200);
    publisher.is_down.store(true, Ordering::Relaxed);
    assert_eq!(door.offer(&[&jwt, "addPrefix: {prefix: /v1}"]), "");
    let other = signed(&own, &with("sub", json!("bob")));
    assert_eq!(door.with(&other).await.status, 200);
    assert_eq!(door.backend.seen().last().unwrap().target, "/v1/");
    assert_eq!(publisher.server.count(), 1);
}

#[tokio::test]
async fn middlewares_that_want_the_same_keys_in_the_same_way_fetch_them_once() {
    let own = key(Algorithm::Es256, "k");
    let publisher = Publisher::of(set(&[&own])).await;
    let jwt = |more: &str| {
        format!(
            "jwt: {{{}, forwardAuthorization: true{more}}}",
            publisher.url()
        )
    };
    let audience = jwt(", audience: 'https://api.test'");
    let door = Door::behind(&[&jwt(""), &audience]).await;
    let token = signed(&own, &claims());
    assert_eq!(door.with(&token).await.status, 200);
    assert_eq!(publisher.server.count(), 1);
    // Other things may be asked of tokens than before: the keys are the same.
    assert_eq!(door.offer(&[&jwt(", issuer: 'https://as.test'")]), "");
    assert_eq!(door.with(&token).await.status, 200);
    assert_eq!(publisher.server.count(), 1);
    // Who fetches in another way may get another answer.
    assert_eq!(door.offer(&[&jwt(", clientConfig: {maxRetries: 1}")]), "");
    assert_eq!(door.with(&token).await.status, 200);
    assert_eq!(publisher.server.count(), 2);
}

// Holds JW-02, JW-17.
#[tokio::test]
async fn keys_that_are_weak_or_of_other_kinds_do_not_spoil_a_set_and_alone_are_none() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let number = "_".repeat(171);
    let others = [
        json!({"kty": "RSA", "kid": "k", "n": number, "e": "AQAB"}),
        json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}),
        json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": "AAAA", "y": "AAAA"}),
        json!({"kty": "new", "kid": "k"}),
        json!("k"),
    ];
    for (keys, status) in [
        (others.to_vec(), 503),
        (
            [&others[..], &[set(&[&own])["keys"][0].clone()]].concat(),
            200,
        ),
    ] {
        let publisher = Publisher::of(json!({"keys": keys})).await;
        let door = Door::new(&publisher.url()).await;
        assert_eq!(door.with(&token).await.status, status);
        let forged = super::shared(b"secret", "HS256", &claims());
        assert_ne!(door.with(&forged).await.status, 200);
    }
}

#[tokio::test]
async fn failed_fetches_are_repeated_as_often_as_the_options_say() {
    let own = key(Algorithm::Es256, "k");
    let publisher = Publisher::of(set(&[&own])).await;
    publisher.is_down.store(true, Ordering::Relaxed);
    let options = format!("{}, clientConfig: {{maxRetries: 2}}", publisher.url());
    let door = Door::new(&options).await;
    assert_eq!(door.with(&signed(&own, &claims())).await.status, 503);
    assert_eq!(publisher.server.count(), 3);
}
