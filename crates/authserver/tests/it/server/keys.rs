//! The admin API of key sets, and what it means for tokens.

use axum::http::{Method, StatusCode};
use carnet_authserver::Options;
use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, base64url, jws};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::server::{Room, tutorial};

const SIGNING: &str = "/admin/keys/hydra.jwt.access-token";

fn key(kid: &str) -> Value {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, kid).unwrap();
    serde_json::from_str(key.to_private_json().unwrap().expose_secret()).unwrap()
}

fn kids(answer: &Value) -> Vec<&str> {
    answer["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect()
}

async fn signer(room: &Room, id: &str) -> String {
    let header = jws::decode_unverified(&room.token(id).await)
        .unwrap()
        .header;
    header["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_newest_key_for_signatures_signs_at_once() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let first = signer(&room, &id).await;
    for (body, expected) in [
        (json!({"alg": "ES256", "kid": "es"}), "es"),
        (json!({"alg": "EdDSA", "kid": "ed"}), "ed"),
        (json!({"alg": "ES256", "use": "enc", "kid": "enc"}), "ed"),
    ] {
        let made = room.admin(Method::POST, SIGNING, body).await;
        assert_eq!(made.status, StatusCode::CREATED);
        assert_eq!(
            made.header("location"),
            Some("http://hydra.hydra.svc:4444/keys/hydra.jwt.access-token")
        );
        assert_eq!(signer(&room, &id).await, expected);
    }
    let set = room.admin(Method::GET, SIGNING, Value::Null).await.json();
    assert_eq!(kids(&set), ["enc", "ed", "es", &first]);
    room.admin(Method::DELETE, &format!("{SIGNING}/ed"), Value::Null)
        .await;
    assert_eq!(signer(&room, &id).await, "es");
    room.admin(Method::DELETE, SIGNING, Value::Null).await;
    let anew = signer(&room, &id).await;
    assert!(anew != first && anew != "es");
}

#[tokio::test]
async fn sets_are_put_read_and_deleted() {
    let room = Room::new(tutorial()).await;
    let set = "/admin/keys/set";
    let put = room
        .admin(Method::PUT, set, json!({"keys": [key("a"), key("b")]}))
        .await;
    assert_eq!(
        (put.status, kids(&put.json())),
        (StatusCode::OK, vec!["a", "b"])
    );
    let one = room.admin(Method::PUT, &format!("{set}/x"), key("c")).await;
    assert_eq!(one.json()["kid"], "c");
    let read = room.admin(Method::GET, set, Value::Null).await.json();
    assert_eq!(kids(&read), ["c", "a", "b"]);
    assert!(read["keys"][0]["d"].is_string());
    let one = room
        .admin(Method::GET, &format!("{set}/a"), Value::Null)
        .await
        .json();
    assert_eq!(kids(&one), ["a"]);

    let twice = room
        .admin(Method::PUT, set, json!({"keys": [key("t"), key("t")]}))
        .await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    for path in [&format!("{set}/a"), set, set] {
        let gone = room.admin(Method::DELETE, path, Value::Null).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
    }
    let missing = room.admin(Method::GET, set, Value::Null).await;
    assert_eq!(
        (missing.status, &missing.json()["error"]),
        (StatusCode::NOT_FOUND, &json!("Not Found"))
    );
    let missing = room
        .admin(Method::GET, &format!("{SIGNING}/x"), Value::Null)
        .await;
    assert_eq!(missing.json()["error"], "Unable to locate the resource");
}

// Holds JW-16.
#[tokio::test]
async fn keys_that_are_not_made_or_kept_here_are_refused() {
    let room = Room::new(tutorial()).await;
    for alg in ["HS256", "none", "ES256K", ""] {
        let answer = room.admin(Method::POST, SIGNING, json!({"alg": alg})).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("Bad Request"))
        );
    }
    let symmetric = json!({"kty": "oct", "kid": "j", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0"});
    for body in [symmetric, json!({"kty": "EC", "kid": "i"}), json!([])] {
        let answer = room.admin(Method::PUT, &format!("{SIGNING}/j"), body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(!answer.text.contains("c2VjcmV0"));
    }
    let first = room
        .admin(Method::POST, SIGNING, json!({"alg": "ES256", "kid": "k"}))
        .await;
    let again = room
        .admin(Method::POST, SIGNING, json!({"alg": "ES256", "kid": "k"}))
        .await;
    assert_eq!(
        (first.status, again.status),
        (StatusCode::CREATED, StatusCode::CONFLICT)
    );
}

// Holds JW-16.
#[tokio::test]
async fn each_algorithm_signs_where_it_is_configured_or_asked_for() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    for algorithm in Algorithm::ALL {
        let options = Options {
            algorithm,
            ..tutorial()
        };
        let other = Room::new(options).await;
        let of_other = other.create(json!({})).await;
        let asked = json!({"alg": algorithm.name()});
        let made = room.admin(Method::POST, SIGNING, asked).await;
        assert_eq!(made.status, StatusCode::CREATED, "{algorithm}");
        for (room, id) in [(&room, &id), (&other, &of_other)] {
            let token = room.token(id).await;
            let header = jws::decode_unverified(&token).unwrap().header;
            assert_eq!(header["alg"], algorithm.name());
            let jwks = room.get("/.well-known/jwks.json").await;
            let keys = JwkSet::from_json(jwks.text.as_bytes()).unwrap();
            assert!(jws::verify(&token, &keys).is_ok(), "{algorithm}");
            assert_eq!(room.introspect(&token).await["active"], true, "{algorithm}");
        }
    }
    let none = json!({"alg": "none"});
    let refused = room.admin(Method::POST, SIGNING, none).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
}

#[tokio::test]
async fn an_rsa_key_has_the_size_that_is_asked_for() {
    let room = Room::new(tutorial()).await;
    for (size, bytes) in [(json!(null), 256), (json!(3072), 384)] {
        let asked = json!({"alg": "PS256", "rsa_bits": size});
        let made = room.admin(Method::POST, SIGNING, asked).await.json();
        let modulus = made["keys"][0]["n"].as_str().unwrap().to_owned();
        assert_eq!(base64url::decode(&modulus).unwrap().len(), bytes);
    }
    let weak = json!({"alg": "RS256", "rsa_bits": 1024});
    let refused = room.admin(Method::POST, SIGNING, weak).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn keys_from_elsewhere_sign_in_each_algorithm_and_public_ones_only_verify() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm, RsaBits::B2048, algorithm.name()).unwrap();
        let private = key.to_private_json().unwrap();
        let private: Value = serde_json::from_str(private.expose_secret()).unwrap();
        let path = format!("{SIGNING}/{algorithm}");
        let put = room.admin(Method::PUT, &path, private.clone()).await;
        assert_eq!((put.status, &put.json()), (StatusCode::OK, &private));
        let token = room.token(&id).await;
        let keys = JwkSet::new(vec![key.public_jwk().clone()]);
        assert!(jws::verify(&token, &keys).is_ok(), "{algorithm}");
        assert_eq!(room.introspect(&token).await["active"], true, "{algorithm}");
    }
    // The same set, sent whole, public parts in front of the private ones.
    let set = room.admin(Method::GET, SIGNING, Value::Null).await.json();
    let mut keys = set["keys"].as_array().unwrap().clone();
    let public = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "public").unwrap();
    keys.insert(0, Value::Object(public.public_jwk().to_object()));
    let put = room
        .admin(Method::PUT, SIGNING, json!({"keys": keys}))
        .await;
    assert_eq!(put.status, StatusCode::OK);
    assert_eq!(signer(&room, &id).await, kids(&set)[0]);
    let header = r#"{"alg":"ES256","kid":"public"}"#;
    let claims = json!({
        "iss": tutorial().issuer, "client_id": id, "jti": "j", "iat": 1_795_694_400,
        "exp": 1_795_694_500, "scp": [],
    });
    let foreign = jws::sign_compact(&public, header, claims.to_string().as_bytes()).unwrap();
    assert_eq!(room.introspect(&foreign).await["active"], true);
}
