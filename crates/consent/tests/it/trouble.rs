//! What the pages do when something is wrong.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use carnet_consent::Options;
use tokio_util::sync::CancellationToken;

use crate::house::{House, json};

#[tokio::test]
async fn a_page_without_its_challenge_is_a_bad_request() {
    let house = House::start([]);
    for path in [
        "/login",
        "/login?login_challenge=",
        "/consent?login_challenge=c",
        "/logout",
    ] {
        let page = house.open(path).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(page.text.contains("_challenge is missing"), "{}", page.text);
    }
    assert!(house.script.asked().is_empty());
}

#[tokio::test]
async fn a_failing_admin_api_is_said_in_plain_text_without_the_challenge() {
    for (answers, expected) in [
        (
            vec![json(404, "{}")],
            "answered 404 Not Found to GET /oauth2/auth/requests/login",
        ),
        (vec![json(200, "<html>")], "cannot be understood"),
        (
            vec![json(200, "{}"), json(500, "{}")],
            "to PUT /oauth2/auth/requests/login/accept",
        ),
        (
            vec![json(200, "{}"), json(200, "{}")],
            "missing field `redirect_to`",
        ),
        (
            vec![json(200, "{}"), json(200, r#"{"redirect_to":"a\r\nb"}"#)],
            "no URL",
        ),
        (vec![json(307, "")], "answered 307"),
    ] {
        let house = House::start(answers);
        let page = house.open("/login?login_challenge=canary").await;
        assert_eq!((page.status, page.location), (500, None), "{expected}");
        assert!(page.text.contains(expected), "{}", page.text);
        assert!(!page.text.contains("canary"), "{}", page.text);
    }
}

#[tokio::test]
async fn an_admin_api_that_is_not_there_is_said() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let house = House::start_with(&format!("http://{closed}"), []);
    let page = house.open("/consent?consent_challenge=c").await;
    assert_eq!(page.status, 500);
    assert!(
        page.text.contains("the admin API cannot be reached"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn an_admin_url_that_cannot_be_used_is_refused_at_the_start() {
    for url in ["https://hydra.test:4445", "unix:/run/hydra"] {
        let options = Options {
            admin_url: url.parse().unwrap(),
            resolve: Arc::new(|_, _| None),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let served = carnet_consent::serve(options, listener, CancellationToken::new()).await;
        assert!(served.unwrap_err().to_string().contains("http://"), "{url}");
    }
}
