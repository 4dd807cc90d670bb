//! Codes, and what they are changed for.

use std::time::Duration;

use axum::http::StatusCode;
use carnet_authserver::{AccessTokenStrategy, Options, People};
use serde_json::json;

use super::{Browser, CHALLENGE, VERIFIER, claims, code, exchange, options, refused, text, web};
use crate::server::Room;

#[tokio::test]
async fn a_code_becomes_tokens_that_speak_of_the_person() {
    for strategy in [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque] {
        let room = Room::new(Options {
            access_token_strategy: strategy,
            ..options()
        })
        .await;
        let id = web(&room, json!({})).await;
        let proof = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256&nonce=n-1");
        let code = code(&room, &mut Browser::default(), &id, &proof).await;
        let answer = exchange(&room, &id, &code, &format!("&code_verifier={VERIFIER}")).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let tokens = answer.json();
        let names: Vec<_> = tokens.as_object().unwrap().keys().cloned().collect();
        let expected = [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type",
        ];
        assert_eq!(names, expected, "{}", answer.text);
        let told = room.introspect(text(&tokens, "access_token")).await;
        assert_eq!(
            (&told["sub"], &told["client_id"]),
            (&json!("alice"), &json!(id))
        );
        assert_eq!(told["ext"], json!({"role": "admin"}));
        assert_eq!(told["token_use"], "access_token");
        let told = room.introspect(text(&tokens, "refresh_token")).await;
        assert_eq!(
            (&told["sub"], &told["token_use"]),
            (&json!("alice"), &json!("refresh_token"))
        );

        let about = claims(text(&tokens, "id_token"));
        let names: Vec<_> = about.as_object().unwrap().keys().cloned().collect();
        let expected = [
            "at_hash",
            "aud",
            "auth_time",
            "email",
            "exp",
            "iat",
            "iss",
            "jti",
            "nonce",
            "rat",
            "sid",
            "sub",
        ];
        assert_eq!(names, expected);
        assert_eq!(
            (&about["sub"], &about["nonce"]),
            (&json!("alice"), &json!("n-1"))
        );
        assert_eq!(about["aud"], json!([id]));

        let header = format!("Bearer {}", text(&tokens, "access_token"));
        let info = room
            .post("/userinfo", &[("authorization", &header)], "")
            .await;
        assert_eq!(info.status, StatusCode::OK, "{}", info.text);
        assert_eq!(
            (&info.json()["sub"], &info.json()["email"]),
            (&json!("alice"), &json!("alice@example"))
        );
        assert_eq!(info.json().get("sid"), None);
    }
}

#[tokio::test]
async fn a_code_is_for_its_client_its_address_and_its_proof() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let other = web(&room, json!({})).await;
    let proof = format!("&code_challenge={CHALLENGE}&code_challenge_method=S256");
    let code = code(&room, &mut Browser::default(), &id, &proof).await;
    let right = format!("&code_verifier={VERIFIER}");
    refused(
        &exchange(&room, &other, &code, &right).await,
        "invalid_grant",
    );
    refused(&exchange(&room, &id, &code, "").await, "invalid_grant");
    let wrong = format!("&code_verifier={}", "a".repeat(43));
    refused(&exchange(&room, &id, &code, &wrong).await, "invalid_grant");
    for address in ["", "&redirect_uri=https%3A%2F%2Fapp.example%2Fother"] {
        let form = format!("grant_type=authorization_code&code={code}{right}{address}");
        refused(&room.basic_form(&id, &form).await, "invalid_grant");
    }
    for form in ["", "&code=ory_ac_x.y", "&code="] {
        let form = format!("grant_type=authorization_code{form}");
        refused(&room.basic_form(&id, &form).await, "invalid_grant");
    }
    // Whoever failed has not used it up.
    let answer = exchange(&room, &id, &code, &right).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test]
async fn a_verifier_for_a_code_without_a_challenge_is_refused() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let code = code(&room, &mut Browser::default(), &id, "").await;
    let added = format!("&code_verifier={VERIFIER}");
    refused(&exchange(&room, &id, &code, &added).await, "invalid_grant");
}

#[tokio::test]
async fn a_code_that_comes_again_takes_back_what_it_gave() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let code = code(&room, &mut Browser::default(), &id, "").await;
    let tokens = exchange(&room, &id, &code, "").await.json();
    refused(&exchange(&room, &id, &code, "").await, "invalid_grant");
    for name in ["access_token", "refresh_token"] {
        let told = room.introspect(text(&tokens, name)).await;
        assert_eq!(told, json!({"active": false}), "{name}");
    }
}

#[tokio::test]
async fn a_code_ends_after_its_time() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let code = code(&room, &mut Browser::default(), &id, "").await;
    room.clock.advance(Duration::from_secs(600));
    refused(&exchange(&room, &id, &code, "").await, "invalid_grant");
}

#[tokio::test]
async fn the_store_has_nothing_that_could_be_shown_as_a_code_or_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite");
    let dsn = format!("sqlite://{}", path.display());
    carnet_authserver::store::migrate(&dsn).await.unwrap();
    let store = carnet_authserver::store::open(&dsn).await.unwrap();
    let room = Room::over(options(), store).await;
    let id = web(&room, json!({})).await;
    let code = code(&room, &mut Browser::default(), &id, "").await;
    let tokens = exchange(&room, &id, &code, "").await.json();
    let mut kept = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        kept.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let kept = String::from_utf8_lossy(&kept).into_owned();
    assert!(kept.contains("alice@example"), "what is kept is found");
    for secret in [
        &code,
        text(&tokens, "access_token"),
        text(&tokens, "refresh_token"),
    ] {
        let (first, second) = secret.rsplit_once('.').unwrap();
        assert!(!kept.contains(first) && !kept.contains(second));
    }
}

#[tokio::test]
async fn what_must_have_a_proof_gets_no_code_without() {
    let room = Room::new(Options {
        people: People {
            pkce_enforced_for_public: true,
            ..options().people
        },
        ..options()
    })
    .await;
    let id = web(
        &room,
        json!({"token_endpoint_auth_method": "none", "client_secret": null}),
    )
    .await;
    for (more, error) in [
        ("", Some("invalid_request")),
        (
            "&code_challenge=abc&code_challenge_method=S256",
            Some("invalid_request"),
        ),
        (
            "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain",
            Some("invalid_request"),
        ),
        (
            "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
            None,
        ),
    ] {
        let mut browser = Browser::default();
        let begun = browser.open(&room, &super::begin(&id, more)).await;
        let login = json!({"subject": "alice"});
        let challenge = super::log_in(&room, &mut browser, &begun, login).await;
        let consent = json!({"grant_scope": ["read"]});
        let back = super::sent(&room, "consent", "accept", &challenge, consent).await;
        let answer = browser.open(&room, &back).await;
        assert_eq!(answer.parameter("error").as_deref(), error, "{more}");
        assert_eq!(
            answer.parameter("code").is_some(),
            error.is_none(),
            "{more}"
        );
    }
}
