//! Lists in which verifiers see which tokens were revoked.

use std::{io::Read as _, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use carnet_authserver::Options;
use carnet_jose::{JwkSet, base64url, jws, jwt};
use flate2::read::ZlibDecoder;
use serde_json::{Value, json};

use crate::server::{Answer, Room, send, tutorial};

fn options() -> Options {
    Options {
        status_list: Some(Duration::from_secs(60)),
        ..tutorial()
    }
}

/// Where the bit of a token stands.
fn place(token: &str) -> (String, usize) {
    let decoded = jws::decode_unverified(token).unwrap();
    let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
    let status = &claims["status"]["status_list"];
    let index = status["idx"].as_u64().unwrap_or_else(|| panic!("{claims}"));
    let address = status["uri"].as_str().unwrap().to_owned();
    (address, usize::try_from(index).unwrap())
}

fn path(address: &str) -> &str {
    address.strip_prefix("http://hydra.hydra.svc:4444").unwrap()
}

/// The name of the list of a token.
pub(super) fn name(token: &str) -> String {
    let (address, _) = place(token);
    address.rsplit_once('/').unwrap().1.to_owned()
}

async fn list(room: &Room, address: &str) -> Answer {
    room.get(path(address)).await
}

/// What a verifier sees, which believes the published keys alone.
async fn is_revoked(room: &Room, token: &str) -> bool {
    let (address, index) = place(token);
    let answer = list(room, &address).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let published = room.get("/.well-known/jwks.json").await.text;
    let keys = JwkSet::from_json(published.as_bytes()).unwrap();
    let verified = jws::verify(&answer.text, &keys).unwrap();
    assert_eq!(verified.header["typ"], "statuslist+jwt");
    let claims = jwt::claims(&verified.payload).unwrap();
    assert_eq!(claims["sub"], address.as_str());
    assert_eq!(claims["status_list"]["bits"], 1);
    let packed = base64url::decode(claims["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bits = Vec::new();
    ZlibDecoder::new(&packed[..])
        .read_to_end(&mut bits)
        .unwrap();
    bits[index / 8] >> (index % 8) & 1 == 1
}

async fn revoke(room: &Room, client: &str, token: &str) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let header = format!("Basic {}", STANDARD.encode(format!("{client}:traefiklabs")));
    let form = format!("token={token}");
    let answer = room
        .post("/oauth2/revoke", &[("authorization", &header)], &form)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn a_token_that_is_revoked_is_so_in_its_list_and_no_other_one_is() {
    let room = Room::new(options()).await;
    let (one, other) = (room.create(json!({})).await, room.create(json!({})).await);
    let mut tokens = Vec::new();
    for _ in 0..20 {
        tokens.push(room.token(&one).await);
        tokens.push(room.token(&other).await);
    }
    room.clock.advance(Duration::from_secs(1));
    tokens.push(room.token(&one).await);
    let mut places: Vec<_> = tokens.iter().map(|token| place(token)).collect();
    places.sort();
    places.dedup();
    assert_eq!(
        places.len(),
        tokens.len(),
        "each token has a place of its own"
    );
    for token in &tokens {
        assert!(!is_revoked(&room, token).await);
    }
    revoke(&room, &one, &tokens[0]).await;
    revoke(&room, &one, &tokens[38]).await;
    for (at, token) in tokens.iter().enumerate() {
        let expected = at == 0 || at == 38;
        assert_eq!(is_revoked(&room, token).await, expected, "{at}");
        let active = room.introspect(token).await["active"].clone();
        assert_eq!(active, json!(!expected), "{at}");
    }
}

#[tokio::test]
async fn all_tokens_of_a_client_are_revoked_until_then_also_those_of_another_server() {
    let room = Room::new(options()).await;
    let other = Room::over(options(), Arc::clone(&room.store)).await;
    let (one, two) = (room.create(json!({})).await, room.create(json!({})).await);
    let early = [
        room.token(&one).await,
        other.token(&one).await,
        room.token(&two).await,
    ];
    room.clock.advance(Duration::from_secs(2));
    other.clock.advance(Duration::from_secs(2));
    let path = format!("/admin/oauth2/tokens?client_id={one}");
    let answer = room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    room.clock.advance(Duration::from_secs(1));
    let late = room.token(&one).await;
    for (token, expected) in [
        (&early[0], true),
        (&early[1], true),
        (&early[2], false),
        (&late, false),
    ] {
        assert_eq!(is_revoked(&room, token).await, expected);
    }
}

#[tokio::test]
async fn a_list_may_be_kept_for_its_time_and_a_revocation_is_in_the_next_one() {
    let room = Room::new(options()).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    let (address, _) = place(&token);
    let first = list(&room, &address).await;
    assert_eq!(
        first.header("content-type"),
        Some("application/statuslist+jwt")
    );
    assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
    let decoded = jws::decode_unverified(&first.text).unwrap();
    let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
    let (made, ends) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert_eq!((&claims["ttl"], ends - made), (&json!(60), 120));
    assert!(
        first.text.len() < 2000,
        "{} bytes of nothing",
        first.text.len()
    );
    room.clock.advance(Duration::from_secs(30));
    assert_eq!(list(&room, &address).await.text, first.text, "signed once");
    revoke(&room, &id, &token).await;
    assert_ne!(list(&room, &address).await.text, first.text);
    assert!(is_revoked(&room, &token).await);
    room.clock.advance(Duration::from_secs(60));
    assert!(is_revoked(&room, &token).await);
}

#[tokio::test]
async fn names_that_were_not_given_here_are_no_lists() {
    let room = Room::new(options()).await;
    let id = room.create(json!({})).await;
    let (address, _) = place(&room.token(&id).await);
    let own = path(&address);
    let cut = &own[..own.len() - 1];
    for target in [
        "/oauth2/status/",
        "/oauth2/status/x",
        "/oauth2/status/AAAA",
        cut,
    ] {
        assert_eq!(
            room.get(target).await.status,
            StatusCode::NOT_FOUND,
            "{target}"
        );
    }
    let forged = format!("{}AAAA", &own[..own.len() - 4]);
    assert_eq!(room.get(&forged).await.status, StatusCode::NOT_FOUND);
    let past = room.get(&format!("{own}?time=1")).await;
    assert_eq!(past.status, StatusCode::NOT_IMPLEMENTED);
    for (accept, status) in [
        ("application/statuslist+jwt", StatusCode::OK),
        (
            "application/statuslist+cwt, application/statuslist+jwt;q=0.5",
            StatusCode::OK,
        ),
        ("*/*", StatusCode::OK),
        ("application/statuslist+cwt", StatusCode::NOT_ACCEPTABLE),
    ] {
        let request = Request::get(own).header("accept", accept);
        let request = request.body(Body::empty()).unwrap();
        let answer = send(room.server.public_router(), request).await;
        assert_eq!(answer.status, status, "{accept}");
    }
    let elsewhere = Options {
        system_secrets: vec!["another-secret-of-another-server".into()],
        ..options()
    };
    let elsewhere = Room::new(elsewhere).await;
    assert_eq!(elsewhere.get(own).await.status, StatusCode::NOT_FOUND);
}

// Holds JW-10.
#[tokio::test]
async fn a_list_is_no_access_token_and_without_the_option_there_is_none() {
    let room = Room::new(options()).await;
    let id = room.create(json!({})).await;
    let token = room.token(&id).await;
    let said = room.introspect(&token).await;
    assert_eq!(said.get("ext"), None, "{said}");
    let (address, _) = place(&token);
    let text = list(&room, &address).await.text;
    assert_eq!(room.introspect(&text).await, json!({"active": false}));
    let off = Room::over(tutorial(), Arc::clone(&room.store)).await;
    assert_eq!(off.get(path(&address)).await.status, StatusCode::NOT_FOUND);
    let plain = off.token(&id).await;
    let decoded = jws::decode_unverified(&plain).unwrap();
    let claims: Value = serde_json::from_slice(&decoded.payload).unwrap();
    assert_eq!(claims.get("status"), None);
}
