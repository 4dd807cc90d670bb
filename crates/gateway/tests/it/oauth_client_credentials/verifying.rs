//! Tokens that are verified with published keys, over real sockets.

use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, jws};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use carnet_testkit::token_endpoint::granted;
use serde_json::{Value, json};

use super::Room;

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

fn key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap()
}

/// Publishes a key, and the metadata that say where.
async fn published(key: &PrivateKey) -> Server {
    let set = Value::Object(JwkSet::new(vec![key.public_jwk().clone()]).to_object());
    Server::start(move |request| match request.target.as_str() {
        "/keys" => Answer::json(200, &set),
        "/metadata" => {
            let host = request.headers.only("host").unwrap();
            let place = format!("http://{host}/keys");
            Answer::json(200, &json!({"issuer": "https://as", "jwks_uri": place}))
        }
        _ => Answer::text(307, "").with("Location", "/keys"),
    })
    .await
    .unwrap()
}

async fn status(options: &str, key: &PrivateKey, issuer: &str) -> (u16, usize) {
    let claims = json!({"iss": issuer, "aud": ["a"], "exp": NOW + 60}).to_string();
    let token = jws::sign_compact(key, r#"{"alg":"ES256","kid":"k"}"#, claims.as_bytes());
    let token = token.unwrap();
    let options = format!("audience: a, verify: {{{options}}}");
    let room = Room::new(&options, move |_| granted(&token, Some(60))).await;
    let response = room.get_as("id", "secret").await;
    (response.status, room.backend.count())
}

#[tokio::test]
async fn a_verified_token_reaches_the_service_and_no_other_does() {
    let (own, other) = (key(), key());
    let keys = published(&own).await;
    let (set, metadata) = (keys.url("/keys"), keys.url("/metadata"));
    for (options, key, issuer, seen) in [
        (format!("jwks: '{set}'"), &own, "https://any", (200, 1)),
        (format!("jwks: '{set}'"), &other, "https://as", (502, 0)),
        (
            format!("discovery: '{metadata}'"),
            &own,
            "https://as",
            (200, 1),
        ),
        (
            format!("discovery: '{metadata}'"),
            &own,
            "https://any",
            (502, 0),
        ),
        (
            format!("jwks: '{set}', issuer: 'https://as'"),
            &own,
            "https://any",
            (502, 0),
        ),
        (
            format!("jwks: '{set}', audience: b"),
            &own,
            "https://as",
            (502, 0),
        ),
        // Nobody follows a redirect to the keys.
        (
            format!("jwks: '{}'", keys.url("/moved")),
            &own,
            "https://as",
            (503, 0),
        ),
    ] {
        assert_eq!(status(&options, key, issuer).await, seen, "{options}");
    }
}
