//! Tokens that are bound to keys (RFC 9449): whoever has one needs a proof by that key, for each
//! request. `nonces.rs` says how long a proof lives, and at how many gateways.

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::{Algorithm, PrivateKey, base64url};
use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::server::Answer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Door, HOST, NOW, bearer, challenge, claims, inline, key, signed, signed_as};

/// What a proof says, by the key that it is of.
struct Proof<'a> {
    key: &'a PrivateKey,
    header: Value,
    claims: Value,
}

impl<'a> Proof<'a> {
    fn of(key: &'a PrivateKey, token: &str, jti: &str) -> Self {
        let ath = base64url::encode(digest(&SHA256, token.as_bytes()));
        let htu = format!("http://{HOST}/");
        let jwk = Value::Object(key.public_jwk().to_object());
        Self {
            key,
            header: json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}),
            claims: json!({"htm": "GET", "htu": htu, "iat": NOW, "jti": jti, "ath": ath}),
        }
    }

    /// With another claim; nothing takes it away.
    fn with(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        let claims = self.claims.as_object_mut().unwrap();
        claims.retain(|_, value| !value.is_null());
        self
    }

    fn headed(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    fn field(&self) -> String {
        format!("DPoP: {}", signed_as(self.key, &self.header, &self.claims))
    }
}

/// A client, its key, and a token that is bound to it.
pub(super) struct Holder {
    own: PrivateKey,
    holder: PrivateKey,
    pub(super) token: String,
}

impl Holder {
    pub(super) fn new() -> Self {
        let (own, holder) = (key(Algorithm::Es256, "k"), key(Algorithm::Es256, "h"));
        let mut bound = claims();
        bound["cnf"] = json!({"jkt": holder.public_jwk().thumbprint()});
        bound["exp"] = json!(NOW + 3600);
        Self {
            token: signed(&own, &bound),
            own,
            holder,
        }
    }

    /// Options of a `jwt` that takes its tokens.
    pub(super) fn keys(&self) -> String {
        inline(&[&self.own])
    }

    fn proof(&self, jti: &str) -> Proof<'_> {
        Proof::of(&self.holder, &self.token, jti)
    }

    /// The field with a proof of this name, made now, that has more claims.
    pub(super) fn proving(&self, jti: &str, more: &[(&str, Value)]) -> String {
        let proof = self.proof(jti);
        let more = more.iter();
        let proof = more.fold(proof, |proof, (name, value)| {
            proof.with(name, value.clone())
        });
        proof.field()
    }

    /// Shows its token, with these fields.
    pub(super) async fn asks(&self, door: &Door, fields: &[&str]) -> Response {
        let dpop = format!("Authorization: DPoP {}", self.token);
        let fields: Vec<&str> = [dpop.as_str()].iter().chain(fields).copied().collect();
        door.get(&fields).await
    }
}

// Holds DP-02.
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_needs_a_proof_of_it_and_each_proof_counts_once() {
    let one = Holder::new();
    let thief = key(Algorithm::Es256, "t");
    let free = signed(&one.own, &claims());
    let door = Door::new(&one.keys()).await;
    let dpop = format!("Authorization: DPoP {}", one.token);
    let right = one.proving("1", &[]);
    for (fields, status, error) in [
        (vec![dpop.clone(), right.clone()], 200, ""),
        // Once more, and one more.
        (vec![dpop.clone(), right.clone()], 401, "invalid_dpop_proof"),
        (vec![dpop.clone(), one.proving("2", &[])], 200, ""),
        (vec![dpop.clone()], 401, "invalid_dpop_proof"),
        // As a bearer token it is none, with a proof or without.
        (vec![bearer(&one.token)], 401, "invalid_token"),
        (
            vec![bearer(&one.token), one.proving("3", &[])],
            401,
            "invalid_token",
        ),
        (
            vec![dpop.clone(), Proof::of(&thief, &one.token, "4").field()],
            401,
            "invalid_token",
        ),
        (
            vec![dpop.clone(), one.proving("9", &[]), one.proving("10", &[])],
            400,
            "invalid_request",
        ),
        // A token that is bound to nothing is not sent so.
        (
            vec![
                format!("Authorization: DPoP {free}"),
                Proof::of(&one.holder, &free, "11").field(),
            ],
            401,
            "invalid_token",
        ),
        // In two ways at once it is sent in none.
        (
            vec![dpop.clone(), bearer(&one.token), one.proving("12", &[])],
            401,
            "invalid_token",
        ),
    ] {
        let several = fields.len() > 2;
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = door.get(&fields).await;
        assert_eq!(response.status, status, "{fields:?}");
        let told = challenge(&response).unwrap_or_default();
        assert!(told.contains(error), "{told} {fields:?}");
        let is_dpop = fields[0].contains("DPoP") && status != 200 && !(several && status == 401);
        assert_eq!(told.starts_with("DPoP realm"), is_dpop, "{told}");
    }
    assert_eq!(door.backend.count(), 2);
    assert_eq!(door.seen("dpop"), [""; 0]);
    assert_eq!(door.seen("authorization"), [""; 0]);
}

// Holds DP-01.
#[tokio::test]
async fn every_check_of_a_proof_is_made_at_the_gateway() {
    let one = Holder::new();
    let door = Door::new(&one.keys()).await;
    let free = signed(&one.own, &claims());
    let private = one.holder.to_private_json().unwrap();
    let private: Value = serde_json::from_str(private.expose_secret()).unwrap();
    let of_free = Proof::of(&one.holder, &free, "a").claims["ath"].clone();
    for (check, proof) in [
        ("3: htm", one.proof("1").with("htm", Value::Null)),
        ("3: htu", one.proof("2").with("htu", Value::Null)),
        ("3: iat", one.proof("3").with("iat", Value::Null)),
        ("3: jti", one.proof("4").with("jti", Value::Null)),
        ("3: ath", one.proof("5").with("ath", Value::Null)),
        ("4", one.proof("6").headed("typ", json!("JWT"))),
        ("4", one.proof("7").headed("typ", json!("at+jwt"))),
        ("5: none", one.proof("8").headed("alg", json!("none"))),
        ("5: symmetric", one.proof("9").headed("alg", json!("HS256"))),
        ("7", one.proof("10").headed("jwk", private)),
        ("8", one.proof("11").with("htm", json!("POST"))),
        ("9", one.proof("12").with("htu", json!("http://b.test/"))),
        ("9", one.proof("13").with("htu", json!("http://api.test/a"))),
        ("9", one.proof("14").with("htu", json!("https://api.test/"))),
        ("11", one.proof("15").with("iat", json!(NOW - 61))),
        ("11", one.proof("16").with("iat", json!(NOW + 11))),
        ("12: ath", one.proof("17").with("ath", of_free)),
    ] {
        let response = one.asks(&door, &[&proof.field()]).await;
        assert_eq!(response.status, 401, "{check}");
        let told = challenge(&response).unwrap_or_default();
        assert!(
            told.contains("error=\"invalid_dpop_proof\""),
            "{check}: {told}"
        );
    }
    let right = one.proving("18", &[]);
    // 2: one JWT, whole. 6: the signature is that key's.
    let (before, after) = right.split_at(right.len() - 40);
    let changed = if after.starts_with('A') { 'B' } else { 'A' };
    for (check, field) in [
        ("2", "DPoP: x".to_owned()),
        ("2", format!("{right},{}", &right[6..])),
        ("6", format!("{before}{changed}{}", &after[1..])),
    ] {
        let response = one.asks(&door, &[&field]).await;
        assert_eq!(response.status, 401, "{check}");
    }
    assert_eq!(door.backend.count(), 0);
    assert_eq!(one.asks(&door, &[&right]).await.status, 200);
}

// Holds DP-01.
#[tokio::test]
async fn a_proof_for_the_same_address_and_time_in_other_words_counts() {
    let one = Holder::new();
    let door = Door::new(&one.keys()).await;
    for (jti, name, value) in [
        ("1", "htu", json!("http://api.test")),
        ("2", "htu", json!("HTTP://API.TEST:80/?a=b#c")),
        ("3", "htu", json!("http://api.test/a/..")),
        ("4", "iat", json!(NOW - 60)),
        ("5", "iat", json!(NOW + 10)),
        // Members that nobody knows do no harm, and neither does a nonce that nobody asked for.
        ("6", "more", json!(true)),
        ("7", "nonce", json!("a")),
    ] {
        let field = one.proving(jti, &[(name, value.clone())]);
        assert_eq!(one.asks(&door, &[&field]).await.status, 200, "{value}");
    }
    let query = format!(
        "GET /?a=b HTTP/1.1\r\nHost: API.test:80\r\nConnection: close\r\nAuthorization: dpop {}\r\n\
         {}\r\n\r\n",
        one.token,
        one.proving("8", &[])
    );
    assert_eq!(door.send(&query).await.status, 200);
}

// Holds DP-01.
#[tokio::test]
async fn a_proof_is_for_what_the_client_asked_whatever_stands_before() {
    let one = Holder::new();
    let jwt = format!("jwt: {{{}}}", one.keys());
    for before in [
        "addPrefix: {prefix: /inside}",
        "replacePath: {path: /inside}",
        "replacePathRegex: {regex: '^/(.*)$', replacement: /inside/$1}",
    ] {
        let door = Door::behind(&[before, &jwt]).await;
        let inside = one.proving("1", &[("htu", json!("http://api.test/inside"))]);
        assert_eq!(one.asks(&door, &[&inside]).await.status, 401, "{before}");
        let right = one.proving("2", &[]);
        assert_eq!(one.asks(&door, &[&right]).await.status, 200, "{before}");
    }
    let door = Door::behind(&["stripPrefix: {prefixes: [/api]}", &jwt]).await;
    let asked = format!(
        "GET /api/a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nAuthorization: DPoP {}\r\n{}\
         \r\n\r\n",
        one.token,
        one.proving("3", &[("htu", json!("http://api.test/api/a"))])
    );
    assert_eq!(door.send(&asked).await.status, 200);
}

// Holds DP-03.
#[tokio::test]
async fn a_proof_counts_for_one_request_however_often_that_is_judged_or_tried() {
    let one = Holder::new();
    let jwt = format!("jwt: {{{}, forwardAuthorization: true}}", one.keys());
    let door = Door::behind(&[&jwt, &jwt]).await;
    let right = one.proving("1", &[]);
    assert_eq!(one.asks(&door, &[&right]).await.status, 200);
    assert_eq!(one.asks(&door, &[&right]).await.status, 401);
    let failing = Server::start(|_| Answer::text(503, "")).await.unwrap();
    let mut door = Door::closed().await;
    door.backend = failing;
    let jwt = format!("jwt: {{{}}}", one.keys());
    assert_eq!(
        door.offer(&["retry: {attempts: 3, status: [503]}", &jwt]),
        ""
    );
    let right = one.proving("2", &[]);
    assert_eq!(one.asks(&door, &[&right]).await.status, 503);
    assert_eq!(door.backend.count(), 3);
    assert_eq!(one.asks(&door, &[&right]).await.status, 401);
    assert_eq!(door.backend.count(), 3);
}

// Holds DP-03.
#[tokio::test]
async fn a_proof_that_was_used_stays_so_at_another_route_and_under_another_configuration() {
    let one = Holder::new();
    let door = Door::new(&one.keys()).await;
    let right = one.proving("1", &[]);
    assert_eq!(one.asks(&door, &[&right]).await.status, 200);
    let changed = format!("jwt: {{{}, leeway: 30s}}", one.keys());
    assert_eq!(door.offer(&[&changed]), "");
    assert_eq!(one.asks(&door, &[&right]).await.status, 401);
    assert_eq!(one.asks(&door, &[&one.proving("2", &[])]).await.status, 200);
}

// Holds DP-02.
#[tokio::test]
async fn a_token_that_is_bound_to_a_key_and_a_certificate_needs_both() {
    let one = Holder::new();
    let mut both = claims();
    both["cnf"] = json!({"jkt": one.holder.public_jwk().thumbprint(), "x5t#S256": "a"});
    let token = signed(&one.own, &both);
    let door = Door::new(&one.keys()).await;
    let proof = Proof::of(&one.holder, &token, "1").field();
    let dpop = format!("Authorization: DPoP {token}");
    for fields in [&[dpop.as_str(), &proof][..], &[&bearer(&token), &proof]] {
        let response = door.get(fields).await;
        assert_eq!(response.status, 401, "{fields:?}");
        let told = challenge(&response).unwrap_or_default();
        assert!(told.contains("error=\"invalid_token\""), "{told}");
    }
}

// Holds DP-02.
#[tokio::test]
async fn an_opaque_token_that_is_bound_to_a_key_needs_a_proof_of_it() {
    let mut one = Holder::new();
    one.token = "opaque".to_owned();
    let jkt = one.holder.public_jwk().thumbprint();
    let answer = json!({"active": true, "token_type": "DPoP", "cnf": {"jkt": jkt}});
    let server = Server::start(move |_| Answer::json(200, &answer))
        .await
        .unwrap();
    let door = Door::behind(&[&format!(
        "oAuthIntrospection: {{tokenSource: {{header: Authorization}}, clientConfig: {{url: '{}'}}}}",
        server.url("/introspect")
    )])
    .await;
    let right = one.proving("1", &[]);
    // As its server vouches for it the first time, and as that is remembered.
    for _ in 0..2 {
        assert_eq!(door.with(&one.token).await.status, 401);
        assert_eq!(one.asks(&door, &[]).await.status, 401);
    }
    assert_eq!(one.asks(&door, &[&right]).await.status, 200);
    assert_eq!(one.asks(&door, &[&right]).await.status, 401);
    assert_eq!(door.backend.count(), 1);
}
