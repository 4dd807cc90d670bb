//! Sessions over time.

use std::time::Duration;

use carnet_jose::{Algorithm, half_hash};
use futures_util::future::join_all;
use serde_json::json;

use super::{USUAL, World, merge};
use crate::ear::Ear;
use crate::jwt::NOW;

const ALMOST: Duration = Duration::from_secs(295);

#[tokio::test]
async fn a_hundred_requests_at_once_renew_a_session_once() {
    let world = World::new(", forwardHeaders: {X-Group: grp}").await;
    let mut browser = world.logged_in().await;
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(world.provider.forms().len(), 1);
    world.door.clock.advance(ALMOST);
    world
        .provider
        .tell(|told| told.claims = json!({"grp": "owner", "nonce": null}));
    world.provider.server.hold();
    let mut many: Vec<_> = (0..100).map(|_| browser.clone()).collect();
    let all = join_all(many.iter_mut().map(|browser| browser.get("/")));
    let count = world.provider.server.count();
    let released = async {
        world.provider.server.asked(count + 1).await;
        world.provider.server.release();
    };
    let (responses, ()) = tokio::join!(all, released);
    assert!(responses.iter().all(|response| response.status == 200));
    let forms = world.provider.forms();
    assert_eq!(forms.len(), 2);
    assert_eq!(
        (&*forms[1]["grant_type"], &*forms[1]["refresh_token"]),
        ("refresh_token", "refresh-1")
    );
    assert_eq!(world.door.seen("x-group"), ["owner"]);
    // One that still has the old cookie gets what the others got.
    assert_eq!(browser.clone().get("/").await.status, 200);
    assert_eq!(world.provider.forms().len(), 2);
    // The next renewal is that of the new tokens.
    world.door.clock.advance(ALMOST);
    assert_eq!(many[0].get("/").await.status, 200);
    assert_eq!(world.provider.forms()[2]["refresh_token"], "refresh-2");
}

// Holds RP-10.
#[tokio::test]
async fn what_is_on_its_way_when_somebody_leaves_brings_no_session_back() {
    let world = World::new("").await;
    for is_service_slow in [false, true] {
        let mut browser = world.logged_in().await;
        world.door.clock.advance(ALMOST);
        let held = match is_service_slow {
            true => &world.door.backend,
            false => &world.provider.server,
        };
        let count = held.count();
        held.hold();
        let (mut slow, copy) = (browser.clone(), browser.clone());
        let leaves = async {
            held.asked(count + 1).await;
            assert_eq!(browser.get("/logout").await.status, 302);
            held.release();
        };
        let (response, ()) = tokio::join!(slow.get("/"), leaves);
        assert_eq!(response.status, 200);
        let told = response.headers.all("set-cookie");
        let is_kept = |field: &&str| !field.contains("Max-Age=0");
        assert_eq!(
            told.iter().filter(|field| is_kept(field)).count(),
            0,
            "{told:?}"
        );
        // Who has the cookie of before is nobody here for a while.
        assert_eq!(copy.clone().get("/").await.status, 302);
        assert_eq!(world.logged_in().await.get("/").await.status, 200);
    }
}

#[tokio::test]
async fn a_session_whose_refresh_token_is_refused_ends_and_its_person_logs_in_anew() {
    let world = World::new("").await;
    let mut browser = world.logged_in().await;
    world.door.clock.advance(ALMOST);
    world.provider.tell(|told| told.status = 400);
    browser.begin("/").await;
    assert!(
        !browser.names().contains(&"m0_file-session"),
        "{:?}",
        browser.names()
    );
    assert_eq!(world.door.backend.count(), 0);
}

#[tokio::test]
async fn while_tokens_cannot_be_renewed_the_old_ones_count_to_their_end() {
    let world = World::new("").await;
    let mut browser = world.logged_in().await;
    world.door.clock.advance(ALMOST);
    world.provider.tell(|told| told.status = 503);
    for _ in 0..5 {
        assert_eq!(browser.get("/").await.status, 200);
    }
    assert_eq!(world.provider.forms().len(), 2);
    world.door.clock.advance(Duration::from_secs(5));
    let response = browser.get("/").await;
    assert_eq!(response.status, 503);
    assert!(response.headers.only("retry-after").is_some());
    assert_eq!(world.door.backend.count(), 5);
}

// Holds RP-03.
#[tokio::test]
async fn a_renewal_makes_nobody_somebody_else() {
    for claims in [
        json!({"sub": "bob"}),
        json!({"nonce": "another"}),
        json!({"aud": "other"}),
    ] {
        let world = World::new("").await;
        let mut browser = world.logged_in().await;
        world.door.clock.advance(ALMOST);
        world.provider.tell(|told| told.claims = claims.clone());
        browser.begin("/").await;
        assert!(!browser.names().contains(&"m0_file-session"), "{claims}");
    }
}

// Holds RP-03.
#[tokio::test]
async fn a_renewal_is_of_the_login_that_it_renews_and_its_tokens_belong_together() {
    let (ear, _guard) = Ear::listening();
    let hash = |token| half_hash(Algorithm::Es256, token);
    for (claims, lives) in [
        (json!({"at_hash": hash("access-2")}), true),
        (json!({"at_hash": hash("access-1")}), false),
        (json!({"auth_time": NOW}), true),
        (json!({"auth_time": NOW + 1}), false),
        (json!({"auth_time": null}), true),
        (json!({"azp": "gateway"}), true),
        (json!({"azp": "another"}), false),
        (json!({"aud": ["gateway", "another"]}), false),
        (json!({"iat": NOW + 10_000}), false),
        (json!({"iss": "https://evil.test"}), false),
    ] {
        let world = World::new("").await;
        world
            .provider
            .tell(|told| told.claims = json!({"auth_time": NOW}));
        let mut browser = world.logged_in().await;
        world.door.clock.advance(ALMOST);
        world.provider.tell(|told| merge(&mut told.claims, &claims));
        let status = browser.get("/").await.status;
        assert_eq!(status, if lives { 200 } else { 302 }, "{claims}");
        let has_session = browser.names().contains(&"m0_file-session");
        assert_eq!(has_session, lives, "{claims}");
    }
    let heard = ear.heard();
    for sentence in [
        "came with another access token",
        "logged in at another time",
        "given to another party",
    ] {
        assert!(heard.contains(sentence), "{sentence}: {heard}");
    }
    assert!(!heard.contains("access-2"), "{heard}");
}

#[tokio::test]
async fn a_session_that_is_used_lives_on_and_one_that_is_not_ends() {
    let world = World::new(", session: {expiry: 1000, refresh: false}").await;
    let mut browser = world.logged_in().await;
    for _ in 0..5 {
        world.door.clock.advance(Duration::from_secs(600));
        assert_eq!(browser.get("/").await.status, 200);
    }
    assert_eq!(world.provider.forms().len(), 1);
    world.door.clock.advance(Duration::from_secs(1000));
    browser.begin("/").await;
}

#[tokio::test]
async fn a_session_without_a_refresh_token_lives_as_long_as_the_options_say() {
    let world = World::new(", session: {expiry: 86400, sliding: false}").await;
    world
        .provider
        .tell(|told| told.tokens = json!({"refresh_token": null}));
    let mut browser = world.logged_in().await;
    world.door.clock.advance(Duration::from_secs(80_000));
    assert_eq!(browser.get("/").await.status, 200);
    world.door.clock.advance(Duration::from_secs(6_400));
    browser.begin("/").await;
    assert_eq!(world.provider.forms().len(), 1);
}

#[tokio::test]
async fn sessions_outlive_a_change_of_the_options() {
    let world = World::new("").await;
    let mut browser = world.logged_in().await;
    let issuer = world.provider.server.url("");
    let other =
        format!("plugin: {{oidc: {{issuer: '{issuer}', {USUAL}, scopes: [openid, email]}}}}");
    assert_eq!(world.door.offer(&[&other]), "");
    assert_eq!(browser.get("/").await.status, 200);
}
