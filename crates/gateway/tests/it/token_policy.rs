//! `tokenPolicy`.

use carnet_jose::Algorithm;
use serde_json::{Value, json};

use crate::jwt::{Door, NOW, challenge, claims, inline, key, shared, signed};

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// Whether a token passes `jwt` of these options and then the policy.
async fn judge(jwt: &str, policy: &str, token: &str, passes: bool) {
    let policy = format!("tokenPolicy: {{{policy}}}");
    let door = Door::behind(&[&format!("jwt: {{{jwt}}}"), &policy]).await;
    let response = door.with(token).await;
    let status = if passes { 200 } else { 401 };
    assert_eq!(response.status, status, "{policy}");
    let invalid = Some("Bearer realm=\"carnet\", error=\"invalid_token\"");
    assert_eq!(
        challenge(&response),
        invalid.filter(|_| !passes),
        "{policy}"
    );
    assert_eq!(door.backend.count(), usize::from(passes), "{policy}");
}

#[tokio::test]
async fn tokens_that_live_too_long_or_lack_a_claim_are_refused() {
    let own = key(Algorithm::Es256, "c");
    let keys = inline(&[&own]);
    for (policy, claims, passes) in [
        ("maxLifetime: 60s", claims(), true),
        ("maxLifetime: 59s", claims(), false),
        ("maxLifetime: 1h", with("exp", json!(NOW + 3601)), false),
        ("maxLifetime: 1h", json!({"iat": NOW}), false),
        ("maxLifetime: 1h", json!({"exp": NOW + 9}), false),
        ("maxLifetime: 1h", json!({"exp": NOW + 9, "nbf": NOW}), true),
        ("maxAge: 10s", with("iat", json!(NOW - 10)), true),
        ("maxAge: 10s", with("iat", json!(NOW - 11)), false),
        ("maxAge: 10s", json!({"exp": NOW + 9}), false),
        ("requiredClaims: [sub, grp]", claims(), true),
        ("requiredClaims: [jti]", claims(), false),
        ("binding: any", claims(), false),
        ("binding: key", claims(), false),
    ] {
        judge(&keys, policy, &signed(&own, &claims), passes).await;
    }
}

#[tokio::test]
async fn tokens_that_were_signed_with_too_little_are_refused() {
    let (curve, rsa) = (key(Algorithm::Es256, "c"), key(Algorithm::Rs256, "r"));
    let keys = inline(&[&curve, &rsa]);
    let (curve, rsa) = (signed(&curve, &claims()), signed(&rsa, &claims()));
    judge(&keys, "minRsaBits: 2048", &rsa, true).await;
    judge(&keys, "minRsaBits: 3072", &rsa, false).await;
    judge(&keys, "minRsaBits: 3072", &curve, true).await;
    judge(&keys, "refuseSharedSecrets: true", &rsa, true).await;
    let secret = "a secret of more than thirty-two bytes";
    let (jwt, token) = (
        format!("signingSecret: {secret}"),
        shared(secret.as_bytes(), "HS256", &claims()),
    );
    judge(&jwt, "refuseSharedSecrets: true", &token, false).await;
    judge(&jwt, "maxAge: 1m", &token, true).await;
}

#[tokio::test]
async fn a_policy_without_anybody_who_judges_tokens_closes_the_route() {
    let own = key(Algorithm::Es256, "k");
    let jwt = format!("jwt: {{{}}}", inline(&[&own]));
    for middlewares in [
        vec!["tokenPolicy: {maxAge: 1m}"],
        vec!["tokenPolicy: {maxAge: 1m}", &jwt],
    ] {
        let door = Door::behind(&middlewares).await;
        assert_eq!(door.with(&signed(&own, &claims())).await.status, 503);
        assert_eq!(door.backend.count(), 0);
    }
    let door = Door::closed().await;
    assert!(door.offer(&["tokenPolicy: {}"]).contains("refuses nothing"));
}
