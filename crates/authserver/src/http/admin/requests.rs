//! `/admin/oauth2/auth/requests/{login,consent,logout,device}`: what the applications are asked, and what
//! they say.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;

use crate::{
    domain::{
        AdminError, Missing,
        authorize::{Rejection, consent::AcceptConsent, login::AcceptLogin},
        device::AcceptDevice,
    },
    http::{
        Shared,
        admin::{json, list::parameter},
        answer,
        error::AdminFailure,
    },
};

type Answer = Result<Response, AdminFailure>;

/// Where a browser goes next.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Redirect {
    /// The address.
    redirect_to: String,
}

/// What a login application is asked.
#[utoipa::path(get, path = "/admin/oauth2/auth/requests/login", tag = "people", params(("login_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), responses((status = 200, body = Object), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn login(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let challenge = challenge(query, "login_challenge")?;
    Ok(shown(&authority.login_request(&challenge).await?))
}

/// A person logged in.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/login/accept", tag = "people", params(("login_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn accept_login(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let challenge = challenge(query, "login_challenge")?;
    let accepted: AcceptLogin = read(body).await?;
    redirect(authority.accept_login(&challenge, accepted).await)
}

/// A person did not log in.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/login/reject", tag = "people", params(("login_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn reject_login(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let challenge = challenge(query, "login_challenge")?;
    let rejection: Rejection = read(body).await?;
    redirect(authority.reject_login(&challenge, rejection))
}

/// What a consent application is asked.
#[utoipa::path(get, path = "/admin/oauth2/auth/requests/consent", tag = "people", params(("consent_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), responses((status = 200, body = Object), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn consent(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let challenge = challenge(query, "consent_challenge")?;
    Ok(shown(&authority.consent_request(&challenge).await?))
}

/// A person consented.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/consent/accept", tag = "people", params(("consent_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn accept_consent(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let challenge = challenge(query, "consent_challenge")?;
    let accepted: AcceptConsent = read(body).await?;
    redirect(authority.accept_consent(&challenge, accepted))
}

/// A person did not consent.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/consent/reject", tag = "people", params(("consent_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn reject_consent(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let challenge = challenge(query, "consent_challenge")?;
    let rejection: Rejection = read(body).await?;
    redirect(authority.reject_consent(&challenge, rejection))
}

/// What a logout application is asked.
#[utoipa::path(get, path = "/admin/oauth2/auth/requests/logout", tag = "people", params(("logout_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), responses((status = 200, body = Object), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn logout(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    // Hydra says here of what is not there that it is not there, whatever was missing.
    let challenge = challenge(query, "logout_challenge");
    let challenge = challenge.map_err(|_| AdminError::NotFound(Missing::Resource))?;
    let told = authority.logout_request(&challenge).await;
    let told = told.map_err(|error| match error {
        AdminError::NotFound(_) => AdminError::NotFound(Missing::Resource),
        other => other,
    });
    Ok(shown(&told?))
}

/// A person wants to leave.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/logout/accept", tag = "people", params(("logout_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn accept_logout(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let challenge = challenge(query, "logout_challenge")?;
    redirect(authority.accept_logout(&challenge))
}

/// A person stays.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/logout/reject", tag = "people", params(("logout_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), responses((status = 204), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn reject_logout(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let challenge = challenge(query, "logout_challenge")?;
    authority.reject_logout(&challenge).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// A person gave the code of a device.
#[utoipa::path(put, path = "/admin/oauth2/auth/requests/device/accept", tag = "people", params(("device_challenge" = Option<String>, Query, description = "What the browser brought; also as `challenge`")), request_body(content = Object, content_type = "application/json"), responses((status = 200, body = Redirect), (status = 401, description = "It took too long", body = carnet_oauth::ErrorBody), AdminFailure))]
pub(super) async fn accept_device(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    body: Body,
) -> Answer {
    let challenge = challenge(query, "device_challenge")?;
    let accepted: AcceptDevice = read(body).await?;
    redirect(authority.accept_device(&challenge, accepted).await)
}

fn shown(told: &impl Serialize) -> Response {
    answer::json(StatusCode::OK, answer::JSON, told)
}

fn redirect(address: Result<String, AdminError>) -> Answer {
    let redirect_to = address?;
    Ok(shown(&Redirect { redirect_to }))
}

/// A body; what is wrong with it is told by Hydra's code for these endpoints.
async fn read<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, AdminFailure> {
    json::read(body).await.map_err(|failure| match failure {
        AdminFailure::Domain(AdminError::Malformed(text)) => AdminError::Parameter(text).into(),
        other => other,
    })
}

/// The challenge, by its long name or by the short one of older applications.
fn challenge(query: Option<String>, name: &str) -> Result<String, AdminError> {
    let query = query.unwrap_or_default();
    let found = parameter(&query, name).or_else(|| parameter(&query, "challenge"));
    found.ok_or_else(|| AdminError::Parameter(format!("Parameter '{name}' is missing.")))
}
