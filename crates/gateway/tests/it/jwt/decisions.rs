//! Which token gets which answer, row by row.

use carnet_jose::Algorithm;
use serde_json::json;

use super::{Door, NOW, bearer, challenge, claims, inline, key, shared, signed, with, without};

const INVALID: Option<&str> = Some("Bearer realm=\"carnet\", error=\"invalid_token\"");
const MISSING: Option<&str> = Some("Bearer realm=\"carnet\"");

// Holds BC-05, BR-02, BR-03, CVE-2020-26160, CVE-2024-53861, CVE-2026-25537, JW-07, JW-08, JW-09.
#[tokio::test]
async fn each_token_gets_the_answer_of_its_row() {
    let (own, other) = (key(Algorithm::Es256, "k"), key(Algorithm::Es256, "k"));
    let issuer = "issuer: 'https://as.test'";
    let audience = "audience: ['https://other.test', 'https://api.test']";
    let group = "claims: 'Equals(`grp`, `admin`)'";
    let row = |options: &'static str, token: String, status: u16| (options, token, status);
    let sign = |claims| signed(&own, &claims);
    let rows = [
        row("", sign(claims()), 200),
        row("", signed(&other, &claims()), 401),
        row("", "opaque".to_owned(), 401),
        row("", "a.b.c".to_owned(), 401),
        // Times, when they are there.
        row("", sign(without("exp")), 200),
        row("", sign(with("exp", json!(NOW - 59))), 200),
        row("", sign(with("exp", json!(NOW - 60))), 401),
        row("leeway: 0s", sign(with("exp", json!(NOW))), 401),
        row("leeway: 0s", sign(with("exp", json!(NOW + 1))), 200),
        row("", sign(with("nbf", json!(NOW + 60))), 200),
        row("", sign(with("nbf", json!(NOW + 61))), 401),
        row("", sign(with("iat", json!(NOW + 61))), 401),
        row("", sign(with("exp", json!("99"))), 401),
        row("", sign(with("nbf", json!(null))), 401),
        row("", sign(with("exp", json!([NOW + 60]))), 401),
        // The issuer, exactly.
        row(issuer, sign(claims()), 200),
        row(issuer, sign(without("iss")), 401),
        row(issuer, sign(with("iss", json!("https://as.test/"))), 401),
        row(issuer, sign(with("iss", json!("https://as.tes"))), 401),
        row(
            issuer,
            sign(with("iss", json!("https://as.test.evil"))),
            401,
        ),
        row(issuer, sign(with("iss", json!(["https://as.test"]))), 401),
        row("", sign(without("iss")), 200),
        // One of the audiences, exactly.
        row(audience, sign(claims()), 200),
        row(audience, sign(with("aud", json!("https://api.test"))), 200),
        row(
            audience,
            sign(with("aud", json!(["x", "https://other.test"]))),
            200,
        ),
        row(audience, sign(without("aud")), 401),
        row(audience, sign(with("aud", json!([]))), 401),
        row(audience, sign(with("aud", json!(null))), 401),
        row(audience, sign(with("aud", json!("https://api.test/"))), 401),
        row(audience, sign(with("aud", json!("HTTPS://API.TEST"))), 401),
        row(audience, sign(with("aud", json!("https://api"))), 401),
        row(
            audience,
            sign(with("aud", json!({"https://api.test": 1}))),
            401,
        ),
        // What is asked of claims.
        row(group, sign(claims()), 200),
        row(group, sign(with("grp", json!("user"))), 403),
        row(group, sign(without("grp")), 403),
        row(group, sign(with("grp", json!(["admin"]))), 403),
        row(group, sign(with("grp", json!({"admin": true}))), 403),
        row(group, sign(with("grp", json!("\u{430}dmin"))), 403),
        row(group, signed(&other, &claims()), 401),
    ];
    for (options, token, status) in rows {
        let door = Door::new(&format!("{}, {options}", inline(&[&own]))).await;
        // From memory there is the same answer as at first.
        for _ in 0..2 {
            let response = door.with(&token).await;
            assert_eq!(response.status, status, "{options} {token}");
            let insufficient = Some("Bearer realm=\"carnet\", error=\"insufficient_scope\"");
            let (expected, text) = match status {
                401 => (INVALID, "401 Unauthorized\n"),
                403 => (insufficient, "Forbidden"),
                _ => (None, "served"),
            };
            assert_eq!((challenge(&response), &*response.text()), (expected, text));
        }
        let passed = if status == 200 { 2 } else { 0 };
        assert_eq!(door.backend.count(), passed, "{options} {token}");
    }
}

// Holds BR-02.
#[tokio::test]
async fn who_sends_no_token_is_told_the_scheme_and_no_error() {
    let own = key(Algorithm::Es256, "k");
    let door = Door::new(&inline(&[&own])).await;
    let token = signed(&own, &claims());
    let basic = "Authorization: Basic YTpi".to_owned();
    for (fields, expected) in [
        (vec![], MISSING),
        (vec![basic], MISSING),
        (vec![format!("Authorization: {token}")], MISSING),
        (vec!["Authorization: Bearer".to_owned()], INVALID),
        (vec!["Authorization: Bearer a, b".to_owned()], INVALID),
        // Of two nobody knows which the service would believe.
        (vec![bearer(&token), bearer(&token)], INVALID),
        (vec![bearer(&format!("{token}, Bearer {token}"))], INVALID),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let response = door.get(&fields).await;
        assert_eq!(response.status, 401, "{fields:?}");
        assert_eq!(challenge(&response), expected, "{fields:?}");
    }
    assert_eq!(door.backend.count(), 0);
    assert_eq!(
        door.get(&[&format!("aUtHoRiZaTiOn: bEaReR {token}")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_service_gets_claims_and_no_token_unless_it_is_to_have_it() {
    let own = key(Algorithm::Es256, "k");
    let headers = "forwardHeaders: {X-User: sub, Group: grp, Expires-At: exp, X-None: none}, \
                   usernameClaim: sub";
    let door = Door::new(&format!("{}, {headers}", inline(&[&own]))).await;
    let token = signed(&own, &claims());
    for _ in 0..2 {
        let forged = [
            &*bearer(&token),
            "x-user: root",
            "X_User: root",
            "X-None: root",
        ];
        assert_eq!(door.get(&forged).await.status, 200);
        assert_eq!(door.seen("authorization"), [""; 0]);
        assert_eq!(door.seen("x-user"), ["alice"]);
        assert_eq!(door.seen("x_user"), [""; 0]);
        assert_eq!(door.seen("group"), ["admin"]);
        assert_eq!(door.seen("expires-at"), [(NOW + 60).to_string()]);
        assert_eq!(door.seen("x-none"), [""]);
    }
    let log = door.gateway.access_log().join("\n");
    assert!(log.contains("alice") && !log.contains(&token), "{log}");
    let forwarding = Door::new(&format!("{}, forwardAuthorization: true", inline(&[&own]))).await;
    assert_eq!(forwarding.with(&token).await.status, 200);
    assert_eq!(
        forwarding.seen("authorization"),
        [format!("Bearer {token}")]
    );
}

/// As Traefik Hub's example for Linux has it: a secret of 19 characters in a file.
// Holds CVE-2022-29266.
#[tokio::test]
async fn a_signing_secret_verifies_what_was_signed_with_it_and_nothing_else() {
    let text = "A phrase of a team!";
    for (options, secret) in [
        (format!("signingSecret: '{text}'"), text.as_bytes().to_vec()),
        (
            "signingSecret: c2VjcmV0, signingSecretBase64Encoded: true".to_owned(),
            b"secret".to_vec(),
        ),
    ] {
        let door = Door::new(&options).await;
        for algorithm in ["HS256", "HS384", "HS512"] {
            let token = shared(&secret, algorithm, &claims());
            assert_eq!(door.with(&token).await.status, 200, "{algorithm}");
            let forged = shared(b"another", algorithm, &claims());
            let refusal = door.with(&forged).await;
            assert_eq!(refusal.status, 401, "{algorithm}");
            // Nor does it say anything of the secret.
            assert_eq!(refusal.text(), "401 Unauthorized\n");
            assert_eq!(challenge(&refusal), INVALID);
        }
        let ended = shared(&secret, "HS256", &with("exp", json!(NOW - 61)));
        assert_eq!(door.with(&ended).await.status, 401);
        assert_eq!(door.backend.count(), 3);
    }
    let door = Door::closed().await;
    let broken = "plugin: {jwt: {signingSecret: '!', signingSecretBase64Encoded: true}}";
    assert!(
        door.offer(&[broken])
            .contains("`signingSecret` is no base64")
    );
    assert_eq!(door.get(&[]).await.status, 503);
}

#[tokio::test]
async fn a_remembered_token_ends_when_it_ends() {
    let own = key(Algorithm::Es256, "k");
    let door = Door::new(&format!("{}, leeway: 0s", inline(&[&own]))).await;
    let token = signed(&own, &claims());
    assert_eq!(door.with(&token).await.status, 200);
    door.clock.advance(std::time::Duration::from_secs(59));
    assert_eq!(door.with(&token).await.status, 200);
    door.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(door.with(&token).await.status, 401);
    // And the clock may be put back.
    door.clock.turn_back(std::time::Duration::from_secs(3600));
    assert_eq!(door.with(&token).await.status, 401);
}
