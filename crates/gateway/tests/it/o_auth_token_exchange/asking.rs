//! What the server is asked: by RFC 8693, by Entra ID's flow, and as which client.

use std::fs;

use carnet_jose::{JwkSet, PrivateKey, base64url, jws, jwt};
use carnet_oauth::token_type::{ACCESS_TOKEN, JWT};
use carnet_testkit::Server;
use carnet_testkit::server::Request;
use carnet_testkit::token_endpoint::{granted, in_turn, refused};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;

use super::{ONCE, changer, door, fields, given};
use crate::jwt::{Door, bearer};

const ON_BEHALF_OF: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// `gw:gateways-own`.
const OWN: &str = "Basic Z3c6Z2F0ZXdheXMtb3du";

/// The one call that a request with these options makes; what the caller sends goes nowhere else.
async fn call(options: &str) -> Request {
    let server = changer().await;
    let door = door(&server, options).await;
    let caller = [&*bearer("callers"), "Cookie: a=b", "X-Tenant: c"];
    assert_eq!(door.get(&caller).await.status, 200);
    let call = server.seen().remove(0);
    assert_eq!(call.headers.all("cookie"), [""; 0]);
    assert_eq!(call.headers.all("x-tenant"), [""; 0]);
    call
}

#[tokio::test]
async fn an_exchange_says_what_it_has_and_what_it_wants() {
    let plain = call(ONCE).await;
    assert_eq!(plain.headers.only("authorization"), Some(OWN));
    let asked = fields(&plain);
    let expected = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", "callers"),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(asked, expected.into());
    let all = fields(
        &call(&format!(
            "{ONCE}, parameters: {{tenant: t}}, rfc8693: {{subjectTokenType: '{JWT}', \
             requestedTokenType: '{ACCESS_TOKEN}', audience: 'https://orders', scopes: [a, b], \
             resources: ['https://orders/'], actorToken: acts, actorTokenType: '{JWT}'}}"
        ))
        .await,
    );
    for (name, value) in [
        ("subject_token_type", JWT),
        ("requested_token_type", ACCESS_TOKEN),
        ("audience", "https://orders"),
        ("scope", "a b"),
        ("resource", "https://orders/"),
        ("actor_token", "acts"),
        ("actor_token_type", JWT),
        ("tenant", "t"),
    ] {
        assert_eq!(all.get(name).map(String::as_str), Some(value), "{name}");
    }
}

/// A server that answers as Entra ID does: without the members of RFC 8693.
async fn entra() -> Server {
    let server = Server::start(|_| granted("t", Some(300)));
    server.await.unwrap()
}

async fn call_of_entra(options: &str) -> Request {
    let server = entra().await;
    let url = server.url("/t/oauth2/v2.0/token");
    let exchange = format!(
        "plugin: {{oAuthTokenExchange: {{method: entraID, url: '{url}', clientID: gw, {options}}}}}"
    );
    let door = Door::behind(&[&exchange]).await;
    assert_eq!(door.with("callers").await.status, 200);
    assert_eq!(door.seen("authorization"), ["Bearer t"]);
    let call = server.seen().remove(0);
    let asked = fields(&call);
    assert_eq!(asked["grant_type"], ON_BEHALF_OF);
    assert_eq!(asked["requested_token_use"], "on_behalf_of");
    assert_eq!(asked["assertion"], "callers");
    assert_eq!(asked["scope"], "api://orders/.default");
    assert_eq!(asked["client_id"], "gw");
    call
}

const SCOPES: &str = "scopes: ['api://orders/.default']";

#[tokio::test]
async fn entra_id_is_asked_on_behalf_of_the_caller_with_the_secret_in_the_form() {
    let call = call_of_entra(&format!("clientSecret: own, entraID: {{{SCOPES}}}")).await;
    assert_eq!(call.headers.only("authorization"), None);
    assert_eq!(fields(&call)["client_secret"], "own");
}

fn pem(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../jose/tests/keys");
    fs::read_to_string(format!("{folder}/{name}.pem")).unwrap()
}

fn flow(text: &str) -> String {
    format!("\"{}\"", text.replace('\n', "\\n"))
}

#[tokio::test]
async fn a_certificate_of_entra_id_names_the_key_that_signs() {
    let (certificate, key) = (pem("rsa.certificate"), pem("rsa.pkcs8"));
    let pair = format!("cert: {}, key: {}", flow(&certificate), flow(&key));
    let call = call_of_entra(&format!("entraID: {{{SCOPES}, certificate: {{{pair}}}}}")).await;
    let asked = fields(&call);
    assert!(!asked.contains_key("client_secret"));
    let algorithm = "PS256".parse().unwrap();
    let key = PrivateKey::from_pem(key.as_bytes(), Some(algorithm), "").unwrap();
    let keys = JwkSet::new(vec![key.public_jwk().clone()]);
    let verified = jws::verify(&asked["client_assertion"], &keys).unwrap();
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    assert_eq!(verified.header["alg"], "PS256");
    assert_eq!(
        verified.header["x5t#S256"],
        json!(base64url::encode(digest))
    );
    let claims = jwt::claims(&verified.payload).unwrap();
    let audience = claims["aud"].as_str().unwrap();
    assert!(audience.ends_with("/t/oauth2/v2.0/token"), "{audience}");
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("gw"), &json!("gw"))
    );
}

// Holds SE-05.
#[tokio::test]
async fn a_certificate_that_does_not_fit_closes_the_route() {
    let door = Door::closed().await;
    let (rsa, ec) = (pem("rsa.certificate"), pem("p256.pkcs8"));
    let other = pem("p256.certificate");
    for (certificate, key, finding) in [
        (&rsa, "CANARY", "entraID.certificate.key"),
        (&rsa, &*ec, "entraID.certificate.key"),
        (&other, &*pem("rsa.pkcs8"), "is not of that key"),
    ] {
        let pair = format!("cert: {}, key: {}", flow(certificate), flow(key));
        let told = door.offer(&[&format!(
            "oAuthTokenExchange: {{method: entraID, url: 'https://as.test', clientID: gw, \
             entraID: {{{SCOPES}, certificate: {{{pair}}}}}}}"
        )]);
        assert!(told.contains(finding) && !told.contains("CANARY"), "{told}");
        assert_eq!(door.with("callers").await.status, 503);
    }
}

#[tokio::test]
async fn a_secret_is_shown_as_the_server_wants_it() {
    // In the form, from the second call on at once.
    let answers = vec![refused(401, "invalid_client"), given("a"), given("b")];
    let server = Server::start(in_turn(answers)).await.unwrap();
    let door = door(&server, ONCE).await;
    assert_eq!(door.with("one").await.status, 200);
    assert_eq!(door.with("two").await.status, 200);
    let seen = server.seen();
    let in_header = seen.iter().map(|call| call.headers.only("authorization"));
    assert_eq!(in_header.collect::<Vec<_>>(), [Some(OWN), None, None]);
    assert_eq!(fields(&seen[2])["client_secret"], "gateways-own");
}

#[tokio::test]
async fn without_a_secret_an_assertion_or_a_certificate_shows_the_client() {
    let cert = flow(include_str!("../certificates/client.pem"));
    let key = flow(include_str!("../certificates/client.key"));
    for (shown, assertion) in [
        ("clientAssertion: {token: h.p.s}".to_owned(), Some("h.p.s")),
        (
            format!("clientConfig: {{tls: {{cert: {cert}, key: {key}}}}}"),
            None,
        ),
    ] {
        let server = changer().await;
        let url = server.url("/");
        let door = Door::behind(&[&format!(
            "oAuthTokenExchange: {{url: '{url}', clientID: gw, {shown}}}"
        )])
        .await;
        assert_eq!(door.with("callers").await.status, 200);
        let call = server.seen().remove(0);
        assert_eq!(call.headers.only("authorization"), None);
        let asked = fields(&call);
        assert_eq!(asked["client_id"], "gw");
        let signed = asked.get("client_assertion").map(String::as_str);
        assert_eq!(signed, assertion);
        assert!(!asked.contains_key("client_secret"));
    }
}
