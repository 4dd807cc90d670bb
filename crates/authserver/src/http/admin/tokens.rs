//! `DELETE /admin/oauth2/tokens?client_id=`: takes all tokens of a client back.

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};

use crate::{
    domain::AdminError,
    http::{Shared, answer, error::AdminFailure},
};

/// Takes all tokens of a client back.
#[utoipa::path(delete, path = "/admin/oauth2/tokens", tag = "tokens", params(("client_id" = String, Query, description = "The client")), responses((status = 204), AdminFailure))]
pub(super) async fn delete(
    State(authority): Shared,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminFailure> {
    let query = query.unwrap_or_default();
    let client_id = form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == "client_id" && !value.is_empty())
        .map(|(_, value)| value.into_owned());
    let missing = || AdminError::Parameter("Parameter 'client_id' is missing.".to_owned());
    authority
        .revoke_client(&client_id.ok_or_else(missing)?)
        .await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
