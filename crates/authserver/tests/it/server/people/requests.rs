//! What may be asked for, and where it is told that something may not.

use axum::http::StatusCode;
use serde_json::json;

use super::{Browser, CALLBACK, begin, options, web};
use crate::server::Room;

/// Requests that get no code, and where they are told.
fn refusals(id: &str) -> Vec<(String, String)> {
    let page = "http://hydra.docker.localhost/oauth2/fallbacks/error?error=";
    let good = begin(id, "");
    let elsewhere = |address: &str| good.replace("https%3A%2F%2Fapp.example%2Fcallback", address);
    vec![
        (good.replace(id, "nobody"), format!("{page}invalid_client&")),
        (
            elsewhere("https%3A%2F%2Fevil.example%2F"),
            format!("{page}invalid_request&"),
        ),
        (
            elsewhere("https%3A%2F%2Fapp.example%2Fcallback%2F..%2Fx"),
            format!("{page}invalid_request&"),
        ),
        (
            elsewhere("https%3A%2F%2Fapp.example%40evil.example%2Fcallback"),
            format!("{page}invalid_request&"),
        ),
        (elsewhere(""), format!("{page}invalid_request&")),
        (
            format!("{good}&client_id=x"),
            format!("{page}invalid_request&"),
        ),
        (
            format!("{good}&request=x"),
            format!("{CALLBACK}?error=request_not_supported&"),
        ),
        (
            format!("{good}&response_mode=x"),
            format!("{page}unsupported_response_mode&"),
        ),
        (
            format!("{good}&nonce={}", "a".repeat(5000)),
            format!("{page}invalid_request&"),
        ),
        (
            good.replace("0123456789", "1"),
            format!("{CALLBACK}?error=invalid_state&"),
        ),
        (
            good.replace("=code", "=token"),
            format!("{CALLBACK}?error=unsupported_response_type&"),
        ),
        (
            good.replace("=code", "=code+id_token"),
            format!("{CALLBACK}?error=unsupported_response_type&"),
        ),
        (
            good.replace("=code", "="),
            format!("{CALLBACK}?error=unsupported_response_type&"),
        ),
        (
            good.replace("+read", "+admin"),
            format!("{CALLBACK}?error=invalid_scope&"),
        ),
        (
            format!("{good}&audience=x"),
            format!("{CALLBACK}?error=invalid_request&"),
        ),
        (
            format!("{good}&prompt=none"),
            format!("{CALLBACK}?error=login_required&"),
        ),
        (
            format!("{good}&prompt=none+login"),
            format!("{CALLBACK}?error=invalid_request&"),
        ),
        (
            format!("{good}&id_token_hint=x"),
            format!("{CALLBACK}?error=invalid_request&"),
        ),
        (
            format!("{good}&response_mode=fragment&audience=x"),
            format!("{CALLBACK}#error=invalid_request&"),
        ),
    ]
}

#[tokio::test]
async fn errors_go_to_the_registered_address_and_nowhere_else() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    for (path, expected) in refusals(&id) {
        let answer = room.get(&path).await;
        let location = answer.location();
        assert!(location.starts_with(&expected), "{path}: {location}");
        assert!(!location.contains("evil"), "{location}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        let expected = match location.starts_with(CALLBACK) {
            true => StatusCode::SEE_OTHER,
            false => StatusCode::FOUND,
        };
        assert_eq!(answer.status, expected, "{path}");
    }
}

#[tokio::test]
async fn the_page_of_an_error_shows_markup_as_text() {
    let room = Room::new(options()).await;
    let answer = room
        .get("/oauth2/fallbacks/error?error=%3Cscript%3E&error_description=%3Cimg%20src%3Dx%3E%22")
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        !answer.text.contains("<script>") && !answer.text.contains("<img"),
        "{}",
        answer.text
    );
    assert!(
        answer
            .text
            .contains("&lt;script&gt;: &lt;img src=x&gt;&#34;"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("default-src 'none'"));
}

// Holds TE-24.
#[tokio::test]
async fn no_page_reflects_markup_of_a_request() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let markup = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cimg+src%3Dx+onerror%3Dy%3E";
    let good = begin(&id, "");
    for path in [
        good.replace("https%3A%2F%2Fapp.example%2Fcallback", markup),
        good.replace(&id, markup),
        format!("{good}&response_mode={markup}"),
        format!("{good}&{markup}=1&client_id={markup}"),
        format!("{good}&login_verifier={markup}"),
        format!("/oauth2/auth?consent_verifier={markup}"),
        format!("/oauth2/sessions/logout?id_token_hint={markup}"),
        format!("/oauth2/sessions/logout?logout_verifier={markup}"),
        format!("/oauth2/device/verify?device_verifier={markup}"),
        format!("/oauth2/fallbacks/login?login_challenge={markup}"),
        format!("/oauth2/fallbacks/consent?consent_challenge={markup}"),
        format!("/oauth2/fallbacks/device/done?client_id={markup}"),
        format!("/oauth2/fallbacks/error?error={markup}&error_description={markup}"),
        format!("/{markup}"),
    ] {
        let mut answer = room.get(&path).await;
        let mut pages = vec![answer.text.clone()];
        if answer.header("location").is_some() {
            let page = answer.location();
            let page = page.strip_prefix("http://hydra.docker.localhost");
            let page = page.unwrap().to_owned();
            answer = room.get(&page).await;
            pages.push(answer.text.clone());
        }
        for page in pages {
            let is_free = !page.contains("<script") && !page.contains("<img");
            assert!(is_free, "{path}: {page}");
        }
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
    }
}

#[tokio::test]
async fn a_client_may_be_told_by_a_form() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let path = begin(&id, "&response_mode=form_post&audience=%3Cx%3E");
    let answer = room.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    let form = format!("<form method=\"post\" action=\"{CALLBACK}\">");
    assert!(answer.text.contains(&form), "{}", answer.text);
    let state = "<input type=\"hidden\" name=\"state\" value=\"0123456789\">";
    assert!(
        answer.text.contains(state) && !answer.text.contains("<x>"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn the_login_application_is_told_what_was_asked() {
    let room = Room::new(options()).await;
    let id = web(&room, json!({})).await;
    let path = begin(&id, "&login_hint=al&acr_values=1+2&ui_locales=de");
    let begun = Browser::default().open(&room, &path).await;
    let challenge = begun.parameter("login_challenge").unwrap();
    for path in [
        format!("/admin/oauth2/auth/requests/login?login_challenge={challenge}"),
        format!("/oauth2/auth/requests/login?challenge={challenge}"),
    ] {
        let told = room.get_admin(&path).await.json();
        assert_eq!(told["challenge"], json!(challenge));
        assert_eq!(
            told["requested_scope"],
            json!(["openid", "offline", "read"])
        );
        assert_eq!(
            (&told["skip"], &told["subject"]),
            (&json!(false), &json!(""))
        );
        let hints = json!({"acr_values": ["1", "2"], "login_hint": "al", "ui_locales": ["de"]});
        assert_eq!(told["oidc_context"], hints);
        assert_eq!(told["client"]["client_id"], json!(id));
    }
    let base = "/admin/oauth2/auth/requests";
    for (path, status) in [
        (format!("{base}/login"), StatusCode::BAD_REQUEST),
        (
            format!("{base}/login?login_challenge=nope"),
            StatusCode::NOT_FOUND,
        ),
        // One kind does not pass for another.
        (
            format!("{base}/consent?consent_challenge={challenge}"),
            StatusCode::NOT_FOUND,
        ),
        (
            format!("{base}/logout?logout_challenge={challenge}"),
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(room.get_admin(&path).await.status, status, "{path}");
    }
}
