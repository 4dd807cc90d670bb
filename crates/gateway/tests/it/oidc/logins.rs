//! Logins and logouts as they should be.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use serde_json::json;

use super::{Browser, World, asked, location};
use crate::jwt::{Door, bearer, claims, inline, key, signed};

#[tokio::test]
async fn who_has_no_session_is_sent_to_log_in_with_all_that_a_login_needs() {
    let world = World::new(", scopes: [openid, email], authParams: {prompt: login}").await;
    let mut browser = world.browser();
    let response = browser.get("/a?b=c").await;
    assert_eq!(response.status, 302);
    assert_eq!(response.headers.only("cache-control"), Some("no-store"));
    let authorize = world.provider.server.url("/authorize?");
    assert!(
        location(&response).starts_with(&authorize),
        "{}",
        location(&response)
    );
    let asked = asked(&response);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", "http://api.test/callback"),
        ("scope", "openid email"),
        ("prompt", "login"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value);
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(asked[name].len(), 43, "{name}");
    }
    assert_eq!(browser.names().len(), 1);
    let cookie = response.headers.only("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Max-Age="),
        "{cookie}"
    );
    assert_eq!(world.door.backend.count(), 0);
}

// Holds RP-05.
#[tokio::test]
async fn a_code_becomes_a_session_and_the_service_gets_claims_and_no_cookie_of_ours() {
    let world = World::new(
        ", csrf: {}, forwardHeaders: {X-User: sub, X-Missing: none}, usernameClaim: sub",
    )
    .await;
    let mut browser = world.browser();
    let asked = browser.begin("/a?b=c").await;
    let response = browser.come_back(&asked).await;
    assert_eq!(
        (response.status, location(&response)),
        (302, "http://api.test/a?b=c")
    );
    assert_eq!(response.headers.only("cache-control"), Some("no-store"));
    let form = world.provider.forms().swap_remove(0);
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(
        (&*form["code"], &*form["redirect_uri"]),
        ("c0de", "http://api.test/callback")
    );
    let challenge = base64url::encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    assert_eq!(challenge, asked["code_challenge"]);
    // The attempt is over, the session is there.
    assert_eq!(browser.names(), ["m0_file-session", "traefikee-csrf-token"]);
    browser.cookies.insert("own".to_owned(), "1".to_owned());
    let forged = [
        "X-User: root",
        "X_User: root",
        "X-Missing: root",
        "Accept: text/html",
    ];
    let response = browser.ask("GET", "/a?b=c", &forged).await;
    assert_eq!(
        (response.status, response.text()),
        (200, "served".to_owned())
    );
    let door = &world.door;
    assert_eq!(door.seen("x-user"), ["alice"]);
    assert_eq!(door.seen("x-missing"), [""]);
    assert_eq!(door.seen("x_user"), [] as [&str; 0]);
    assert_eq!(door.seen("cookie"), ["own=1"]);
    let log = door.gateway.access_log();
    assert!(log.iter().any(|line| line.contains("- alice [")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("c0de")), "{log:?}");
    assert_eq!(door.backend.count(), 1);
}

#[tokio::test]
async fn two_tabs_log_in_at_once_each_to_where_it_was() {
    let world = World::new("").await;
    let mut browser = world.browser();
    let (one, other) = (browser.begin("/one").await, browser.begin("/other").await);
    assert_eq!(browser.names().len(), 2);
    for (asked, url) in [
        (other, "http://api.test/other"),
        (one, "http://api.test/one"),
    ] {
        let response = browser.come_back(&asked).await;
        assert_eq!((response.status, location(&response)), (302, url));
        assert_eq!(browser.get("/").await.status, 200);
    }
    assert_eq!(browser.names(), ["m0_file-session"]);
}

#[tokio::test]
async fn a_browser_that_begins_again_and_again_keeps_few_attempts_and_the_last_one_counts() {
    let world = World::new("").await;
    let mut browser = world.browser();
    let mut last = browser.begin("/").await;
    for _ in 0..20 {
        world.door.clock.advance(Duration::from_secs(1));
        last = browser.begin("/").await;
    }
    assert_eq!(browser.names().len(), 6);
    assert_eq!(browser.come_back(&last).await.status, 302);
}

#[tokio::test]
async fn a_logout_ends_the_session_here_and_leads_to_the_provider() {
    let world = World::new(", postLogoutRedirectUrl: /bye").await;
    let mut browser = world.logged_in().await;
    let response = browser.get("/logout").await;
    assert_eq!(response.status, 302);
    let end = world.provider.server.url("/end?");
    assert!(
        location(&response).starts_with(&end),
        "{}",
        location(&response)
    );
    let said = asked(&response);
    assert_eq!(said["client_id"], "gateway");
    assert_eq!(said["post_logout_redirect_uri"], "http://api.test/bye");
    assert_eq!(said["id_token_hint"].split('.').count(), 3);
    assert_eq!(browser.names(), [] as [&str; 0]);
    browser.begin("/").await;
    assert_eq!(world.door.backend.count(), 0);
}

#[tokio::test]
async fn without_a_place_to_log_out_at_people_go_where_the_options_say_or_see_that_they_did() {
    // At a host that people did not log in at, whose name their browsers may not know, nobody logs out.
    for (options, status, endpoint) in [
        (", postLogoutRedirectUrl: /bye", 302, json!(null)),
        ("", 200, json!(null)),
        ("", 200, json!("http://inside.test/end")),
    ] {
        let world = World::new(options).await;
        world
            .provider
            .tell(|told| told.metadata = json!({"end_session_endpoint": endpoint}));
        let mut browser = world.logged_in().await;
        let response = browser.get("/logout").await;
        assert_eq!(response.status, status);
        assert_eq!(response.headers.only("cache-control"), Some("no-store"));
        if status == 302 {
            assert_eq!(location(&response), "http://api.test/bye");
        }
        assert_eq!(browser.names(), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn people_go_to_the_entry_where_there_is_one() {
    let world = World::new(", loginUrl: /login, postLoginRedirectUrl: /home").await;
    let mut browser = world.browser();
    // Nothing else begins a login.
    assert_eq!(browser.get("/").await.status, 401);
    let asked = browser.begin("/login").await;
    let response = browser.come_back(&asked).await;
    assert_eq!(location(&response), "http://api.test/home");
    assert_eq!(browser.get("/").await.status, 200);
    let again = browser.get("/login").await;
    assert_eq!(
        (again.status, location(&again)),
        (302, "http://api.test/home")
    );
    // An entry where logins begin is the service's own page afterwards.
    let world = World::new(", loginUrl: /login, postLoginRedirectUrl: /login").await;
    let mut browser = world.browser();
    let asked = browser.begin("/login").await;
    browser.come_back(&asked).await;
    assert_eq!(browser.get("/login").await.status, 200);
}

/// Two routers of one host: browsers come with cookies, machines with tokens.
#[tokio::test]
async fn people_and_machines_come_to_one_host() {
    let world = World::new("").await;
    let own = key(carnet_jose::Algorithm::Es256, "k");
    let (door, issuer) = (&world.door, world.provider.server.url(""));
    let offered = door.gateway.offer(&format!(
        "http:\n  routers:\n    people: {{rule: 'Host(`api.test`)', service: api, middlewares: [m0]}}\n    \
         machines: {{rule: 'Host(`api.test`) && HeaderRegexp(`Authorization`, `^Bearer `)', service: \
         api, middlewares: [m1]}}\n  services:\n    api: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n  \
         middlewares:\n    m0: {{plugin: {{oidc: {{issuer: '{issuer}', {}}}}}}}\n    m1: {{jwt: {{{}}}}}\n",
        door.backend.url(""),
        super::USUAL,
        inline(&[&own]),
    ));
    assert_eq!(offered, "");
    assert_eq!(Door::with(door, &signed(&own, &claims())).await.status, 200);
    assert_eq!(door.get(&[&bearer("no-token")]).await.status, 401);
    let mut browser: Browser<'_> = world.logged_in().await;
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(door.backend.count(), 2);
}
