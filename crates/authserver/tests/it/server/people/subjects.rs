//! Names of people that differ from client to client (OpenID Connect Core, section 8.1), and what is
//! said of them signed.

use axum::http::{Method, StatusCode};
use carnet_authserver::Options;
use carnet_jose::{JwkSet, jws};
use serde_json::{Value, json};

use super::{Browser, begin, claims, options, text, tokens, web};
use crate::server::{Answer, Room};

async fn room() -> Room {
    let options = Options {
        subject_types: vec!["public".to_owned(), "pairwise".to_owned()],
        pairwise_salt: Some("salt-of-the-tests".into()),
        ..options()
    };
    Room::new(options).await
}

async fn pairwise(room: &Room) -> String {
    web(room, json!({"subject_type": "pairwise"})).await
}

async fn userinfo(room: &Room, tokens: &Value) -> Answer {
    let header = format!("Bearer {}", text(tokens, "access_token"));
    let headers = [("authorization", header.as_str())];
    room.post("/userinfo", &headers, "").await
}

#[tokio::test]
async fn a_client_knows_a_person_by_one_name_and_others_by_another() {
    let room = room().await;
    let (id, other) = (pairwise(&room).await, web(&room, json!({})).await);
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id).await;
    let name = claims(text(&first, "id_token"))["sub"].clone();
    // printf %s app.examplealicesalt-of-the-tests | sha256sum
    assert_eq!(
        name,
        "8bc3cfa9225c53b8b2287dea74d03958887a66021eeca2b0bab15e8b9f16b0fd"
    );
    assert_eq!(userinfo(&room, &first).await.json()["sub"], name);
    let again = tokens(&room, &mut Browser::default(), &id).await;
    assert_eq!(claims(text(&again, "id_token"))["sub"], name);
    let public = tokens(&room, &mut browser, &other).await;
    assert_eq!(claims(text(&public, "id_token"))["sub"], "alice");
    // Whoever introspects is no client: the administrator knows who it is.
    let told = room.introspect(text(&first, "access_token")).await;
    assert_eq!(told["sub"], "alice");
}

#[tokio::test]
async fn a_hint_and_a_logout_know_the_person_by_that_name() {
    let room = room().await;
    let id = pairwise(&room).await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id).await;
    let hint = text(&first, "id_token");
    let hinted = begin(&id, &format!("&prompt=none&id_token_hint={hint}"));
    let begun = browser.open(&room, &hinted).await;
    assert!(
        begun.parameter("login_challenge").is_some(),
        "{}",
        begun.location()
    );
    let leave = format!("/oauth2/sessions/logout?id_token_hint={hint}");
    let leaving = browser.open(&room, &leave).await;
    assert!(
        leaving.parameter("logout_challenge").is_some(),
        "{}",
        leaving.location()
    );
}

#[tokio::test]
async fn a_client_on_several_hosts_has_no_sector() {
    let room = room().await;
    for addresses in [
        json!(["https://a.example/cb", "https://b.example/cb"]),
        json!(["com.app:/cb"]),
        json!([]),
    ] {
        let client = json!({"subject_type": "pairwise", "redirect_uris": addresses});
        let answer = room.admin(Method::POST, "/admin/clients", client).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{addresses}");
    }
    let document = room.get("/.well-known/openid-configuration").await.json();
    assert_eq!(
        document["subject_types_supported"],
        json!(["public", "pairwise"])
    );
}

#[tokio::test]
async fn names_are_not_made_without_a_salt() {
    let room = Room::new(Options {
        pairwise_salt: None,
        subject_types: vec!["pairwise".to_owned()],
        ..options()
    })
    .await;
    let id = pairwise(&room).await;
    let code = super::code(&room, &mut Browser::default(), &id, "").await;
    let answer = super::exchange(&room, &id, &code, "").await;
    assert_eq!(
        answer.status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("alice"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_said_of_a_person_is_signed_for_who_wants_it_so() {
    let room = room().await;
    let id = web(&room, json!({"userinfo_signed_response_alg": "RS256"})).await;
    let tokens = tokens(&room, &mut Browser::default(), &id).await;
    let answer = userinfo(&room, &tokens).await;
    assert_eq!(answer.header("content-type"), Some("application/jwt"));
    let jwks = room.get("/.well-known/jwks.json").await;
    let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
    let verified = jws::verify(&answer.text, &keys).unwrap();
    assert_eq!(verified.header["alg"], "RS256");
    let told = claims(&answer.text);
    assert_eq!(
        (&told["sub"], &told["email"]),
        (&json!("alice"), &json!("alice@example"))
    );
    assert_eq!(
        (&told["iss"], &told["aud"]),
        (&json!("http://hydra.hydra.svc:4444"), &json!([id]))
    );
    // It is no id token: nobody logs out or is recognised with it.
    let hinted = begin(&id, &format!("&id_token_hint={}", answer.text));
    let refused = room.get(&hinted).await;
    assert_eq!(
        refused.parameter("error").as_deref(),
        Some("invalid_request")
    );
}

#[tokio::test]
async fn a_login_may_give_a_person_a_name_for_one_client() {
    let room = room().await;
    let (id, other) = (pairwise(&room).await, web(&room, json!({})).await);
    let mut browser = Browser::default();
    let login = json!({"subject": "alice", "remember": true, "remember_for": 3600,
        "force_subject_identifier": "al-of-the-app"});
    let mut hints = Vec::new();
    for (client, name) in [(&id, "al-of-the-app"), (&other, "alice")] {
        let begun = browser.open(&room, &begin(client, "&prompt=login")).await;
        let challenge = super::log_in(&room, &mut browser, &begun, login.clone()).await;
        let grant = json!({"grant_scope": ["openid", "offline"]});
        let back = super::sent(&room, "consent", "accept", &challenge, grant).await;
        let code = browser.open(&room, &back).await.parameter("code").unwrap();
        let got = super::exchange(&room, client, &code, "").await.json();
        assert_eq!(claims(text(&got, "id_token"))["sub"], name);
        assert_eq!(userinfo(&room, &got).await.json()["sub"], name);
        let told = room.introspect(text(&got, "access_token")).await;
        assert_eq!(told["sub"], "alice");
        hints.push(text(&got, "id_token").to_owned());
    }
    // Whoever is called so is known again, by a request and when they leave.
    for hint in hints {
        let hinted = begin(&id, &format!("&prompt=none&id_token_hint={hint}"));
        let begun = browser.open(&room, &hinted).await;
        assert!(
            begun.parameter("login_challenge").is_some(),
            "{}",
            begun.location()
        );
        let leave = format!("/oauth2/sessions/logout?id_token_hint={hint}");
        let leaving = browser.open(&room, &leave).await;
        assert!(
            leaving.parameter("logout_challenge").is_some(),
            "{}",
            leaving.location()
        );
    }
}

#[tokio::test]
async fn a_name_that_was_given_is_nobody_elses() {
    let room = room().await;
    let id = pairwise(&room).await;
    let mut hints = Vec::new();
    let mut browsers = [Browser::default(), Browser::default()];
    for (browser, subject) in browsers.iter_mut().zip(["alice", "bob"]) {
        let begun = browser.open(&room, &begin(&id, "")).await;
        let login = json!({"subject": subject, "remember": true,
            "force_subject_identifier": format!("{subject}-of-the-app")});
        let challenge = super::log_in(&room, browser, &begun, login).await;
        let grant = json!({"grant_scope": ["openid"]});
        let back = super::sent(&room, "consent", "accept", &challenge, grant).await;
        let code = browser.open(&room, &back).await.parameter("code").unwrap();
        let got = super::exchange(&room, &id, &code, "").await.json();
        hints.push(text(&got, "id_token").to_owned());
    }
    let hinted = begin(&id, &format!("&prompt=none&id_token_hint={}", hints[1]));
    let answer = browsers[0].open(&room, &hinted).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn clients_of_one_sector_know_a_person_by_one_name() {
    let room = room().await;
    let mut names = Vec::new();
    for (sector, host) in [("one", "a"), ("one", "b"), ("two", "b")] {
        let id = pairwise(&room).await;
        let mut row = room.store.find_client(&id).await.unwrap().unwrap();
        let before = row.clone();
        // As an administrator's client has it whose document was read.
        row.client.sector_identifier_uri = format!("https://{sector}.example/uris.json");
        let addresses = row.client.redirect_uris.as_mut().unwrap();
        addresses.push(format!("https://{host}.example/cb"));
        assert!(room.store.replace_client(&before, &row).await.unwrap());
        let got = tokens(&room, &mut Browser::default(), &id).await;
        names.push(claims(text(&got, "id_token"))["sub"].clone());
    }
    assert_eq!(names[0], names[1]);
    assert_ne!(names[1], names[2]);
}

#[tokio::test]
async fn a_sector_that_cannot_be_read_takes_nobody_in() {
    let room = room().await;
    for address in [
        "https://127.0.0.1:1/uris.json",
        "http://127.0.0.1:1/uris.json",
        "https://169.254.169.254/uris.json",
        "uris.json",
    ] {
        let sector = json!({"subject_type": "pairwise", "sector_identifier_uri": address,
            "redirect_uris": ["https://a.example/cb", "https://b.example/cb"]});
        let answer = room
            .admin(Method::POST, "/admin/clients", sector.clone())
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(answer.json()["error"], "invalid_client_metadata");
        let id = room.create(json!({})).await;
        let path = format!("/admin/clients/{id}");
        let answer = room.admin(Method::PUT, &path, sector).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}");
    }
}
