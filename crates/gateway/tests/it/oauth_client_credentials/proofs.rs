//! Ways in which the gateway shows that it is a client, without a secret or with a signed one.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, jws, jwt};
use carnet_oauth::form;
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::token_endpoint::{granted, in_turn};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::Room;

/// The time of day of the fixed clock.
const NOW: i64 = 1_795_694_400;

/// The fields of a call.
fn fields(call: &Request) -> BTreeMap<String, String> {
    assert_eq!(call.headers.only("authorization"), None);
    form::parse(&call.body).into_iter().collect()
}

/// The calls of a request that is served, after a first answer that is a 500.
async fn calls(options: &str) -> Vec<BTreeMap<String, String>> {
    let answers = vec![Answer::text(500, ""), granted("t", Some(60))];
    let room = Room::new(options, in_turn(answers)).await;
    assert_eq!(room.get(&[]).await.status, 200);
    room.provider.seen().iter().map(fields).collect()
}

fn check(claims: &Value, audience: &str) {
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("gw"), &json!("gw"))
    );
    assert_eq!(claims["aud"], audience);
    assert_eq!(claims["iat"], NOW);
    assert_eq!(claims["exp"], NOW + 60);
}

#[tokio::test]
async fn a_key_signs_an_assertion_for_each_call() {
    let key = PrivateKey::generate(Algorithm::Es256, RsaBits::B2048, "k").unwrap();
    let jwk = key.to_private_json().unwrap();
    let assertion = format!("key: '{}', audience: 'https://as'", jwk.expose_secret());
    let calls = calls(&format!("clientID: gw, clientAssertion: {{{assertion}}}")).await;
    let keys = JwkSet::new(vec![key.public_jwk().clone()]);
    let mut numbers = Vec::new();
    for call in &calls {
        assert_eq!(call["client_id"], "gw");
        assert!(call["client_assertion_type"].ends_with(":jwt-bearer"));
        assert!(!call.contains_key("client_secret"));
        let verified = jws::verify(&call["client_assertion"], &keys).unwrap();
        assert_eq!(verified.header["kid"], "k");
        let claims = Value::Object(jwt::claims(&verified.payload).unwrap());
        check(&claims, "https://as");
        numbers.push(claims["jti"].clone());
    }
    assert_eq!(calls.len(), 2);
    assert_ne!(numbers[0], numbers[1], "an assertion counts once");
}

#[tokio::test]
async fn a_key_in_pem_signs_too_and_is_named_only_where_its_name_is_known() {
    let forms = [
        ("rsa.pkcs1", "RS256", ""),
        ("rsa.pkcs8", "PS256", ", algorithm: ps256, keyId: k"),
        ("p256.sec1", "ES256", ", keyID: 7"),
        ("ed25519.pkcs8", "EdDSA", ""),
    ];
    for (name, algorithm, more) in forms {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../jose/tests/keys");
        let pem = std::fs::read_to_string(format!("{folder}/{name}.pem")).unwrap();
        let kid = more.rsplit_once(": ").map(|(_, kid)| kid);
        let own = kid.unwrap_or_default();
        let key = PrivateKey::from_pem(pem.as_bytes(), algorithm.parse().ok(), own).unwrap();
        let assertion = format!("key: \"{}\"{more}", pem.replace('\n', "\\n"));
        let calls = calls(&format!("clientID: gw, clientAssertion: {{{assertion}}}")).await;
        let keys = JwkSet::new(vec![key.public_jwk().clone()]);
        let verified = jws::verify(&calls[0]["client_assertion"], &keys).unwrap();
        assert_eq!(verified.header["alg"], algorithm);
        let named = verified.header.get("kid").and_then(Value::as_str);
        assert_eq!(named, kid, "{name}");
    }
}

// Holds SE-05.
#[tokio::test]
async fn a_key_that_cannot_be_used_closes_the_route_and_is_not_shown() {
    let keys = [
        "'\"CANARY\"'",
        "CANARY",
        "'{\"kty\": \"RSA\", \"n\": \"CANARY\"}'",
        "'-----BEGIN CANARY-----'",
    ];
    for key in keys {
        let room = Room::new("", |_| granted("t", Some(60))).await;
        let options = format!("clientID: gw, clientAssertion: {{key: {key}}}");
        let findings = room.offer(&room.provider.url("/"), &options);
        assert!(findings.contains("`clientAssertion.key`"), "{findings}");
        assert!(!findings.contains("CANARY"), "{findings}");
        assert_eq!(room.get(&[]).await.status, 503, "{key}");
        assert_eq!(room.provider.count(), 0);
    }
}

#[tokio::test]
async fn a_secret_signs_where_that_is_wanted() {
    let own = "clientID: gw, clientSecret: secret, clientAssertion: {audience: a}";
    let call = &calls(own).await[0];
    assert!(!call.contains_key("client_secret"));
    let (signed, tag) = call["client_assertion"].rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    let tag = URL_SAFE_NO_PAD.decode(tag).unwrap();
    hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
    let decoded = jws::decode_unverified(&call["client_assertion"]).unwrap();
    assert_eq!(decoded.header["alg"], "HS256");
    check(&serde_json::from_slice(&decoded.payload).unwrap(), "a");
}

#[tokio::test]
async fn an_assertion_of_somebody_else_is_handed_on() {
    let call = &calls("clientID: gw, clientAssertion: {token: h.p.s}").await[0];
    assert_eq!(call["client_assertion"], "h.p.s");
    assert_eq!(call["client_id"], "gw");
}

#[tokio::test]
async fn with_a_certificate_the_form_names_the_client_alone() {
    let cert = include_str!("../certificates/client.pem").replace('\n', "\\n");
    let key = include_str!("../certificates/client.key").replace('\n', "\\n");
    let tls = format!("tls: {{cert: \"{cert}\", key: \"{key}\"}}");
    let call = &calls(&format!("clientID: gw, clientConfig: {{{tls}}}")).await[0];
    assert_eq!(call["client_id"], "gw");
    let names: Vec<_> = call.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "grant_type"]);
}
