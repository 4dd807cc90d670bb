//! What a person is asked, and what is said to those who ask.

use std::time::Duration;

use serde_json::json;

use super::{answered, ask, error, is_skipped, room, tokens, told_to_login};
use crate::server::people::{Browser, claims, log_in, text};

// oidcc-prompt-none-not-logged-in
#[tokio::test]
async fn nobody_is_asked_who_must_not_be() {
    let (room, id) = room().await;
    let answer = room.get(&ask(&id, &[("prompt", "none")])).await;
    assert_eq!(error(&answer), "login_required");
}

// oidcc-prompt-none-logged-in
#[tokio::test]
async fn who_is_logged_in_and_has_consented_need_not_be_asked() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id, &[]).await;
    room.clock.advance(Duration::from_secs(2));
    let silently = [("prompt", "none")];
    assert!(is_skipped(&room, &mut browser, &ask(&id, &silently)).await);
    let second = tokens(&room, &mut browser, &id, &silently).await;
    let [first, second] = [&first, &second].map(|tokens| claims(text(tokens, "id_token")));
    for same in ["sub", "auth_time", "sid"] {
        assert_eq!(first[same], second[same], "{same}");
    }
}

// OpenID Connect Core, section 3.1.2.6.
#[tokio::test]
async fn who_has_not_consented_would_have_to_be_asked() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let begun = browser.open(&room, &ask(&id, &[])).await;
    let login = json!({"subject": "alice", "remember": true});
    log_in(&room, &mut browser, &begun, login).await;
    let answer = answered(&room, &mut browser, &ask(&id, &[("prompt", "none")])).await;
    assert_eq!(error(&answer), "consent_required");
}

// oidcc-prompt-login
#[tokio::test]
async fn who_is_to_log_in_again_does() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id, &[]).await;
    room.clock.advance(Duration::from_secs(2));
    let again = [("prompt", "login")];
    assert!(!is_skipped(&room, &mut browser, &ask(&id, &again)).await);
    let second = tokens(&room, &mut browser, &id, &again).await;
    let [first, second] = [&first, &second].map(|tokens| claims(text(tokens, "id_token")));
    assert!(first["auth_time"].as_i64() < second["auth_time"].as_i64());
}

// OpenID Connect Core, section 3.1.2.1.
#[tokio::test]
async fn who_is_to_consent_again_does() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    tokens(&room, &mut browser, &id, &[]).await;
    for (prompt, expected) in [("", true), ("consent", false)] {
        let begun = browser.open(&room, &ask(&id, &[("prompt", prompt)])).await;
        let challenge = log_in(&room, &mut browser, &begun, json!({"subject": "alice"})).await;
        let path = format!("/admin/oauth2/auth/requests/consent?consent_challenge={challenge}");
        assert_eq!(
            room.get_admin(&path).await.json()["skip"],
            json!(expected),
            "{prompt}"
        );
    }
    let both = [("prompt", "none consent")];
    let answer = room.get(&ask(&id, &both)).await;
    assert_eq!(error(&answer), "invalid_request");
}

// oidcc-id-token-hint
#[tokio::test]
async fn a_hint_names_the_person_who_is_expected() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id, &[]).await;
    let hint = text(&first, "id_token").to_owned();
    let silently = [("prompt", "none"), ("id_token_hint", hint.as_str())];
    let second = tokens(&room, &mut browser, &id, &silently).await;
    let [old, new] = [&first, &second].map(|tokens| claims(text(tokens, "id_token")));
    assert_eq!(old["sub"], new["sub"]);

    // Somebody else sits at another browser.
    let mut other = Browser::default();
    let begun = other.open(&room, &ask(&id, &[])).await;
    let login = json!({"subject": "bob", "remember": true});
    log_in(&room, &mut other, &begun, login).await;
    let answer = other.open(&room, &ask(&id, &silently)).await;
    assert_eq!(error(&answer), "login_required");
}

// oidcc-login-hint
// oidcc-ui-locales
// oidcc-claims-locales
// oidcc-display-page
// oidcc-display-popup
#[tokio::test]
async fn hints_reach_the_login_application_and_change_nothing_else() {
    let (room, id) = room().await;
    let hints = [
        ("login_hint", "alice@example.com"),
        ("ui_locales", "se en"),
        ("claims_locales", "se"),
        ("display", "popup"),
    ];
    let path = ask(&id, &hints);
    let told = told_to_login(&room, &mut Browser::default(), &path).await;
    let hinted = &told["oidc_context"];
    assert_eq!(hinted["login_hint"], "alice@example.com");
    assert_eq!(
        (&hinted["ui_locales"], &hinted["display"]),
        (&json!(["se", "en"]), &json!("popup"))
    );
    for hints in [&hints[..], &[("display", "page")]] {
        tokens(&room, &mut Browser::default(), &id, hints).await;
    }
}
