//! What the cookies of a browser are called, where they go, and what seals them.

use carnet_authserver::{Cookies, Options, SameSite};
use serde_json::json;

use super::{Browser, begin, code, options, web};
use crate::server::Room;

async fn room(cookies: Cookies, changes: Options) -> Room {
    Room::new(Options { cookies, ..changes }).await
}

/// The cookie that binds a browser to what it began.
async fn cookie(room: &Room) -> String {
    let id = web(room, json!({})).await;
    let answer = room.get(&begin(&id, "")).await;
    answer.header("set-cookie").unwrap().to_owned()
}

#[tokio::test]
async fn which_sites_may_send_people_with_their_cookies_is_said() {
    let https = || Options {
        is_trial: false,
        public_url: Some("https://hydra.example".to_owned()),
        ..options()
    };
    let mode = |same_site| Cookies {
        same_site: Some(same_site),
        ..Cookies::default()
    };
    for (cookies, changes, expected) in [
        (
            mode(SameSite::Strict),
            https(),
            "; HttpOnly; Secure; SameSite=Strict",
        ),
        (
            mode(SameSite::Lax),
            https(),
            "; HttpOnly; Secure; SameSite=Lax",
        ),
        (
            mode(SameSite::None),
            https(),
            "; HttpOnly; Secure; SameSite=None",
        ),
        (
            mode(SameSite::Strict),
            options(),
            "; HttpOnly; SameSite=Strict",
        ),
        // Browsers drop one for all sites that is not secure.
        (mode(SameSite::None), options(), "; HttpOnly; SameSite=Lax"),
    ] {
        let cookie = cookie(&room(cookies, changes).await).await;
        assert!(cookie.ends_with(expected), "{cookie}");
    }
}

#[tokio::test]
async fn names_domain_and_path_are_those_that_were_said() {
    let cookies = Cookies {
        domain: Some("docker.localhost".to_owned()),
        secure: true,
        login_csrf: "my_login".to_owned(),
        consent_csrf: "my_consent".to_owned(),
        session: "my_session".to_owned(),
        session_path: "/oauth2".to_owned(),
        ..Cookies::default()
    };
    let room = room(cookies, options()).await;
    let written = cookie(&room).await;
    assert!(written.starts_with("my_login_dev_"), "{written}");
    assert!(
        written.contains("; Path=/; Domain=docker.localhost; Expires="),
        "{written}"
    );
    assert!(
        written.ends_with("; HttpOnly; Secure; SameSite=None"),
        "a trial, too: {written}"
    );
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    code(&room, &mut browser, &id, "").await;
    let names: Vec<_> = browser
        .cookies
        .keys()
        .map(|name| name.split("_dev").next())
        .collect();
    assert_eq!(names, ["my_consent", "my_login", "my_session"].map(Some));
}

#[tokio::test]
async fn a_login_is_remembered_under_the_secret_of_cookies() {
    let with = |cookie_secrets: &[&str]| Options {
        cookie_secrets: cookie_secrets.iter().map(|&text| text.into()).collect(),
        ..options()
    };
    let first = Room::new(with(&["secret-of-cookies-1"])).await;
    let id = web(&first, json!({})).await;
    let mut browser = Browser::default();
    code(&first, &mut browser, &id, "").await;
    for (secrets, is_remembered) in [
        (&["secret-of-cookies-2", "secret-of-cookies-1"][..], true),
        (&["secret-of-cookies-2"], false),
        (&[], false),
    ] {
        let store = std::sync::Arc::clone(&first.store);
        let room = Room::over(with(secrets), store).await;
        let begun = browser.open(&room, &begin(&id, "&prompt=none")).await;
        let goes_on = begun.parameter("login_challenge").is_some();
        assert_eq!(goes_on, is_remembered, "{secrets:?}: {}", begun.location());
    }
}

#[tokio::test]
async fn an_old_browser_keeps_a_second_cookie_that_says_nothing_of_sites() {
    let told = |for_old_browsers, same_site| Cookies {
        for_old_browsers,
        same_site,
        secure: true,
        ..Cookies::default()
    };
    for (cookies, expected) in [
        (told(true, None), true),
        (told(true, Some(SameSite::None)), true),
        (told(true, Some(SameSite::Lax)), false),
        (told(false, None), false),
    ] {
        let room = room(cookies, options()).await;
        let id = web(&room, json!({})).await;
        let mut browser = Browser::default();
        let begun = browser.open(&room, &begin(&id, "")).await;
        let lines = begun.headers.get_all("set-cookie").iter();
        let lines: Vec<_> = lines.map(|line| line.to_str().unwrap()).collect();
        let legacy: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("_legacy="))
            .collect();
        assert_eq!(!legacy.is_empty(), expected, "{lines:?}");
        assert!(
            legacy
                .iter()
                .all(|line| line.ends_with("; HttpOnly; Secure"))
        );
        // One that takes the other cookie for `Strict` does not bring it back.
        browser.cookies.retain(|name, _| name.ends_with("_legacy"));
        let challenge = begun.parameter("login_challenge").unwrap();
        let login = json!({"subject": "alice"});
        let back = super::sent(&room, "login", "accept", &challenge, login).await;
        let answer = browser.open(&room, &back).await;
        let goes_on = answer.parameter("consent_challenge").is_some();
        assert_eq!(goes_on, expected, "{}", answer.location());
    }
}
