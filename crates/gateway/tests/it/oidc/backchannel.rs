//! Logouts that the provider tells of, with sessions in a store.

use std::time::Duration;

use carnet_jose::Algorithm;
use carnet_testkit::Redis;
use carnet_testkit::client::{self, Response};
use serde_json::{Value, json};

use super::{Browser, HOST, World, merge};
use crate::jwt::{NOW, key, shared, signed, signed_as};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A provider that tells of logouts, the gateway, and its store.
struct Told {
    world: World,
    redis: Redis,
}

impl Told {
    async fn new() -> Self {
        let redis = Redis::start().await.unwrap();
        let options = format!(
            ", backchannelLogoutUrl: /out, session: {{expiry: 3600, store: {{redis: {{endpoints: '{}'}}}}}}",
            redis.address
        );
        let world = World::new(&options).await;
        Self { world, redis }
    }

    /// Somebody logs in, whose ID token says this, too.
    async fn logged_in(&self, claims: Value) -> Browser<'_> {
        self.world.provider.tell(|told| told.claims = claims);
        self.world.logged_in().await
    }

    /// The claims of a logout token, with changes; null: without.
    fn claims(&self, changes: &Value) -> Value {
        let issuer = self.world.provider.server.url("");
        let mut claims = json!({
            "iss": issuer, "aud": ["gateway"], "iat": NOW, "exp": NOW + 120, "jti": "j1",
            "events": {EVENT: {}},
        });
        merge(&mut claims, changes);
        claims
    }

    fn token(&self, changes: &Value) -> String {
        let told = self.world.provider.told.lock().unwrap();
        let header = json!({"alg": "ES256", "kid": "k", "typ": "logout+jwt"});
        signed_as(&told.key, &header, &self.claims(changes))
    }

    /// What the provider hears.
    async fn tell(&self, token: &str) -> Response {
        self.send("POST", &format!("logout_token={token}")).await
    }

    async fn send(&self, method: &str, form: &str) -> Response {
        let request = format!(
            "{method} /out HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let address = self.world.door.gateway.address;
        let response = client::send(address, request.as_bytes()).await.unwrap();
        assert_eq!(response.headers.only("cache-control"), Some("no-store"));
        assert_eq!(response.headers.all("set-cookie"), [] as [&str; 0]);
        response
    }
}

/// Whether somebody is logged in.
async fn is_in(browser: &Browser<'_>) -> bool {
    match browser.clone().get("/").await.status {
        200 => true,
        302 => false,
        status => panic!("{status}"),
    }
}

#[tokio::test]
async fn a_session_that_ended_at_the_provider_ends_here_and_no_other_one() {
    let told = Told::new().await;
    let one = told.logged_in(json!({"sid": "s1"})).await;
    let other = told.logged_in(json!({"sid": "s2"})).await;
    let token = told.token(&json!({"sid": "s1", "sub": "alice"}));
    let response = told.tell(&token).await;
    assert_eq!((response.status, response.text()), (200, String::new()));
    assert!(!is_in(&one).await && is_in(&other).await);
    assert_eq!(told.redis.values().len(), 4, "{:?}", told.redis.values());
    // By its name alone.
    let token = told.token(&json!({"sid": "s2", "jti": "j2"}));
    assert_eq!(told.tell(&token).await.status, 200);
    assert!(!is_in(&other).await);
    assert_eq!(told.world.door.backend.count(), 1);
}

#[tokio::test]
async fn who_left_everywhere_leaves_all_sessions_and_may_come_again() {
    let told = Told::new().await;
    let at_work = told.logged_in(json!({"sid": "s1"})).await;
    let at_home = told.logged_in(json!({})).await;
    let somebody = told.logged_in(json!({"sub": "bob", "sid": "s3"})).await;
    let token = told.token(&json!({"sub": "alice"}));
    assert_eq!(told.tell(&token).await.status, 200);
    assert!(!is_in(&at_work).await && !is_in(&at_home).await && is_in(&somebody).await);
    let again = told.logged_in(json!({"iat": NOW + 1})).await;
    assert!(is_in(&again).await);
    // The same token once more is no logout.
    assert_eq!(told.tell(&token).await.status, 400);
    assert!(is_in(&again).await);
    // An older one that comes late takes nothing back.
    let later = told.token(&json!({"sub": "alice", "iat": NOW + 1, "jti": "j2"}));
    assert_eq!(told.tell(&later).await.status, 200);
    let late = told.token(&json!({"sub": "alice", "jti": "j3"}));
    assert_eq!(told.tell(&late).await.status, 200);
    assert!(!is_in(&again).await);
}

#[tokio::test]
async fn a_session_without_a_name_at_the_provider_ends_with_any_of_its_person() {
    let told = Told::new().await;
    let nameless = told.logged_in(json!({})).await;
    let named = told.logged_in(json!({"sid": "s2"})).await;
    let token = told.token(&json!({"sid": "s1", "sub": "alice"}));
    assert_eq!(told.tell(&token).await.status, 200);
    assert!(!is_in(&nameless).await && is_in(&named).await);
}

// Holds RP-08.
#[tokio::test]
async fn a_renewal_does_not_bring_back_who_has_left() {
    let told = Told::new().await;
    let mut browser = told.logged_in(json!({"sid": "s1"})).await;
    told.world.door.clock.advance(Duration::from_secs(295));
    told.world
        .provider
        .tell(|told| told.claims = json!({"sid": "s1", "iat": NOW + 295}));
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(told.world.provider.forms().len(), 2);
    // It was said while the renewal was on its way, and is heard afterwards.
    let token = told.token(&json!({"sid": "s1", "iat": NOW + 290, "exp": NOW + 400}));
    assert_eq!(told.tell(&token).await.status, 200);
    assert!(!is_in(&browser).await);
}

#[tokio::test]
async fn the_store_learns_no_name_and_keeps_a_mark_for_as_long_as_a_session_may_live() {
    let told = Told::new().await;
    let token = told.token(&json!({"sid": "a-name", "sub": "alice"}));
    assert_eq!(told.tell(&token).await.status, 200);
    let values = told.redis.values();
    assert_eq!(values.len(), 3);
    for (name, value, left) in values {
        assert!(name.starts_with("carnet:logout:"), "{name}");
        let value = String::from_utf8_lossy(&value).into_owned();
        for secret in ["a-name", "alice", "j1"] {
            assert!(!name.contains(secret) && !value.contains(secret), "{name}");
        }
        // The token itself for as long as it counts.
        let is_mark = value == NOW.to_string();
        assert!(
            if is_mark {
                left > 3600
            } else {
                (100..=180).contains(&left)
            },
            "{left}"
        );
    }
}

// Holds RP-08.
#[tokio::test]
async fn what_is_no_logout_token_of_the_provider_for_this_client_ends_nothing() {
    let told = Told::new().await;
    let browser = told.logged_in(json!({"sid": "s1"})).await;
    let stranger = key(Algorithm::Es256, "k");
    let right = json!({"sid": "s1", "sub": "alice"});
    let claims = told.claims(&right);
    let mut wrong = vec![
        "nonsense".to_owned(),
        String::new(),
        signed(&stranger, &claims),
        shared(b"0123456789abcdef0123456789abcdef", "HS256", &claims),
    ];
    let own = told.token(&right);
    let (_, rest) = own.split_once('.').unwrap();
    let none = carnet_jose::base64url::encode(r#"{"alg":"none","typ":"logout+jwt"}"#);
    wrong.push(format!("{none}.{}.", rest.split('.').next().unwrap()));
    for typ in ["at+jwt", "dpop+jwt", "secevent+jwt"] {
        let header = json!({"alg": "ES256", "kid": "k", "typ": typ});
        let provider = told.world.provider.told.lock().unwrap();
        wrong.push(signed_as(&provider.key, &header, &claims));
    }
    // An ID token is none.
    let issuer = told.world.provider.server.url("");
    wrong.push(told.world.provider.told.lock().unwrap().id_token(&issuer));
    for change in [
        json!({"iss": "https://evil.test"}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": null}),
        json!({"exp": NOW - 61}),
        json!({"exp": null}),
        json!({"iat": NOW + 61}),
        json!({"iat": null}),
        json!({"jti": null}),
        json!({"events": null}),
        json!({"events": {"a": {}}}),
        json!({"nonce": "n"}),
        json!({"sid": null, "sub": null}),
        json!({"sub": ["alice"]}),
    ] {
        let mut all = right.clone();
        for (name, value) in change.as_object().unwrap() {
            all[name] = value.clone();
        }
        wrong.push(told.token(&all));
    }
    for token in &wrong {
        let response = told.tell(token).await;
        assert_eq!(response.status, 400, "{token}");
        assert_eq!(response.text(), r#"{"error":"invalid_request"}"#);
    }
    for (method, form) in [
        ("GET", String::new()),
        ("PUT", format!("logout_token={own}")),
        ("POST", String::new()),
        ("POST", format!("token={own}")),
        ("POST", format!("logout_token={own}&logout_token={own}")),
        (
            "POST",
            format!("a={}&logout_token={own}", "x".repeat(100_000)),
        ),
    ] {
        assert_eq!(told.send(method, &form).await.status, 400, "{method}");
    }
    assert!(is_in(&browser).await);
    assert_eq!(told.redis.values().len(), 1);
    // Providers from before there was a type sign it without one.
    for header in [
        json!({"alg": "ES256", "kid": "k"}),
        json!({"alg": "ES256", "kid": "k", "typ": "JWT"}),
    ] {
        let claims = told.claims(&json!({"sid": "s1", "jti": header.to_string()}));
        let token = signed_as(
            &told.world.provider.told.lock().unwrap().key,
            &header,
            &claims,
        );
        assert_eq!(told.tell(&token).await.status, 200);
    }
    assert!(!is_in(&browser).await);
}
