//! After the import: old secrets work, old tokens count.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_jose::{JwkSet, jws, jwt};
use serde_json::{Value, json};

use super::{FIXTURES, Hydra, everywhere};
use crate::server::{Answer, Room};

/// Asks for a token in the way in which the client is registered.
async fn ask(room: &Room, client: &Value) -> Answer {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let id = encode(client["client_id"].as_str().unwrap());
    let secret = encode(client["client_secret"].as_str().unwrap());
    let form = "grant_type=client_credentials";
    if client["token_endpoint_auth_method"] == "client_secret_basic" {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        return room
            .post("/oauth2/token", &[("authorization", &header)], form)
            .await;
    }
    let form = format!("{form}&client_id={id}&client_secret={secret}");
    room.post("/oauth2/token", &[], &form).await
}

fn machines(hydra: &Hydra) -> Vec<Value> {
    let clients = hydra.facts["clients"].as_array().unwrap().iter();
    let is_machine =
        |client: &&Value| client["client_secret"].is_string() && client["client_id"] != "web";
    clients.filter(is_machine).cloned().collect()
}

// Holds SE-01, TE-16.
#[tokio::test]
async fn old_secrets_work_whatever_their_hash() {
    for hydra in everywhere().await {
        let room = hydra.served().await;
        let machines = machines(&hydra);
        assert_eq!(machines.len(), 5);
        for client in machines {
            // The second time the hash may have been renewed.
            for _ in 0..2 {
                let answer = ask(&room, &client).await;
                assert_eq!(answer.status, StatusCode::OK, "{} {client}", hydra.name);
                let expected = match client["client_id"].as_str() {
                    Some("lifespan") => 34 * 3600,
                    _ => 3600,
                };
                let told = answer.json()["expires_in"].as_i64().unwrap();
                assert!((expected - 1..=expected).contains(&told), "{told}");
            }
            let mut wrong = client.clone();
            wrong["client_secret"] = json!("not-the-secret");
            assert_eq!(ask(&room, &wrong).await.status, StatusCode::UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn old_tokens_count_save_the_revoked_one() {
    for hydra in everywhere().await {
        let room = hydra.served().await;
        let tokens = hydra.facts["tokens"].as_array().unwrap();
        assert_eq!(tokens.len(), 6);
        let mut inactive = 0;
        for token in tokens {
            let told = introspect(&room, token).await;
            if token["active"] == false {
                assert_eq!(told, json!({"active": false}));
                inactive += 1;
                continue;
            }
            assert_eq!(told["active"], true, "{} {token}", hydra.name);
            assert_eq!(told["client_id"], token["client_id"]);
            assert_eq!(told["sub"], token["client_id"]);
            assert_eq!(told["aud"], token["audience"]);
            assert_eq!(told["scope"].as_str().unwrap_or_default(), token["scope"]);
            assert_eq!(told["exp"].as_i64().unwrap() / 1_000_000, 2110);
        }
        assert_eq!(inactive, 1);
    }
}

async fn introspect(room: &Room, token: &Value) -> Value {
    let form = format!("token={}", token["token"].as_str().unwrap());
    room.post_admin("/admin/oauth2/introspect", &form)
        .await
        .json()
}

#[tokio::test]
async fn old_tokens_verify_with_the_published_keys_and_the_newest_key_signs() {
    for hydra in everywhere().await {
        let room = hydra.served().await;
        let published = room.get("/.well-known/jwks.json").await.text;
        let keys = JwkSet::from_json(published.as_bytes()).unwrap();
        for key in hydra.facts["jwks"]["keys"].as_array().unwrap() {
            let kid = key["kid"].as_str().unwrap();
            assert!(keys.keys().iter().any(|key| key.kid() == kid), "{kid}");
        }
        let signed = |token: &&Value| token["token"].as_str().unwrap().starts_with("ey");
        let tokens = hydra.facts["tokens"].as_array().unwrap().iter();
        for token in tokens.filter(signed) {
            jwt::verify(token["token"].as_str().unwrap(), &keys).unwrap();
        }
        let answer = ask(&room, &machines(&hydra)[0]).await.json();
        let token = answer["access_token"].as_str().unwrap();
        let header = jws::decode_unverified(token).unwrap().header;
        assert_eq!(header["kid"], "rotated-rs256");
    }
}

#[tokio::test]
async fn clients_are_shown_as_hydra_showed_them() {
    for hydra in everywhere().await {
        let room = hydra.served().await;
        let list = room.admin(Method::GET, "/admin/clients", Value::Null).await;
        let mut shown = list.json();
        let mut expected = hydra.facts["client_list"].clone();
        // Lifetimes that version 2.2 does not have are none.
        for client in shown.as_array_mut().unwrap() {
            let members = client.as_object_mut().unwrap();
            members.retain(|name, value| !(name.ends_with("_lifespan") && value.is_null()));
        }
        for client in expected.as_array_mut().unwrap() {
            let members = client.as_object_mut().unwrap();
            members.retain(|name, value| !(name.ends_with("_lifespan") && value.is_null()));
        }
        assert_eq!(shown, expected, "{}", hydra.name);
    }
}

#[tokio::test]
async fn imported_tokens_can_be_revoked() {
    let hydra = FIXTURES[2].in_sqlite().await;
    let room = hydra.served().await;
    let tokens = hydra.facts["tokens"].as_array().unwrap();
    for client in ["post-chosen", "opaque-here"] {
        let is_live = |token: &&Value| token["client_id"] == client && token["active"] == true;
        let token = tokens.iter().find(is_live).unwrap();
        let machine = machines(&hydra)
            .into_iter()
            .find(|machine| machine["client_id"] == client)
            .unwrap();
        let form = format!(
            "token={}&client_id={client}&client_secret={}",
            token["token"].as_str().unwrap(),
            machine["client_secret"].as_str().unwrap()
        );
        let answer = room.post("/oauth2/revoke", &[], &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(introspect(&room, token).await, json!({"active": false}));
    }
}

#[tokio::test]
async fn tokens_that_are_issued_here_with_an_imported_key_need_no_row() {
    let hydra = FIXTURES[1].in_sqlite().await;
    let room = hydra.served().await;
    // In the second of the import, and later.
    for _ in 0..2 {
        let answer = ask(&room, &machines(&hydra)[0]).await.json();
        let told = introspect(&room, &json!({"token": answer["access_token"]})).await;
        assert_eq!(told["active"], true);
        room.clock.advance(Duration::from_secs(5));
    }
}

/// The whole databases, of which the fixtures are parts: `HYDRA_DATABASES` names their folder.
#[tokio::test]
#[ignore = "needs databases that a real Hydra wrote, and HYDRA_DATABASES to name their folder"]
async fn whole_databases_of_a_real_hydra_are_imported() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test takes the folder it is given"
    )]
    let folder = std::env::var("HYDRA_DATABASES").unwrap();
    for fixture in &FIXTURES {
        let copy = tempfile::tempdir().unwrap();
        let file = copy.path().join("hydra.sqlite");
        let original = format!("{folder}/{}.sqlite", fixture.name);
        // Copied byte by byte, since the original may not be written, nor its log.
        std::fs::write(&file, std::fs::read(original).unwrap()).unwrap();
        let mut hydra = fixture.in_sqlite().await;
        hydra.dsn = format!("sqlite://{}", file.display());
        let room = hydra.served().await;
        for client in machines(&hydra) {
            assert_eq!(ask(&room, &client).await.status, StatusCode::OK, "{client}");
        }
        for token in hydra.facts["tokens"].as_array().unwrap() {
            let told = introspect(&room, token).await;
            assert_eq!(told["active"], token["active"], "{token}");
        }
    }
}
