//! `/oauth2/register` (RFC 7591): clients cannot register themselves here.

use axum::{http::StatusCode, response::Response};
use carnet_oauth::ErrorBody;

use crate::http::answer;

/// Says so.
pub(super) async fn refuse() -> Response {
    let body = ErrorBody {
        error: "The requested resource could not be found".to_owned(),
        error_description: "Dynamic registration is not enabled.".to_owned(),
    };
    answer::json(StatusCode::NOT_FOUND, answer::ERROR_JSON, &body)
}
