//! `/oauth2/fallbacks/*`: pages in the place of applications that nobody named, and of errors.

use axum::{extract::RawQuery, http::StatusCode, response::Response};

use crate::http::page;

/// What stands where an application should be.
fn missing(key: &str) -> Response {
    let text = format!(
        "There is no application for this. Whoever runs this server names one with the key \
         '{key}' of its configuration."
    );
    page::page(StatusCode::OK, "Nothing here yet", &text)
}

/// In the place of the login application.
#[utoipa::path(get, path = "/oauth2/fallbacks/login", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn login() -> Response {
    missing("urls.login")
}

/// In the place of the consent application.
#[utoipa::path(get, path = "/oauth2/fallbacks/consent", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn consent() -> Response {
    missing("urls.consent")
}

/// In the place of the logout application.
#[utoipa::path(get, path = "/oauth2/fallbacks/logout", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn logout() -> Response {
    missing("urls.logout")
}

/// In the place of the application for codes of devices.
#[utoipa::path(get, path = "/oauth2/fallbacks/device", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn device() -> Response {
    missing("urls.device.verification")
}

/// After a device was let in.
#[utoipa::path(get, path = "/oauth2/fallbacks/device/done", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn device_done() -> Response {
    let text = "Your device goes on by itself. This window can be closed.";
    page::page(StatusCode::OK, "Done", text)
}

/// After a logout that named no page.
#[utoipa::path(get, path = "/oauth2/fallbacks/logout/callback", tag = "people", responses((status = 200, content_type = "text/html", body = String)))]
pub(super) async fn logged_out() -> Response {
    let text = "You are logged out. This window can be closed.";
    page::page(StatusCode::OK, "Goodbye", text)
}

/// An error that goes to no client. Not 500, as Hydra says: anybody may open it, and nothing failed.
#[utoipa::path(get, path = "/oauth2/fallbacks/error", tag = "people", params(
    ("error" = Option<String>, Query, description = "Its code"),
    ("error_description" = Option<String>, Query, description = "What is wrong"),
), responses((status = 400, content_type = "text/html", body = String)))]
pub(super) async fn error(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let text = format!("{}: {}", value("error"), value("error_description"));
    let heading = "The request cannot be answered";
    page::page(StatusCode::BAD_REQUEST, heading, &text)
}
