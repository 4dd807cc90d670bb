//! Answers that are not the provider's, and cookies that are not ours: nobody gets in.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::{Algorithm, base64url, half_hash};
use serde_json::{Value, json};

use super::{World, location};
use crate::ear::Ear;
use crate::jwt::{NOW, key, shared};

/// Comes back with a query in the place of the right one.
async fn status(world: &World, query: &str) -> u16 {
    let mut browser = world.browser();
    let asked = browser.begin("/").await;
    let nonce = asked["nonce"].clone();
    world.provider.tell(|told| told.nonce = nonce);
    let query = query.replace("STATE", &asked["state"]);
    let response = browser.get(&format!("/callback?{query}")).await;
    assert!(!response.text().contains("evil"), "{}", response.text());
    assert_eq!(response.headers.only("cache-control"), Some("no-store"));
    let has_session = browser.names().contains(&"m0_file-session");
    assert_eq!(has_session, response.status == 302, "{query}");
    response.status
}

// Holds RP-02.
#[tokio::test]
async fn an_answer_that_is_not_the_one_to_this_login_begins_no_session() {
    let world = World::new("").await;
    let issuer = world.provider.server.url("");
    let twice = format!("iss={issuer}&code=c&state=STATE&iss={issuer}");
    for (query, expected) in [
        ("code=c&state=STATE", 302),
        (&*format!("code=c&state=STATE&iss={issuer}"), 302),
        ("", 400),
        ("code=c", 400),
        ("code=c&state=", 400),
        ("code=c&state=evil", 400),
        ("code=c&state=STATE&state=STATE", 400),
        ("state=STATE", 400),
        ("code=&state=STATE", 400),
        ("code=c&code=d&state=STATE", 400),
        ("code=c&state=STATE&iss=http://evil.test", 400),
        (&*twice, 400),
        (
            "error=access_denied&error_description=evil&state=STATE",
            403,
        ),
        ("error=%3Cevil%3E&state=STATE", 400),
        ("error=access_denied&code=c", 400),
    ] {
        assert_eq!(status(&world, query).await, expected, "{query}");
    }
    // A provider that says whose its answers are says so always (RFC 9207).
    let strict = World::new("").await;
    let supported = json!({"authorization_response_iss_parameter_supported": true});
    strict.provider.tell(|told| told.metadata = supported);
    assert_eq!(status(&strict, "code=c&state=STATE").await, 400);
    assert_eq!(world.door.backend.count() + strict.door.backend.count(), 0);
}

// Holds RP-01.
#[tokio::test]
async fn an_answer_counts_once_for_the_browser_that_asked_and_not_for_ever() {
    let world = World::new("").await;
    let mut browser = world.browser();
    let asked = browser.begin("/").await;
    let before = browser.cookies.clone();
    // Another browser with the address of this one.
    let mut other = world.browser();
    assert_eq!(other.come_back(&asked).await.status, 400);
    other.begin("/").await;
    assert_eq!(other.come_back(&asked).await.status, 400);
    assert_eq!(browser.come_back(&asked).await.status, 302);
    assert_eq!(browser.come_back(&asked).await.status, 400);
    // Also with the cookie as it was.
    browser.cookies = before;
    assert_eq!(browser.come_back(&asked).await.status, 400);
    let mut late = world.browser();
    let asked = late.begin("/").await;
    world.door.clock.advance(Duration::from_secs(601));
    assert_eq!(late.come_back(&asked).await.status, 400);
    assert_eq!(world.provider.forms().len(), 1);
}

// Holds RP-02.
#[tokio::test]
async fn an_id_token_that_is_wrong_begins_no_session() {
    let world = World::new("").await;
    for claims in [
        json!({"iss": "https://evil.test"}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": ["another", "third"]}),
        json!({"aud": null}),
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"exp": 1}),
        json!({"exp": null}),
        json!({"sub": null}),
        json!({"sub": ""}),
    ] {
        world.provider.tell(|told| told.claims = claims.clone());
        assert_eq!(status(&world, "code=c&state=STATE").await, 401, "{claims}");
    }
    world.provider.tell(|told| told.claims = json!({}));
    assert_eq!(status(&world, "code=c&state=STATE").await, 302);
    let issuer = world.provider.server.url("");
    let stranger = key(Algorithm::Es256, "k");
    world.provider.tell(|told| {
        let own = std::mem::replace(&mut told.key, stranger);
        told.id_token = Some(told.id_token(&issuer));
        told.key = own;
    });
    assert_eq!(status(&world, "code=c&state=STATE").await, 401);
    let header = base64url::encode(r#"{"alg":"none"}"#);
    world.provider.tell(|told| {
        let token = told.id_token.take().unwrap();
        let payload = token.split('.').nth(1).unwrap();
        told.id_token = Some(format!("{header}.{payload}."));
    });
    assert_eq!(status(&world, "code=c&state=STATE").await, 401);
    assert_eq!(world.door.backend.count(), 0);
}

/// What becomes of logins whose ID tokens say this.
async fn judged(options: &str, cases: &[(Value, u16)]) {
    let world = World::new(options).await;
    for (claims, expected) in cases {
        world.provider.tell(|told| told.claims = claims.clone());
        let status = status(&world, "code=c&state=STATE").await;
        assert_eq!(status, *expected, "{claims}");
    }
    assert_eq!(world.door.backend.count(), 0);
}

// Holds RP-02.
#[tokio::test]
async fn an_id_token_for_several_names_this_client_as_its_party() {
    let cases = [
        (json!({"aud": ["gateway"]}), 302),
        (json!({"aud": ["gateway", "another"]}), 401),
        (
            json!({"aud": ["gateway", "another"], "azp": "another"}),
            401,
        ),
        (json!({"aud": ["another", "third"], "azp": "gateway"}), 401),
        (
            json!({"aud": ["gateway", "another"], "azp": "gateway"}),
            302,
        ),
        (json!({"azp": "another"}), 401),
        (json!({"azp": ["gateway"]}), 401),
        (json!({"azp": "gateway"}), 302),
    ];
    judged("", &cases).await;
}

#[tokio::test]
async fn an_id_token_of_the_future_begins_no_session() {
    let cases = [
        (json!({"iat": NOW + 60}), 302),
        (json!({"iat": NOW + 61}), 401),
        (json!({"iat": 9_000_000_000_000_i64}), 401),
        (json!({"iat": "now"}), 401),
        (json!({"nbf": NOW + 61}), 401),
    ];
    judged("", &cases).await;
}

#[tokio::test]
async fn who_logged_in_longer_ago_than_max_age_asks_for_begins_no_session() {
    let cases = [
        (json!({"auth_time": NOW - 300}), 302),
        (json!({"auth_time": NOW - 360}), 302),
        (json!({"auth_time": NOW - 361}), 401),
        (json!({"auth_time": "today"}), 401),
        (json!({}), 401),
    ];
    judged(", authParams: {max_age: '300'}", &cases).await;
    // Who asks for nothing gets what there is.
    judged("", &[(json!({"auth_time": 1}), 302)]).await;
}

// Holds RP-02.
#[tokio::test]
async fn an_id_token_signed_with_the_clients_secret_begins_no_session_whatever_the_provider_says() {
    let world = World::new("").await;
    let issuer = world.provider.server.url("");
    for metadata in [
        json!({}),
        json!({"id_token_signing_alg_values_supported": ["HS256"]}),
    ] {
        let mut browser = world.browser();
        let asked = browser.begin("/").await;
        let claims = json!({
            "iss": issuer, "aud": "gateway", "sub": "alice", "nonce": asked["nonce"], "iat": NOW,
            "exp": NOW + 3600,
        });
        let token = shared(b"0123456789abcdef0123456789abcdef", "HS256", &claims);
        world.provider.tell(|told| {
            told.metadata = metadata;
            told.id_token = Some(token);
        });
        assert_eq!(browser.come_back(&asked).await.status, 401);
        browser.begin("/").await;
    }
}

// Holds RP-02, SE-05.
#[tokio::test]
async fn an_id_token_that_came_with_another_access_token_begins_no_session_and_the_log_says_so() {
    let (ear, _guard) = Ear::listening();
    let world = World::new("").await;
    let own = "secret-of-this-answer";
    world
        .provider
        .tell(|told| told.tokens = json!({"access_token": own}));
    let whole = base64url::encode(digest(&SHA256, own.as_bytes()));
    for (said, expected) in [
        (json!(half_hash(Algorithm::Es256, own)), 302),
        (json!(half_hash(Algorithm::Es256, "another")), 401),
        (json!(half_hash(Algorithm::Es512, own)), 401),
        (json!(whole), 401),
        (json!(""), 401),
        (json!([half_hash(Algorithm::Es256, own)]), 401),
        (json!(false), 401),
    ] {
        world
            .provider
            .tell(|told| told.claims = json!({"at_hash": said}));
        let status = status(&world, "code=c&state=STATE").await;
        assert_eq!(status, expected, "{said}");
    }
    let heard = ear.heard();
    assert!(heard.contains("came with another access token"), "{heard}");
    assert!(!heard.contains(own), "{heard}");
}

#[tokio::test]
async fn metadata_of_another_issuer_are_those_of_nobody() {
    let world = World::new("").await;
    world
        .provider
        .tell(|told| told.metadata = json!({"issuer": "http://evil.test"}));
    assert_eq!(world.browser().get("/").await.status, 503);
}

// Holds RP-04.
#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let world = World::new("").await;
    for path in [
        "//evil.test/",
        "/\\evil.test",
        "/%2f/evil.test",
        "//evil.test/%2f..",
        "/a?b=//evil",
    ] {
        let mut browser = world.browser();
        let asked = browser.begin(path).await;
        let response = browser.come_back(&asked).await;
        let to = location(&response);
        assert!(to.starts_with("http://api.test/"), "{path}: {to}");
    }
}

// Holds RP-03.
#[tokio::test]
async fn a_cookie_that_was_changed_is_nobodys() {
    let world = World::new("").await;
    let browser = world.logged_in().await;
    let good = browser.cookies["m0_file-session"].clone();
    let changed = |at: usize| {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut wrong: Vec<String> = [2, 10, 60, good.len() / 2, good.len() - 1]
        .map(changed)
        .into();
    wrong.extend([
        "".to_owned(),
        good[..good.len() - 4].to_owned(),
        format!("2{}", &good[1..]),
    ]);
    for value in wrong {
        let mut thief = browser.clone();
        thief
            .cookies
            .insert("m0_file-session".to_owned(), value.clone());
        thief.begin("/").await;
    }
    // The cookie of an attempt is no session.
    let mut other = world.browser();
    other.begin("/").await;
    let attempt = other.cookies.values().next().unwrap().clone();
    other
        .cookies
        .insert("m0_file-session".to_owned(), format!("1.{attempt}"));
    other.begin("/").await;
    assert_eq!(world.door.backend.count(), 0);
}

#[tokio::test]
async fn a_session_that_no_browser_would_keep_is_refused() {
    let world = World::new("").await;
    let long = "x".repeat(20_000);
    world
        .provider
        .tell(|told| told.tokens = json!({"access_token": long}));
    assert_eq!(status(&world, "code=c&state=STATE").await, 502);
}
