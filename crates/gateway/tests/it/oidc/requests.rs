//! Requests with and without a session.

use carnet_testkit::token_endpoint::jwt;
use serde_json::json;

use super::World;

#[tokio::test]
async fn only_what_a_person_looks_at_begins_a_login() {
    let world = World::new("").await;
    for (method, fields, status) in [
        ("GET", &["Accept: application/json"][..], 401),
        ("GET", &["Accept: */*"], 401),
        ("GET", &[], 401),
        ("POST", &["Accept: text/html", "Content-Length: 0"], 401),
        ("GET", &["Accept: text/html", "Sec-Fetch-Mode: cors"], 401),
        ("GET", &["Accept: */*", "Sec-Fetch-Mode: navigate"], 302),
        (
            "GET",
            &["Accept: application/xml;q=0.9, Text/HTML;q=0.8"],
            302,
        ),
        ("HEAD", &["Accept: text/html"], 302),
    ] {
        let response = world.browser().ask(method, "/", fields).await;
        assert_eq!(response.status, status, "{method} {fields:?}");
        assert_eq!(response.headers.only("cache-control"), Some("no-store"));
        assert_eq!(
            response.headers.all("set-cookie").len(),
            usize::from(status == 302)
        );
    }
    let disabled = World::new(", disableLogin: true").await;
    assert_eq!(disabled.browser().get("/").await.status, 401);
    assert_eq!(
        world.door.backend.count() + disabled.door.backend.count(),
        0
    );
}

#[tokio::test]
async fn a_person_without_the_claim_is_known_and_gets_403() {
    let world = World::new(", claims: 'Equals(`grp`, `owner`)', usernameClaim: sub").await;
    let mut browser = world.logged_in().await;
    let response = browser.get("/").await;
    assert_eq!((response.status, world.door.backend.count()), (403, 0));
    let log = world.door.gateway.access_log();
    assert!(log.iter().any(|line| line.contains("- alice [")), "{log:?}");
}

#[tokio::test]
async fn claims_are_those_of_the_id_token_unless_another_is_named() {
    for (claims, status) in [
        ("Equals(`grp`, `admin`)", 200),
        ("Equals(`id_token.grp`, `admin`)", 200),
        ("Equals(`grp`, `writer`)", 403),
        ("Equals(`access_token.grp`, `writer`)", 200),
        ("Equals(`access_token.grp`, `admin`)", 403),
    ] {
        let world = World::new(&format!(
            ", claims: '{claims}', forwardHeaders: {{X-Group: access_token.grp}}"
        ))
        .await;
        let access = jwt(&json!({"grp": "writer"}));
        world
            .provider
            .tell(|told| told.tokens = json!({"access_token": access}));
        let mut browser = world.logged_in().await;
        assert_eq!(browser.get("/").await.status, status, "{claims}");
        if status == 200 {
            assert_eq!(world.door.seen("x-group"), ["writer"]);
        }
    }
    let opaque =
        World::new(", claims: '!Equals(`grp`, `x`) && Equals(`access_token.grp`, `writer`)'").await;
    assert_eq!(opaque.logged_in().await.get("/").await.status, 403);
}

#[tokio::test]
async fn while_the_provider_is_away_nobody_logs_in_and_who_is_in_stays() {
    let world = World::new(", clientConfig: {maxRetries: 0}").await;
    let mut known = world.logged_in().await;
    let asked = world.browser().begin("/").await;
    assert_eq!(asked["client_id"], "gateway");
    let mut browser = world.browser();
    let asked = browser.begin("/").await;
    world.provider.tell(|told| told.status = 503);
    let response = browser.come_back(&asked).await;
    assert_eq!(response.status, 503);
    assert!(response.headers.only("retry-after").is_some());
    assert_eq!(known.get("/").await.status, 200);
    // Nobody answers at all.
    let nowhere = "plugin: {oidc: {issuer: 'http://127.0.0.1:1', clientID: a, clientSecret: \
                   0123456789abcdef0123456789abcdef, redirectUrl: /callback, clientConfig: {maxRetries: 0}}}";
    assert_eq!(world.door.offer(&[nowhere]), "");
    let response = world.browser().get("/").await;
    assert_eq!(response.status, 503);
    assert!(response.headers.only("retry-after").is_some());
}

// Holds RP-06.
#[tokio::test]
async fn what_changes_something_must_come_from_a_page_of_the_service() {
    let world = World::new(", csrf: {}").await;
    let mut browser = world.logged_in().await;
    let token = browser.cookies["traefikee-csrf-token"].clone();
    assert_eq!(browser.get("/").await.status, 200);
    let header = format!("TraefikHub-Csrf-Token: {token}");
    let post = ["Content-Length: 0", "X: y"];
    assert_eq!(browser.ask("POST", "/", &post).await.status, 403);
    let wrong = ["Content-Length: 0", "TraefikHub-Csrf-Token: wrong"];
    assert_eq!(browser.ask("POST", "/", &wrong).await.status, 403);
    let right = ["Content-Length: 0", &*header];
    assert_eq!(browser.ask("POST", "/", &right).await.status, 200);
    // The token of somebody else, whose cookie was put into this browser.
    world.door.clock.advance(std::time::Duration::from_secs(1));
    let other = world.logged_in().await;
    let foreign = other.cookies["traefikee-csrf-token"].clone();
    browser
        .cookies
        .insert("traefikee-csrf-token".to_owned(), foreign.clone());
    let header = format!("TraefikHub-Csrf-Token: {foreign}");
    let planted = ["Content-Length: 0", &*header];
    assert_eq!(browser.ask("POST", "/", &planted).await.status, 403);
    assert_eq!(world.door.backend.count(), 2);
}
