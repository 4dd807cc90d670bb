//! Codes, id tokens and who may ask for them.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use carnet_jose::{JwkSet, jws};
use serde_json::json;

use super::{answered, ask, error, room, tokens, userinfo};
use crate::server::{
    Room,
    people::{Browser, CALLBACK, CHALLENGE, VERIFIER, claims, exchange, refused, text, web},
    send,
};

/// The page where a person is told what no client may be told.
const PAGE: &str = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=";

// oidcc-server
#[tokio::test]
async fn an_id_token_says_who_for_whom_and_how_long_and_is_signed_with_a_published_key() {
    let (room, id) = room().await;
    let tokens = tokens(&room, &mut Browser::default(), &id, &[]).await;
    assert_eq!(tokens["token_type"], "bearer");
    assert!(tokens["expires_in"].as_i64().unwrap() > 0);
    let jwks = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
    let id_token = text(&tokens, "id_token");
    let verified = jws::verify(id_token, &keys).unwrap();
    assert_eq!(verified.header["alg"], "RS256");
    assert!(verified.header["kid"].is_string(), "several keys need one");
    let told = claims(id_token);
    assert_eq!(told["iss"], "http://hydra.hydra.svc:4444");
    assert_eq!(
        (&told["sub"], &told["aud"]),
        (&json!("alice"), &json!([id]))
    );
    assert_eq!(told["nonce"], "a-nonce-of-the-suite");
    let at = |name: &str| told[name].as_i64().unwrap();
    assert!(at("iat") < at("exp") && at("auth_time") <= at("iat"));
    assert!(told["at_hash"].is_string());
    assert_eq!(told.get("azp"), None, "there is one audience");
}

// oidcc-ensure-request-without-nonce-succeeds-for-code-flow
#[tokio::test]
async fn a_request_without_a_nonce_gets_an_id_token_without_one() {
    let (room, id) = room().await;
    let tokens = tokens(&room, &mut Browser::default(), &id, &[("nonce", "")]).await;
    assert_eq!(claims(text(&tokens, "id_token")).get("nonce"), None);
}

// oidcc-response-type-missing
#[tokio::test]
async fn a_request_without_a_response_type_is_refused() {
    let (room, id) = room().await;
    let answer = room.get(&ask(&id, &[("response_type", "")])).await;
    assert_eq!(error(&answer), "unsupported_response_type");
}

// oidcc-ensure-registered-redirect-uri
#[tokio::test]
async fn an_address_that_was_not_registered_is_told_nothing() {
    let (room, id) = room().await;
    for address in [
        "https://app.example/callback/other",
        "https://app.example/callback?more=1",
        "https://other.example/callback",
    ] {
        let answer = room.get(&ask(&id, &[("redirect_uri", address)])).await;
        let page = format!("{PAGE}invalid_request&");
        assert!(
            answer.location().starts_with(&page),
            "{}",
            answer.location()
        );
    }
}

// oidcc-ensure-post-request-succeeds
#[tokio::test]
async fn a_request_may_be_posted() {
    let (room, id) = room().await;
    let path = ask(&id, &[]);
    let (endpoint, form) = path.split_once('?').unwrap();
    let answer = room.post(endpoint, &[], form).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    assert!(answer.parameter("login_challenge").is_some());
}

// oidcc-ensure-request-with-unknown-parameter-succeeds
// oidcc-ensure-other-scope-order-succeeds
#[tokio::test]
async fn what_a_request_has_besides_changes_nothing() {
    let (room, id) = room().await;
    for change in [("extra", "foobar"), ("scope", "email openid")] {
        tokens(&room, &mut Browser::default(), &id, &[change]).await;
    }
}

// oidcc-ensure-request-with-valid-pkce-succeeds
#[tokio::test]
async fn a_request_with_a_proof_key_gets_tokens_for_its_proof_alone() {
    let (room, id) = room().await;
    let proof = [
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let answer = answered(&room, &mut Browser::default(), &ask(&id, &proof)).await;
    let code = answer.parameter("code").unwrap();
    refused(&exchange(&room, &id, &code, "").await, "invalid_grant");
    let proven = exchange(&room, &id, &code, &format!("&code_verifier={VERIFIER}")).await;
    assert_eq!(proven.status, StatusCode::OK, "{}", proven.text);
}

// oidcc-codereuse
// oidcc-codereuse-30seconds
#[tokio::test]
async fn a_code_that_comes_again_is_refused_and_ends_what_it_gave() {
    for seconds in [0, 30] {
        let (room, id) = room().await;
        let answer = answered(&room, &mut Browser::default(), &ask(&id, &[])).await;
        let code = answer.parameter("code").unwrap();
        let tokens = exchange(&room, &id, &code, "").await.json();
        assert_eq!(userinfo(&room, &tokens).await.status, StatusCode::OK);
        room.clock.advance(Duration::from_secs(seconds));
        refused(&exchange(&room, &id, &code, "").await, "invalid_grant");
        let told = userinfo(&room, &tokens).await;
        assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{}", told.text);
    }
}

// oidcc-server-client-secret-post
#[tokio::test]
async fn a_client_may_authenticate_in_the_body() {
    let (room, _) = room().await;
    let id = web(
        &room,
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    )
    .await;
    let answer = answered(&room, &mut Browser::default(), &ask(&id, &[])).await;
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&client_id={id}\
         &client_secret=traefiklabs",
        answer.parameter("code").unwrap(),
        CALLBACK.replace(':', "%3A").replace('/', "%2F"),
    );
    let answer = room.post("/oauth2/token", &[], &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

// oidcc-refresh-token
#[tokio::test]
async fn a_refreshed_id_token_is_about_the_same_login() {
    let (room, id) = room().await;
    let scope = [("scope", "openid offline_access"), ("prompt", "consent")];
    let first = tokens(&room, &mut Browser::default(), &id, &scope).await;
    room.clock.advance(Duration::from_secs(5));
    let form = format!(
        "grant_type=refresh_token&refresh_token={}",
        text(&first, "refresh_token")
    );
    let answer = room.basic_form(&id, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let second = answer.json();
    assert_ne!(first["access_token"], second["access_token"]);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let [old, new] = [&first, &second].map(|tokens| claims(text(tokens, "id_token")));
    for same in ["iss", "sub", "aud", "auth_time", "nonce"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert!(old["iat"].as_i64() < new["iat"].as_i64());
    assert_ne!(old["at_hash"], new["at_hash"]);
    assert_eq!(userinfo(&room, &second).await.json()["sub"], "alice");
}

// oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported
// oidcc-ensure-request-object-with-redirect-uri
#[tokio::test]
async fn what_is_not_supported_is_refused_by_its_name() {
    let (room, id) = room().await;
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.";
    for (name, value, expected) in [
        ("request", object, "request_not_supported"),
        (
            "request_uri",
            "https://app.example/request",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let answer = room.get(&ask(&id, &[(name, value)])).await;
        assert_eq!(error(&answer), expected, "{name}");
    }
}

// OpenID Connect Core, section 3.1.2.5; OAuth 2.0 Form Post Response Mode, section 2.
#[tokio::test]
async fn the_answer_comes_by_the_way_that_was_asked_for() {
    let (room, id) = room().await;
    for (mode, expected) in [
        ("query", "https://app.example/callback?code="),
        ("fragment", "https://app.example/callback#code="),
    ] {
        let path = ask(&id, &[("response_mode", mode)]);
        let answer = answered(&room, &mut Browser::default(), &path).await;
        let location = answer.location();
        assert!(location.starts_with(expected), "{location}");
    }
    let path = ask(&id, &[("response_mode", "form_post")]);
    let answer = answered(&room, &mut Browser::default(), &path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for part in [
        "<form method=\"post\" action=\"https://app.example/callback\">",
        "name=\"code\"",
        "value=\"a-state-of-the-suite\"",
    ] {
        assert!(answer.text.contains(part), "{part} in {}", answer.text);
    }
}

// oidcc-userinfo-get
// oidcc-userinfo-post-header
// oidcc-userinfo-post-body
#[tokio::test]
async fn userinfo_answers_get_and_post_with_the_token_in_the_header_or_the_body() {
    let (room, id) = room().await;
    let tokens = tokens(&room, &mut Browser::default(), &id, &[]).await;
    let token = text(&tokens, "access_token");
    let header = format!("Bearer {token}");
    let in_header = [("authorization", header.as_str())];
    let form = format!("access_token={token}");
    for answer in [
        userinfo(&room, &tokens).await,
        room.post("/userinfo", &in_header, "").await,
        without_a_body(&room, &header).await,
        room.post("/userinfo", &[], &form).await,
    ] {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(
            answer.header("content-type"),
            Some("application/json; charset=utf-8")
        );
        assert_eq!(answer.json()["sub"], "alice");
    }
}

/// A POST that names no type, as there is nothing in it.
async fn without_a_body(room: &Room, header: &str) -> crate::server::Answer {
    let request = Request::post("/userinfo").header("authorization", header);
    let request = request.body(Body::empty()).unwrap();
    send(room.server.public_router(), request).await
}
