//! Logging in and consenting: once, in one browser, in time; and what is remembered of it.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Browser, begin, code, log_in, options, say, sent, text, tokens, web};
use crate::server::Room;

#[tokio::test]
async fn verifiers_work_once() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &begin(&id, "")).await;
    let login = begun.parameter("login_challenge").unwrap();
    let subject = json!({"subject": "alice"});
    let back = sent(&room, "login", "accept", &login, subject.clone()).await;
    let again = sent(&room, "login", "accept", &login, subject).await;
    let answer = browser.open(&room, &back).await;
    let consent = answer.parameter("consent_challenge").unwrap();
    for used in [&back, &again] {
        let answer = browser.open(&room, used).await;
        assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
    }
    let granted = json!({"grant_scope": ["read"]});
    let back = sent(&room, "consent", "accept", &consent, granted).await;
    let answer = browser.open(&room, &back).await;
    assert!(answer.parameter("code").is_some(), "{}", answer.location());
    let answer = browser.open(&room, &back).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn another_browser_cannot_go_on() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let (mut browser, mut other) = (Browser::default(), Browser::default());
    let begun = browser.open(&room, &begin(&id, "")).await;
    // The other browser has begun something itself.
    other.open(&room, &begin(&id, "")).await;
    let login = begun.parameter("login_challenge").unwrap();
    let back = sent(
        &room,
        "login",
        "accept",
        &login,
        json!({"subject": "alice"}),
    )
    .await;
    for stranger in [&mut other, &mut Browser::default()] {
        let answer = stranger.open(&room, &back).await;
        assert_eq!(
            answer.parameter("error").as_deref(),
            Some("request_forbidden")
        );
    }
    // Nor has it used anything up.
    let answer = browser.open(&room, &back).await;
    let consent = answer.parameter("consent_challenge").unwrap();
    let back = sent(&room, "consent", "accept", &consent, json!({})).await;
    let answer = other.open(&room, &back).await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("request_forbidden")
    );
    assert!(browser.open(&room, &back).await.parameter("code").is_some());
}

#[tokio::test]
async fn whoever_takes_too_long_begins_again() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &begin(&id, "")).await;
    let login = begun.parameter("login_challenge").unwrap();
    let back = sent(
        &room,
        "login",
        "accept",
        &login,
        json!({"subject": "alice"}),
    )
    .await;
    room.clock.advance(Duration::from_secs(1800));
    let answer = browser.open(&room, &back).await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("request_unauthorized")
    );
}

#[tokio::test]
async fn what_was_made_elsewhere_is_no_verifier() {
    let room = Room::new(options()).await;
    for path in [
        "/oauth2/auth?login_verifier=x",
        "/oauth2/auth?consent_verifier=x",
        "/oauth2/sessions/logout?logout_verifier=x",
    ] {
        let answer = room.get(path).await;
        let page = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=";
        assert!(answer.location().starts_with(page), "{}", answer.location());
    }
}

#[tokio::test]
async fn a_consent_grants_nothing_that_nobody_asked_for() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({"audience": ["https://api.example"]})).await;
    let mut browser = Browser::default();
    let path = begin(&id, "").replace("+read", "");
    let begun = browser.open(&room, &path).await;
    let consent = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    for grant in [
        json!({"grant_scope": ["openid", "read"]}),
        json!({"grant_scope": ["admin"]}),
        json!({"grant_access_token_audience": ["https://api.example"]}),
    ] {
        let answer = say(&room, "consent", "accept", &consent, grant).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

// Holds BC-02.
#[tokio::test]
async fn nobody_is_called_like_a_client() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let other = room.create(json!({"client_id": "bob"})).await;
    let begun = Browser::default().open(&room, &begin(&id, "")).await;
    let challenge = begun.parameter("login_challenge").unwrap();
    for subject in [&id, &other] {
        let answer = say(
            &room,
            "login",
            "accept",
            &challenge,
            json!({"subject": subject}),
        )
        .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_rejection_goes_to_the_client_in_the_words_of_the_application() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &begin(&id, "")).await;
    let login = begun.parameter("login_challenge").unwrap();
    let words = json!({"error": "access_denied", "error_description": "no such user"});
    let back = sent(&room, "login", "reject", &login, words).await;
    let answer = browser.open(&room, &back).await;
    assert_eq!(
        answer.location(),
        "https://app.example/callback?error=access_denied&error_description=no+such+user\
         &iss=http%3A%2F%2Fhydra.hydra.svc%3A4444&state=0123456789"
    );
    let begun = browser.open(&room, &begin(&id, "")).await;
    let consent = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
    let words = json!({"error": "consent_required", "error_description": "not\r\nnow"});
    let back = sent(&room, "consent", "reject", &consent, words).await;
    let answer = browser.open(&room, &back).await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("consent_required")
    );
    assert_eq!(
        answer.parameter("error_description").as_deref(),
        Some("not??now")
    );
}

/// What the login application is told.
async fn login_request(room: &Room, browser: &mut Browser, id: &str, more: &str) -> Value {
    let begun = browser.open(room, &begin(id, more)).await;
    let challenge = begun.parameter("login_challenge").unwrap();
    let path = format!("/admin/oauth2/auth/requests/login?login_challenge={challenge}");
    room.get_admin(&path).await.json()
}

#[tokio::test]
async fn a_remembered_login_is_skipped_until_it_ends() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id).await;
    let told = login_request(&room, &mut browser, &id, "").await;
    assert_eq!(
        (&told["skip"], &told["subject"]),
        (&json!(true), &json!("alice"))
    );
    let sid = super::claims(text(&first, "id_token"))["sid"].clone();
    assert_eq!(told["session_id"], sid);
    room.clock.advance(Duration::from_secs(10));
    for (more, expected) in [
        ("&prompt=login", false),
        ("&max_age=5", false),
        ("&max_age=0", false),
        ("&max_age=60", true),
        ("&prompt=none", true),
        ("&prompt=foo", true),
    ] {
        let told = login_request(&room, &mut browser, &id, more).await;
        assert_eq!(told["skip"], json!(expected), "{more}");
    }
    // Another person than the remembered one has to log in.
    let challenge = login_request(&room, &mut browser, &id, "").await["challenge"].clone();
    let challenge = challenge.as_str().unwrap();
    let back = sent(
        &room,
        "login",
        "accept",
        challenge,
        json!({"subject": "mallory"}),
    )
    .await;
    assert!(back.contains("&prompt=login&"), "{back}");

    let path = "/admin/oauth2/auth/sessions/login?subject=alice";
    let answer = room.admin(Method::DELETE, path, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let told = login_request(&room, &mut browser, &id, "").await;
    assert_eq!(told["skip"], json!(false), "revoked");
    code(&room, &mut browser, &id, "").await;
    room.clock.advance(Duration::from_secs(3600));
    let told = login_request(&room, &mut browser, &id, "").await;
    assert_eq!(told["skip"], json!(false), "over");
}

/// What the consent application is told about alice, of whom a login is remembered.
async fn consent_request(room: &Room, browser: &mut Browser, path: &str) -> Value {
    let begun = browser.open(room, path).await;
    let consent = log_in(room, browser, &begun, json!({"subject": "alice"})).await;
    let path = format!("/admin/oauth2/auth/requests/consent?consent_challenge={consent}");
    room.get_admin(&path).await.json()
}

#[tokio::test]
async fn a_remembered_consent_stands_for_what_it_covers_until_it_is_revoked() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let narrow = begin(&id, "").replace("+read", "");
    let begun = browser.open(&room, &narrow).await;
    let login = json!({"subject": "alice", "acr": "2", "amr": ["pwd"], "context": {"a": 1}});
    let consent = log_in(&room, &mut browser, &begun, login).await;
    let told = format!("/admin/oauth2/auth/requests/consent?consent_challenge={consent}");
    let told = room.get_admin(&told).await.json();
    assert_eq!((&told["skip"], &told["acr"]), (&json!(false), &json!("2")));
    assert_eq!(
        (&told["amr"], &told["context"]),
        (&json!(["pwd"]), &json!({"a": 1}))
    );
    let grant = json!({"grant_scope": ["openid", "offline"], "remember": true});
    let back = sent(&room, "consent", "accept", &consent, grant).await;
    browser.open(&room, &back).await;

    for (path, expected) in [
        (narrow.clone(), true),
        (begin(&id, ""), false),
        (format!("{narrow}&prompt=consent"), false),
    ] {
        let told = consent_request(&room, &mut browser, &path).await;
        assert_eq!(told["skip"], json!(expected), "{path}");
    }
    let listed = room
        .get_admin("/admin/oauth2/auth/sessions/consent?subject=alice")
        .await;
    assert_eq!(listed.json().as_array().unwrap().len(), 1);
    assert_eq!(
        listed.json()[0]["grant_scope"],
        json!(["openid", "offline"])
    );
    assert!(listed.header("link").unwrap().contains("rel=\"first\""));
    let path = format!("/admin/oauth2/auth/sessions/consent?subject=alice&client={id}");
    let answer = room.admin(Method::DELETE, &path, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let told = consent_request(&room, &mut browser, &narrow).await;
    assert_eq!(told["skip"], json!(false));
    let listed = room
        .get_admin("/admin/oauth2/auth/sessions/consent?subject=alice")
        .await;
    assert_eq!((listed.json(), listed.header("link")), (json!([]), None));
}

#[tokio::test]
async fn cookies_are_for_the_server_alone() {
    for (is_trial, url, expected) in [
        (
            true,
            "http://hydra.docker.localhost",
            "; HttpOnly; SameSite=Lax",
        ),
        (
            false,
            "https://hydra.example",
            "; HttpOnly; Secure; SameSite=None",
        ),
    ] {
        let mut options = options();
        options.is_trial = is_trial;
        options.public_url = Some(url.to_owned());
        let room = Room::new(options).await;
        let id = web(&room, json!({})).await;
        let answer = room.get(&begin(&id, "")).await;
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.ends_with(expected), "{cookie}");
        assert_eq!(
            cookie.starts_with("ory_hydra_login_csrf_dev_"),
            is_trial,
            "{cookie}"
        );
        assert!(cookie.contains("; Path=/; Expires="), "{cookie}");
    }
}
