//! FAPI 2.0 Security Profile, section 5.3.2.1, where clients ask for tokens of their own. Tokens that
//! are bound to a key or a certificate have tests elsewhere.

use axum::http::StatusCode;
use carnet_authserver::{AssertionAudience, Options};
use carnet_jose::{Algorithm, PrivateKey, RsaBits, jws};
use serde_json::{Value, json};

use crate::server::{Answer, Room, tutorial};

const ISSUER: &str = "http://hydra.hydra.svc:4444";

/// What the fixed clock of the tests shows.
const NOW: i64 = 1_795_694_400;

/// A server that takes assertions as the profile has it, and a client with a key.
async fn client(algorithm: Algorithm) -> (Room, String, PrivateKey) {
    let options = Options {
        assertion_audience: AssertionAudience::IssuerText,
        ..tutorial()
    };
    let room = Room::new(options).await;
    let key = PrivateKey::generate(algorithm, RsaBits::B2048, "k").unwrap();
    let id = room
        .create(json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": algorithm.name(),
            "client_secret": null,
            "jwks": {"keys": [key.public_jwk().to_object()]},
        }))
        .await;
    (room, id, key)
}

/// Asks with an assertion that has these changes.
async fn ask(room: &Room, id: &str, key: &PrivateKey, changes: Value) -> Answer {
    let mut claims = json!({"iss": id, "sub": id, "aud": ISSUER, "jti": changes.to_string(),
        "iat": NOW, "exp": NOW + 60});
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    let header = json!({"alg": key.algorithm().name(), "kid": "k"}).to_string();
    let assertion = jws::sign_compact(key, &header, claims.to_string().as_bytes()).unwrap();
    let form = format!(
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
         client-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
    );
    room.post("/oauth2/token", &[], &form).await
}

/// "shall authenticate clients using [...] private_key_jwt", with the algorithms of section 5.4.1.
#[tokio::test]
async fn clients_authenticate_with_keys_of_the_profile() {
    for algorithm in [Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
        let (room, id, key) = client(algorithm).await;
        let answer = ask(&room, &id, &key, json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{algorithm} {}", answer.text);
    }
}

/// "shall only accept its issuer identifier value [...] as a string in the aud claim".
#[tokio::test]
async fn an_assertion_is_for_the_issuer_and_for_nobody_else() {
    let (room, id, key) = client(Algorithm::Es256).await;
    for audience in [
        json!([ISSUER]),
        json!([ISSUER, "https://other.example"]),
        json!(format!("{ISSUER}/oauth2/token")),
        json!(format!("{ISSUER}/")),
        json!("https://other.example"),
    ] {
        let answer = ask(&room, &id, &key, json!({"aud": audience})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{audience}");
        assert_eq!(answer.json()["error"], "invalid_client");
    }
}

/// "shall accept JWTs with an iat or nbf timestamp between 0 and 10 seconds in the future but shall
/// reject JWTs with an iat or nbf timestamp greater than 60 seconds in the future".
#[tokio::test]
async fn clocks_may_differ_by_seconds_and_not_by_minutes() {
    let (room, id, key) = client(Algorithm::Es256).await;
    for name in ["iat", "nbf"] {
        let ahead = |seconds: i64| json!({name: NOW + seconds, "exp": NOW + 120});
        let near = ask(&room, &id, &key, ahead(10)).await;
        assert_eq!(near.status, StatusCode::OK, "{name} {}", near.text);
        let far = ask(&room, &id, &key, ahead(61)).await;
        assert_eq!(far.status, StatusCode::UNAUTHORIZED, "{name}");
    }
}

/// "shall only support confidential clients".
#[tokio::test]
async fn a_client_that_cannot_authenticate_gets_nothing() {
    let (room, _, _) = client(Algorithm::Es256).await;
    let id = room
        .create(json!({"token_endpoint_auth_method": "none", "client_secret": null}))
        .await;
    let form = format!("grant_type=client_credentials&client_id={id}");
    let answer = room.post("/oauth2/token", &[], &form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
}

/// "shall reject requests using the resource owner password credentials grant".
#[tokio::test]
async fn there_is_no_grant_for_passwords() {
    let (room, _, _) = client(Algorithm::Es256).await;
    let id = room.create(json!({"grant_types": ["password"]})).await;
    let form = "grant_type=password&username=alice&password=secret";
    let answer = room.basic_form(&id, form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert_eq!(answer.json().get("access_token"), None);
}

/// "shall distribute discovery metadata [...] via the metadata document".
#[tokio::test]
async fn the_metadata_names_how_clients_authenticate() {
    let (room, _, _) = client(Algorithm::Es256).await;
    let document = room
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    let has = |list: &str, value: &str| document[list].as_array().unwrap().contains(&json!(value));
    assert!(has(
        "token_endpoint_auth_methods_supported",
        "private_key_jwt"
    ));
    for algorithm in ["PS256", "ES256", "EdDSA"] {
        assert!(has(
            "token_endpoint_auth_signing_alg_values_supported",
            algorithm
        ));
    }
    assert!(has("grant_types_supported", "client_credentials"));
    assert!(!has("grant_types_supported", "password"));
}
