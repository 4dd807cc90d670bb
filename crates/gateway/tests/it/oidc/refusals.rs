//! Logins that come to nothing: what people read, and how they begin again.

use carnet_testkit::client::Response;
use serde_json::json;

use super::{World, asked, location};
use crate::ear::Ear;

/// A browser that was sent to log in for a path comes back with this.
async fn refused(world: &World, path: &str, answer: &str) -> Response {
    let mut browser = world.browser();
    let asked = browser.begin(path).await;
    let response = browser
        .get(&format!("/callback?{answer}&state={}", asked["state"]))
        .await;
    assert_eq!(browser.names(), [] as [&str; 0], "{answer}");
    response
}

/// The page, which nothing runs in.
fn page(response: &Response) -> String {
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(response.headers.only(name), Some(value), "{name}");
    }
    let policy = response.headers.only("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(response.headers.all("location"), [] as [&str; 0]);
    response.text()
}

#[tokio::test]
async fn what_the_provider_says_becomes_a_status_and_a_sentence_and_nobody_is_sent_back_to_it() {
    let world = World::new("").await;
    for (error, status, sentence) in [
        ("access_denied", 403, "refused or broken off"),
        ("request_forbidden", 403, "cookies are gone"),
        ("login_required", 403, "log in at the provider first"),
        ("interaction_required", 403, "log in at the provider first"),
        ("consent_required", 403, "log in at the provider first"),
        (
            "account_selection_required",
            403,
            "log in at the provider first",
        ),
        ("temporarily_unavailable", 503, "in a moment"),
        ("server_error", 503, "in a moment"),
        ("invalid_scope", 502, "has to look at it"),
        ("unauthorized_client", 502, "has to look at it"),
        ("something_else", 400, "refused the login"),
    ] {
        let response = refused(&world, "/a?b=c&d=e", &format!("error={error}")).await;
        assert_eq!(response.status, status, "{error}");
        let page = page(&response);
        assert!(page.contains(sentence), "{error}: {page}");
        // The way to begin again, by hand.
        let again = "<a href=\"http://api.test/a?b=c&amp;d=e\">";
        assert!(page.contains(again), "{error}: {page}");
        let has_wait = response.headers.only("retry-after").is_some();
        assert_eq!(has_wait, status == 503, "{error}");
    }
    assert_eq!(world.provider.forms().len() + world.door.backend.count(), 0);
}

// Holds RP-09.
#[tokio::test]
async fn no_text_of_an_answer_or_an_address_becomes_part_of_the_page() {
    let (ear, _guard) = Ear::listening();
    let world = World::new("").await;
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    for answer in [
        format!("error={script}"),
        format!("error=access_denied&error_description={script}&error_uri=javascript:alert(1)"),
        format!("error=access_denied&hint={script}"),
        format!("code={script}&iss={script}"),
    ] {
        let response = refused(&world, "/", &answer).await;
        let page = page(&response);
        assert!(
            !page.contains("script") && !page.contains("alert"),
            "{page}"
        );
    }
    for path in ["/a\"onmouseover=\"alert(1)", "/a'b?c='d"] {
        let response = refused(&world, path, "error=access_denied").await;
        let page = page(&response);
        assert!(
            !page.contains("\"onmouseover") && !page.contains('\''),
            "{page}"
        );
    }
    // Somebody sends others here with an answer to nothing.
    let mut browser = world.browser();
    let response = browser
        .get(&format!("/callback?error={script}&state={script}"))
        .await;
    assert_eq!(response.status, 400);
    assert!(!page(&response).contains("script"));
    // The log has what the provider says, on one line.
    refused(
        &world,
        "/",
        "error=access_denied&error_description=not%0Atoday",
    )
    .await;
    let heard = ear.heard();
    assert!(heard.contains("access_denied"), "{heard}");
    assert!(!heard.contains("not\ntoday"), "{heard}");
}

#[tokio::test]
async fn who_comes_with_an_answer_to_no_login_begins_where_logins_begin() {
    for (options, entry) in [
        ("", "http://api.test/"),
        (", loginUrl: /login", "http://api.test/login"),
    ] {
        let world = World::new(options).await;
        let response = world.browser().get("/callback?code=c&state=s").await;
        assert_eq!(response.status, 400);
        let page = page(&response);
        assert!(page.contains("This login is over"), "{page}");
        assert!(page.contains(&format!("href=\"{entry}\"")), "{page}");
    }
}

#[tokio::test]
async fn a_login_that_the_gateway_cannot_finish_is_told_as_well() {
    let world = World::new("").await;
    world
        .provider
        .tell(|told| told.claims = json!({"aud": "another"}));
    let response = refused(&world, "/", "code=c").await;
    assert_eq!(response.status, 401);
    assert!(page(&response).contains("could not be finished"));
    world.provider.tell(|told| told.status = 503);
    let response = refused(&world, "/", "code=c").await;
    assert_eq!(response.status, 503);
    assert!(page(&response).contains("in a moment"));
}

#[tokio::test]
async fn who_begins_again_logs_in_and_who_is_no_browser_gets_no_page() {
    let world = World::new("").await;
    let mut browser = world.browser();
    let first = browser.begin("/a").await;
    let denied = format!("/callback?error=access_denied&state={}", first["state"]);
    assert_eq!(browser.get(&denied).await.status, 403);
    // The same answer again is one to nothing.
    assert_eq!(browser.get(&denied).await.status, 400);
    let second = browser.get("/a").await;
    assert_eq!(second.status, 302);
    let response = browser.come_back(&asked(&second)).await;
    assert_eq!(
        (response.status, location(&response)),
        (302, "http://api.test/a")
    );
    let mut script = world.browser();
    let first = script.begin("/a").await;
    let denied = format!("/callback?error=access_denied&state={}", first["state"]);
    let response = script.ask("GET", &denied, &[]).await;
    assert_eq!(
        (response.status, response.text()),
        (403, "Forbidden".to_owned())
    );
}
