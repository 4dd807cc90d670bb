//! What the pages do when all is well.

use crate::house::{House, json};

const NEXT: &str = "http://hydra.test:4444/oauth2/auth?client_id=a&login_verifier=v";

/// The answer to an acceptance.
fn accepted() -> axum::response::Response {
    json(200, &format!(r#"{{"redirect_to":"{NEXT}"}}"#))
}

#[tokio::test]
async fn every_login_is_accepted_as_the_one_user() {
    let request = r#"{"challenge":"c 1","skip":false,"subject":"","client":{"client_id":"a"},
        "requested_scope":["openid"],"handled_at":"2026-01-01T00:00:00Z","new":[{}]}"#;
    let house = House::start([json(200, request), accepted()]);
    let page = house.open("/login?login_challenge=c%201").await;
    assert_eq!((page.status, page.location.as_deref()), (302, Some(NEXT)));
    assert_eq!(
        house.script.asked(),
        [
            "GET hydra.test:4445 /oauth2/auth/requests/login?login_challenge=c+1",
            "PUT hydra.test:4445 /oauth2/auth/requests/login/accept?login_challenge=c+1 \
             {\"subject\":\"foo@bar.com\"}",
        ]
    );
}

#[tokio::test]
async fn who_is_already_known_keeps_the_name() {
    let house = House::start([json(200, r#"{"skip":true,"subject":"alice"}"#), accepted()]);
    assert_eq!(house.open("/login?login_challenge=c").await.status, 302);
    assert!(house.script.asked()[1].ends_with(r#" {"subject":"alice"}"#));
}

#[tokio::test]
async fn everything_requested_is_granted_and_nothing_else() {
    for (request, acceptance) in [
        (
            r#"{"requested_scope":["openid","offline"],"requested_access_token_audience":["b"],
                "handled_at":null,"context":{}}"#,
            r#"{"grant_scope":["openid","offline"],"grant_access_token_audience":["b"]}"#,
        ),
        (
            r#"{"requested_scope":null}"#,
            r#"{"grant_scope":[],"grant_access_token_audience":[]}"#,
        ),
    ] {
        let house = House::start([json(200, request), accepted()]);
        let page = house.open("/consent?consent_challenge=c").await;
        assert_eq!((page.status, page.location.as_deref()), (302, Some(NEXT)));
        let path = "/oauth2/auth/requests/consent";
        assert_eq!(
            house.script.asked(),
            [
                format!("GET hydra.test:4445 {path}?consent_challenge=c"),
                format!("PUT hydra.test:4445 {path}/accept?consent_challenge=c {acceptance}"),
            ]
        );
    }
}

#[tokio::test]
async fn everybody_may_leave() {
    let house = House::start([accepted()]);
    let page = house.open("/logout?logout_challenge=c").await;
    assert_eq!((page.status, page.location.as_deref()), (302, Some(NEXT)));
    let expected = "PUT hydra.test:4445 /oauth2/auth/requests/logout/accept?logout_challenge=c {}";
    assert_eq!(house.script.asked(), [expected]);
}

#[tokio::test]
async fn an_older_hydras_redirect_changes_the_path_and_never_the_host() {
    let moved = |status, location: &str| {
        let mut answer = json(status, "");
        answer
            .headers_mut()
            .insert("Location", location.parse().unwrap());
        answer
    };
    let login = "/admin/oauth2/auth/requests/login";
    let house = House::start([
        moved(
            307,
            &format!("http://elsewhere.test:1{login}?login_challenge=c"),
        ),
        json(200, "{}"),
        moved(308, &format!("{login}/accept?login_challenge=c")),
        accepted(),
    ]);
    assert_eq!(house.open("/login?login_challenge=c").await.status, 302);
    let asked = house.script.asked();
    assert_eq!(
        asked[1],
        format!("GET hydra.test:4445 {login}?login_challenge=c")
    );
    assert_eq!(
        asked[3],
        format!(
            "PUT hydra.test:4445 {login}/accept?login_challenge=c {{\"subject\":\"foo@bar.com\"}}"
        )
    );
}

#[tokio::test]
async fn the_path_of_the_admin_url_comes_first() {
    let house = House::start_with("http://hydra.test:4445/hydra/", [accepted()]);
    assert_eq!(house.open("/logout?logout_challenge=c").await.status, 302);
    assert!(house.script.asked()[0].starts_with("PUT hydra.test:4445 /hydra/oauth2/auth/"));
}

#[tokio::test]
async fn health_needs_no_admin_api() {
    let house = House::start_with("http://nowhere.invalid", []);
    let page = house.open("/health").await;
    assert_eq!(
        (page.status, page.text.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
}
