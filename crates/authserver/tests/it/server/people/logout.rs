//! Leaving.

use axum::http::{Method, StatusCode};
use carnet_testkit::{Server, server::Answer as Reply};
use serde_json::{Value, json};

use super::{Browser, options, sent, text, tokens, web};
use crate::server::Room;

fn leave(id_token: &str) -> String {
    format!(
        "/oauth2/sessions/logout?id_token_hint={id_token}\
         &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=xyz"
    )
}

#[tokio::test]
async fn a_browser_leaves_by_the_logout_application_and_its_tokens_stay() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let got = tokens(&room, &mut browser, &id).await;
    let asked = browser.open(&room, &leave(text(&got, "id_token"))).await;
    let challenge = asked.parameter("logout_challenge").unwrap();
    let path = format!("/admin/oauth2/auth/requests/logout?logout_challenge={challenge}");
    let told = room.get_admin(&path).await.json();
    assert_eq!(
        (&told["subject"], &told["rp_initiated"]),
        (&json!("alice"), &json!(true))
    );
    assert_eq!(told["client"]["client_id"], json!(id));
    let back = sent(&room, "logout", "accept", &challenge, Value::Null).await;
    // Somebody else's browser does not end the session.
    let answer = Browser::default().open(&room, &back).await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("request_forbidden")
    );
    let answer = browser.open(&room, &back).await;
    assert_eq!(answer.location(), "https://app.example/bye?state=xyz");
    assert!(!browser.cookies.contains_key("ory_hydra_session_dev"));
    let answer = browser.open(&room, "/oauth2/sessions/logout").await;
    let page = "http://hydra.docker.localhost/oauth2/fallbacks/logout/callback";
    assert_eq!(answer.location(), page);
    assert_eq!(
        room.introspect(text(&got, "access_token")).await["active"],
        true
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_was_not_registered() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let got = tokens(&room, &mut browser, &id).await;
    let good = leave(text(&got, "id_token"));
    let access = text(&got, "access_token");
    for path in [
        good.replace("app.example", "evil.example"),
        leave("x"),
        // An access token names its person too, but is no id token.
        leave(access),
        "/oauth2/sessions/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye"
            .to_owned(),
    ] {
        let answer = browser.open(&room, &path).await;
        let page = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=invalid_request&";
        assert!(
            answer.location().starts_with(page),
            "{path}: {}",
            answer.location()
        );
    }
}

#[tokio::test]
async fn whoever_stays_has_not_left() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let mut browser = Browser::default();
    let got = tokens(&room, &mut browser, &id).await;
    let asked = browser.open(&room, &leave(text(&got, "id_token"))).await;
    let challenge = asked.parameter("logout_challenge").unwrap();
    let back = sent(&room, "logout", "accept", &challenge, Value::Null).await;
    let path = format!("/admin/oauth2/auth/requests/logout/reject?logout_challenge={challenge}");
    let answer = room.admin(Method::PUT, &path, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let answer = browser.open(&room, &back).await;
    assert_eq!(
        answer.parameter("error").as_deref(),
        Some("request_forbidden")
    );
    assert!(browser.cookies.contains_key("ory_hydra_session_dev"));
}

#[tokio::test]
async fn clients_hear_of_it_by_a_call_and_by_a_page() {
    let room = Room::new(options()).await;
    let heard = Server::start(|_| Reply::text(200, "")).await.unwrap();
    let id = web(
        &room,
        json!({
            "backchannel_logout_uri": heard.url("/logged-out"),
            "frontchannel_logout_uri": "https://app.example/front?a=1",
            "skip_logout_consent": true,
        }),
    )
    .await;
    let mut browser = Browser::default();
    let got = tokens(&room, &mut browser, &id).await;
    let sid = super::claims(text(&got, "id_token"))["sid"].clone();
    let answer = browser.open(&room, &leave(text(&got, "id_token"))).await;
    assert_eq!(answer.status, StatusCode::OK);
    let frame = format!(
        "<iframe src=\"https://app.example/front?a=1&amp;iss=http%3A%2F%2Fhydra.hydra.svc%3A4444\
         &amp;sid={}\" hidden>",
        sid.as_str().unwrap()
    );
    assert!(answer.text.contains(&frame), "{}", answer.text);
    assert!(
        answer
            .text
            .contains("content=\"2;url=https://app.example/bye?state=xyz\"")
    );
    heard.asked(1).await;
    let call = String::from_utf8(heard.seen()[0].body.clone()).unwrap();
    let token = call.strip_prefix("logout_token=").unwrap();
    let claims = super::claims(token);
    assert_eq!((&claims["sid"], &claims["sub"]), (&sid, &json!("alice")));
    assert_eq!(claims["aud"], json!([id]));
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(claims["events"], json!({event: {}}));
    // Such a token logs nobody out by itself.
    let answer = browser.open(&room, &leave(token)).await;
    assert!(
        answer.location().contains("/oauth2/fallbacks/error?"),
        "{}",
        answer.location()
    );
}
