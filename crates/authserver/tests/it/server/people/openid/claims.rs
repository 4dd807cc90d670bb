//! What is told of a person.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SCOPES, alice, answered, ask, error, room, tokens, userinfo};
use crate::server::people::{Browser, claims, text};

// oidcc-scope-profile
// oidcc-scope-email
// oidcc-scope-address
// oidcc-scope-phone
#[tokio::test]
async fn a_scope_brings_the_claims_that_it_stands_for_and_no_others() {
    for (scope, names) in SCOPES {
        let (room, id) = room().await;
        let scope = format!("openid {scope}");
        let tokens = tokens(&room, &mut Browser::default(), &id, &[("scope", &scope)]).await;
        assert_eq!(tokens["scope"], json!(scope));
        let told = userinfo(&room, &tokens).await.json();
        for (name, value) in alice() {
            let expected = names.contains(&name.as_str()).then_some(&value);
            assert_eq!(told.get(&name), expected, "{scope}: {name}");
        }
        assert_eq!(told["sub"], "alice");
    }
}

// oidcc-scope-all
#[tokio::test]
async fn all_scopes_bring_everything() {
    let (room, id) = room().await;
    let scope = [("scope", "openid profile email address phone")];
    let tokens = tokens(&room, &mut Browser::default(), &id, &scope).await;
    let told = userinfo(&room, &tokens).await.json();
    for (name, value) in alice() {
        assert_eq!(told[&name], value, "{name}");
    }
    let id_token = claims(text(&tokens, "id_token"));
    assert_eq!(id_token["sub"], told["sub"], "both speak of one person");
}

// oidcc-claims-essential
#[tokio::test]
async fn a_demand_for_single_claims_changes_nothing() {
    let (room, id) = room().await;
    let document = room.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document["claims_parameter_supported"], json!(false));
    let demand = json!({"userinfo": {"name": {"essential": true}}}).to_string();
    let asked = [("claims", demand.as_str()), ("scope", "openid email")];
    let tokens = tokens(&room, &mut Browser::default(), &id, &asked).await;
    let told = userinfo(&room, &tokens).await.json();
    assert_eq!(
        (told.get("name"), &told["email"]),
        (None, &json!("alice@example.com"))
    );
}

// OpenID Connect Core, section 5.3.2.
#[tokio::test]
async fn claims_of_the_protocol_are_those_of_the_server() {
    let (room, id) = room().await;
    let tokens = tokens(&room, &mut Browser::default(), &id, &[]).await;
    let told = userinfo(&room, &tokens).await.json();
    for name in ["nonce", "at_hash", "exp", "sid", "jti"] {
        assert_eq!(told.get(name), None, "{name} is of the id token alone");
    }
}

// oidcc-ensure-request-with-acr-values-succeeds
#[tokio::test]
async fn the_class_of_a_login_is_what_the_application_says() {
    let (room, id) = room().await;
    let asked = [("acr_values", "urn:level:1 urn:level:2")];
    let path = ask(&id, &asked);
    let told = super::told_to_login(&room, &mut Browser::default(), &path).await;
    let wanted = json!(["urn:level:1", "urn:level:2"]);
    assert_eq!(told["oidc_context"]["acr_values"], wanted);
    let tokens = tokens(&room, &mut Browser::default(), &id, &asked).await;
    let told = claims(text(&tokens, "id_token"));
    assert_eq!(
        (&told["acr"], &told["amr"]),
        (&json!("urn:level:1"), &json!(["pwd"]))
    );
}

// oidcc-max-age-1
#[tokio::test]
async fn a_login_that_is_too_old_is_not_enough() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id, &[]).await;
    room.clock.advance(Duration::from_secs(2));
    let asked = [("max_age", "1")];
    assert!(!super::is_skipped(&room, &mut browser, &ask(&id, &asked)).await);
    let second = tokens(&room, &mut browser, &id, &asked).await;
    assert_eq!(auth_time(&second), auth_time(&first) + 2);
    let silently = [("max_age", "0"), ("prompt", "none")];
    let answer = answered(&room, &mut browser, &ask(&id, &silently)).await;
    assert_eq!(error(&answer), "login_required");
}

// oidcc-max-age-10000
#[tokio::test]
async fn a_login_that_is_young_enough_stays_the_one_there_was() {
    let (room, id) = room().await;
    let mut browser = Browser::default();
    let first = tokens(&room, &mut browser, &id, &[]).await;
    room.clock.advance(Duration::from_secs(2));
    let asked = [("max_age", "10000")];
    assert!(super::is_skipped(&room, &mut browser, &ask(&id, &asked)).await);
    let second = tokens(&room, &mut browser, &id, &asked).await;
    assert_eq!(auth_time(&second), auth_time(&first));
}

/// When a person logged in, as the client is told.
fn auth_time(tokens: &Value) -> i64 {
    let told = claims(text(tokens, "id_token"));
    told["auth_time"].as_i64().unwrap()
}
