//! Requests that clients push before a browser comes (RFC 9126).

use std::time::Duration;

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    Answer, Browser, CHALLENGE, People, Room, VERIFIER, exchange, log_in, options, refused, sent,
    web,
};
use crate::server::bound::Key;
use carnet_authserver::Options;

/// What a client asks for.
const ASKED: &str = "response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&\
                     scope=openid+offline+read&state=0123456789";

async fn push(room: &Room, id: &str, secret: &str, more: &str) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let form = format!("{ASKED}{more}");
    room.post("/oauth2/par", &[("authorization", &basic)], &form)
        .await
}

/// The name of a pushed request.
async fn pushed(room: &Room, id: &str, more: &str) -> String {
    let answer = push(room, id, "traefiklabs", more).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let told = answer.json();
    assert_eq!(told["expires_in"], 90);
    let name = told["request_uri"].as_str().unwrap().to_owned();
    assert!(
        name.starts_with("urn:ietf:params:oauth:request_uri:"),
        "{name}"
    );
    name
}

fn bring(id: &str, name: &str) -> String {
    format!("/oauth2/auth?client_id={id}&request_uri={name}")
}

/// What a person reads of an error.
fn page_of(answer: &Answer) -> Option<String> {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    let is_page = answer.location().contains("/oauth2/fallbacks/error");
    is_page.then(|| answer.parameter("error").unwrap())
}

#[tokio::test]
async fn a_pushed_request_becomes_a_code_once() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let name = pushed(&room, &id, &challenge).await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &bring(&id, &name)).await;
    let login = json!({"subject": "alice"});
    let consent_challenge = log_in(&room, &mut browser, &begun, login).await;
    let consent = json!({"grant_scope": ["openid", "offline"]});
    let back = sent(&room, "consent", "accept", &consent_challenge, consent).await;
    // What was asked does not go through the browser.
    assert!(
        !back.contains("redirect_uri") && !back.contains("0123456789"),
        "{back}"
    );
    let answer = browser.open(&room, &back).await;
    assert_eq!(answer.parameter("state").as_deref(), Some("0123456789"));
    let code = answer.parameter("code").unwrap();
    let verifier = format!("&code_verifier={VERIFIER}");
    let tokens = exchange(&room, &id, &code, &verifier).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);

    let again = Browser::default().open(&room, &bring(&id, &name)).await;
    assert_eq!(page_of(&again).as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a_name_is_for_one_client_and_for_ninety_seconds() {
    let room = Room::new(options()).await;
    let (one, two) = (web(&room, json!({})).await, web(&room, json!({})).await);
    let name = pushed(&room, &one, "").await;
    for (id, name) in [
        (&two, name.as_str()),
        (&one, "urn:ietf:params:oauth:request_uri:forged"),
    ] {
        let answer = Browser::default().open(&room, &bring(id, name)).await;
        assert_eq!(
            page_of(&answer).as_deref(),
            Some("invalid_request"),
            "{name}"
        );
    }
    room.clock.advance(Duration::from_secs(89));
    let answer = Browser::default().open(&room, &bring(&one, &name)).await;
    assert_eq!(page_of(&answer), None);
    let late = pushed(&room, &one, "").await;
    room.clock.advance(Duration::from_secs(90));
    let answer = Browser::default().open(&room, &bring(&one, &late)).await;
    assert_eq!(page_of(&answer).as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn what_is_wrong_is_told_to_the_client_that_pushes() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let answer = push(&room, &id, "wrong", "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "invalid_client");
    for (more, error) in [
        (
            "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax",
            "invalid_request",
        ),
        ("&request=x", "request_not_supported"),
        ("&scope=x", "invalid_request"),
        ("&audience=x", "invalid_request"),
        ("&response_mode=odd", "unsupported_response_mode"),
        ("&client_id=other", "invalid_client"),
    ] {
        let answer = push(&room, &id, "traefiklabs", more).await;
        assert_eq!(answer.json()["error"], error, "{more} {}", answer.text);
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:traefiklabs")));
    for (form, error) in [
        (
            "response_type=code&redirect_uri=https%3A%2F%2Fevil.example&state=0123456789",
            "invalid_request",
        ),
        ("response_type=code&state=1", "invalid_state"),
        (
            "response_type=token&state=0123456789",
            "unsupported_response_type",
        ),
        (
            "response_type=code&state=0123456789&scope=admin",
            "invalid_scope",
        ),
    ] {
        let answer = room
            .post("/oauth2/par", &[("authorization", &basic)], form)
            .await;
        refused(&answer, error);
    }
    assert_eq!(room.get("/oauth2/par").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_has_to_be_pushed_where_the_client_or_the_server_says_so() {
    let room = Room::new(options()).await;
    let free = web(&room, json!({})).await;
    let bound = web(
        &room,
        json!({"require_pushed_authorization_requests": true}),
    )
    .await;
    let open = async |id: &str| {
        let address = format!("/oauth2/auth?client_id={id}&{ASKED}");
        Browser::default().open(&room, &address).await
    };
    assert_eq!(open(&free).await.status, StatusCode::FOUND);
    let answer = open(&bound).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("invalid_request")
    );
    let name = pushed(&room, &bound, "").await;
    let answer = Browser::default().open(&room, &bring(&bound, &name)).await;
    assert_eq!(page_of(&answer), None);

    let all = Options {
        people: People {
            par_required: true,
            ..options().people
        },
        ..options()
    };
    room.server.reload(all).unwrap();
    assert_eq!(open(&free).await.status, StatusCode::SEE_OTHER);
    let document = room.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["require_pushed_authorization_requests"], true);
    assert_eq!(
        document["pushed_authorization_request_endpoint"],
        "http://hydra.docker.localhost/oauth2/par"
    );
}

/// A proof of a key, for an endpoint.
fn proof(key: &Key, path: &str, jti: &str) -> String {
    key.proof(&json!({"jti": jti, "htu": format!("http://hydra.docker.localhost{path}")}))
}

/// The way of a browser from an address to a code.
async fn code_of(room: &Room, address: &str) -> String {
    let mut browser = Browser::default();
    let begun = browser.open(room, address).await;
    let login = json!({"subject": "alice"});
    let challenge = log_in(room, &mut browser, &begun, login).await;
    let consent = json!({"grant_scope": ["openid", "offline", "read"]});
    let back = sent(room, "consent", "accept", &challenge, consent).await;
    let answer = browser.open(room, &back).await;
    answer.parameter("code").unwrap()
}

#[tokio::test]
async fn a_code_is_for_the_key_that_it_was_asked_for_with() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:traefiklabs")));
    let (key, other) = (Key::new(), Key::new());
    let pushed = async |jti: &str, more: &str| {
        let proof = proof(&key, "/oauth2/par", jti);
        let headers = [("authorization", basic.as_str()), ("dpop", &proof)];
        let form = format!("{ASKED}{more}");
        room.post("/oauth2/par", &headers, &form).await
    };
    let redeem = async |code: &str, proof: Option<&str>| {
        let mut headers = vec![("authorization", basic.as_str())];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2F\
             callback"
        );
        room.post("/oauth2/token", &headers, &form).await
    };
    let wrong = pushed("0", &format!("&dpop_jkt={}", other.thumbprint())).await;
    refused(&wrong, "invalid_request");
    let name = pushed("1", "").await.json()["request_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    for address in [
        bring(&id, &name),
        format!(
            "/oauth2/auth?client_id={id}&{ASKED}&dpop_jkt={}",
            key.thumbprint()
        ),
    ] {
        let code = code_of(&room, &address).await;
        refused(&redeem(&code, None).await, "invalid_grant");
        let of_other = proof(&other, "/oauth2/token", &code);
        refused(&redeem(&code, Some(&of_other)).await, "invalid_grant");
        let right = proof(&key, "/oauth2/token", &code);
        let answer = redeem(&code, Some(&right)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.json()["token_type"], "DPoP");
    }
}

#[tokio::test]
async fn a_refresh_token_of_a_client_without_a_secret_is_bound_and_one_with_a_secret_is_not() {
    let room = Room::new(options()).await;
    let public = web(&room, json!({"token_endpoint_auth_method": "none"})).await;
    let secret = web(
        &room,
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    )
    .await;
    let (key, other) = (Key::new(), Key::new());
    let ask = async |id: &str, form: &str, proof: Option<&str>| {
        let headers: Vec<_> = proof.map(|proof| ("dpop", proof)).into_iter().collect();
        let secret = match id == secret {
            true => "&client_secret=traefiklabs",
            false => "",
        };
        let form = format!("{form}&client_id={id}{secret}");
        room.post("/oauth2/token", &headers, &form).await
    };
    for (id, is_bound) in [(&public, true), (&secret, false)] {
        let challenge = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let address = format!("/oauth2/auth?client_id={id}&{ASKED}{challenge}");
        let code = code_of(&room, &address).await;
        let form = format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&\
             redirect_uri=https%3A%2F%2Fapp.example%2Fcallback"
        );
        let first = ask(id, &form, Some(&proof(&key, "/oauth2/token", &code))).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        let refresh = first.json()["refresh_token"].as_str().unwrap().to_owned();
        let cnf = room.introspect(&refresh).await["cnf"].clone();
        assert_eq!(cnf == json!({"jkt": key.thumbprint()}), is_bound, "{cnf}");
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        if is_bound {
            refused(&ask(id, &form, None).await, "invalid_grant");
            let of_other = proof(&other, "/oauth2/token", &refresh);
            refused(&ask(id, &form, Some(&of_other)).await, "invalid_grant");
        }
        let right = proof(&key, "/oauth2/token", &format!("right {id}"));
        let second = ask(id, &form, Some(&right)).await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.text);
        assert_eq!(second.json()["token_type"], "DPoP");
    }
}
