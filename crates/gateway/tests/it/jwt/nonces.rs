//! Proofs that need a nonce of the gateway (RFC 9449, section 9): none can be made ahead.

use std::time::Duration;

use carnet_testkit::client::Response;
use serde_json::{Value, json};

use super::proofs::Holder;
use super::{Door, HOST, NOW, bearer};

const SECRET: &str = "secret: a secret of more than thirty-two bytes";

fn options(one: &Holder, more: &str) -> String {
    format!("{}, dpop: {{nonceRequired: true{more}}}", one.keys())
}

/// The nonce that an answer has, which is told once and kept in no cache.
fn told(response: &Response) -> Option<&str> {
    let nonce = response.headers.only("dpop-nonce");
    if nonce.is_some() {
        assert_eq!(response.headers.only("cache-control"), Some("no-store"));
    }
    nonce
}

fn nonce(nonce: &str) -> (&'static str, Value) {
    ("nonce", json!(nonce))
}

// Holds DP-01.
#[tokio::test]
async fn a_proof_without_a_fresh_nonce_is_told_one_and_the_next_before_it_ends() {
    let one = Holder::new();
    let door = Door::new(&options(&one, "")).await;
    let made = |seconds: i64| ("iat", json!(NOW + seconds));
    let refused = one.asks(&door, &[&one.proving("1", &[])]).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.headers.only("www-authenticate").unwrap();
    assert!(challenge.starts_with("DPoP realm"), "{challenge}");
    assert!(
        challenge.contains("error=\"use_dpop_nonce\""),
        "{challenge}"
    );
    let first = told(&refused).unwrap().to_owned();
    for wrong in ["", "x", &first[1..], &format!("{first}A")] {
        let field = one.proving("2", &[nonce(wrong)]);
        let response = one.asks(&door, &[&field]).await;
        assert_eq!((response.status, told(&response)), (401, Some(&*first)));
    }
    // The same proof may be made again with it, as clients do; and the newest is not told again.
    let response = one
        .asks(&door, &[&one.proving("1", &[nonce(&first)])])
        .await;
    assert_eq!((response.status, told(&response)), (200, None));
    door.clock.advance(Duration::from_secs(120));
    let field = one.proving("3", &[nonce(&first), made(120)]);
    let response = one.asks(&door, &[&field]).await;
    assert_eq!(response.status, 200);
    let second = told(&response).unwrap().to_owned();
    assert_ne!(first, second);
    let field = one.proving("4", &[nonce(&second), made(120)]);
    let response = one.asks(&door, &[&field]).await;
    assert_eq!((response.status, told(&response)), (200, None));
    door.clock.advance(Duration::from_secs(120));
    let field = one.proving("5", &[nonce(&first), made(240)]);
    let response = one.asks(&door, &[&field]).await;
    assert_eq!(response.status, 401);
    assert!(told(&response).is_some_and(|third| third != second));
    assert_eq!(door.backend.count(), 3);
}

#[tokio::test]
async fn who_lacks_more_than_a_nonce_is_told_of_that() {
    let one = Holder::new();
    let door = Door::new(&options(&one, "")).await;
    for (fields, error) in [
        (
            &[one.proving("1", &[("htm", json!("POST"))])][..],
            "invalid_dpop_proof",
        ),
        (&[], "invalid_dpop_proof"),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = one.asks(&door, &fields).await;
        assert_eq!((response.status, told(&response)), (401, None));
        let challenge = response.headers.only("www-authenticate").unwrap();
        assert!(challenge.contains(error), "{challenge}");
    }
}

// Holds DP-03.
#[tokio::test]
async fn a_nonce_counts_at_every_gateway_of_its_secret_and_at_no_other() {
    let one = Holder::new();
    let shared = format!(", {SECRET}");
    let next = ", secret: the secret that came in the place of it, \
                previousSecrets: [a secret of more than thirty-two bytes]";
    let first = Door::new(&options(&one, &shared)).await;
    let refused = one.asks(&first, &[&one.proving("1", &[])]).await;
    let made = told(&refused).unwrap();
    for (jti, more, status, is_renewed) in [
        ("2", shared.as_str(), 200, false),
        // A gateway that has another secret meanwhile says so.
        ("3", next, 200, true),
        (
            "4",
            ", secret: the secret of others that is long enough",
            401,
            true,
        ),
    ] {
        let other = Door::new(&options(&one, more)).await;
        let response = one.asks(&other, &[&one.proving(jti, &[nonce(made)])]).await;
        assert_eq!(response.status, status, "{more}");
        assert_eq!(told(&response).is_some(), is_renewed, "{more}");
    }
    // Without a secret nonces are the process's own, whatever its configuration is meanwhile.
    let door = Door::new(&options(&one, "")).await;
    let refused = one.asks(&door, &[&one.proving("5", &[nonce(made)])]).await;
    assert_eq!(refused.status, 401);
    let own = told(&refused).unwrap().to_owned();
    let changed = format!("jwt: {{{}, leeway: 30s}}", options(&one, ""));
    assert_eq!(door.offer(&[&changed]), "");
    let field = one.proving("6", &[nonce(&own)]);
    assert_eq!(one.asks(&door, &[&field]).await.status, 200);
}

#[tokio::test]
async fn scripts_of_other_origins_may_read_the_nonce() {
    let one = Holder::new();
    let door = Door::new(&options(&one, "")).await;
    let origin = "Origin: https://app.test";
    let exposed = "DPoP-Nonce, WWW-Authenticate";
    for (fields, expected) in [(&[origin][..], Some(exposed)), (&[], None)] {
        let proof = one.proving("1", &[]);
        let fields: Vec<&str> = [proof.as_str()].iter().chain(fields).copied().collect();
        let response = one.asks(&door, &fields).await;
        let headers = &response.headers;
        assert_eq!(headers.only("access-control-expose-headers"), expected);
    }
    // What `headers` is told to expose stands in its place.
    let cors = "headers: {accessControlAllowOriginList: ['https://app.test'], \
                accessControlExposeHeaders: [DPoP-Nonce, WWW-Authenticate, X-Own]}";
    let jwt = format!("jwt: {{{}}}", options(&one, ""));
    let door = Door::behind(&[cors, &jwt]).await;
    let response = one.asks(&door, &[&one.proving("2", &[]), origin]).await;
    assert!(told(&response).is_some());
    let headers = &response.headers;
    let exposed = headers.only("access-control-expose-headers");
    assert_eq!(exposed, Some("DPoP-Nonce,WWW-Authenticate,X-Own"));
}

#[tokio::test]
async fn a_route_that_asks_for_proofs_says_so_to_who_sends_none() {
    let one = Holder::new();
    let resource = "resourceMetadata: {resource: 'http://api.test', \
                    authorizationServers: ['https://as.test']}";
    let door = Door::new(&format!("{}, dpop: {{}}, {resource}", one.keys())).await;
    for (fields, error) in [
        (&[][..], false),
        (&[bearer(&one.token)], true),
        (&[bearer("x")], true),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = door.get(&fields).await;
        assert_eq!(response.status, 401);
        let [first, second] = response.headers.all("www-authenticate")[..] else {
            panic!("{:?}", response.headers);
        };
        assert!(first.starts_with("Bearer realm"), "{first}");
        assert_eq!(first.contains("error=\"invalid_token\""), error, "{first}");
        assert!(second.starts_with("DPoP realm"), "{second}");
        assert!(
            second.contains("algs=\"") && !second.contains("error"),
            "{second}"
        );
    }
    let well_known = "GET /.well-known/oauth-protected-resource HTTP/1.1\r\n";
    let asked = format!("{well_known}Host: {HOST}\r\nConnection: close\r\n\r\n");
    let document: Value = serde_json::from_slice(&door.send(&asked).await.body).unwrap();
    let names = document["dpop_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(names.contains(&json!("ES256")), "{document}");
}
