//! `GET /oauth2/status/{list}`: which tokens were revoked (draft-ietf-oauth-status-list, section 8).

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use crate::http::{
    Shared, answer,
    error::{Failed, OauthFailure},
    not_found,
};

/// The one form that lists have here.
const MEDIA_TYPE: &str = "application/statuslist+jwt";

/// The list that a token names as `status.status_list.uri`.
#[utoipa::path(get, path = "/oauth2/status/{list}", tag = "tokens", params(("list" = String, Path, description = "The name of the list.")), responses((status = 200, body = String, content_type = "application/statuslist+jwt"), (status = 404, description = "There is no such list."), (status = 406, description = "Lists are JWTs."), (status = 501, description = "Lists of the past are not kept."), Failed))]
pub(super) async fn status(
    State(authority): Shared,
    Path(list): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OauthFailure> {
    if !accepts(&headers) {
        let text = format!("Status lists are of type {MEDIA_TYPE}.");
        return Ok(answer::plain(StatusCode::NOT_ACCEPTABLE, &text));
    }
    // A server that keeps no lists of the past says so (section 8.4).
    let is_of_past = |query: &str| query.split('&').any(|pair| pair.starts_with("time="));
    if query.as_deref().is_some_and(is_of_past) {
        let text = "Lists of the past are not kept.";
        return Ok(answer::plain(StatusCode::NOT_IMPLEMENTED, text));
    }
    let Some(list) = authority.status_list(&list).await? else {
        return Ok(not_found::page(headers).await);
    };
    let mut response = answer::with(StatusCode::OK, MEDIA_TYPE, list.token);
    let kept = format!("public, max-age={}", list.kept_for.as_secs());
    answer::set_text(&mut response, header::CACHE_CONTROL, &kept);
    Ok(response)
}

fn accepts(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT) else {
        return true;
    };
    let wanted = accept.to_str().unwrap_or_default().to_ascii_lowercase();
    wanted.split(',').any(|range| {
        let range = range.split(';').next().unwrap_or_default().trim();
        [MEDIA_TYPE, "application/*", "*/*"].contains(&range)
    })
}
