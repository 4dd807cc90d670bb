//! `/admin/oauth2/auth/sessions/{login,consent}`: what is remembered of people.

use axum::{
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::Response,
};

use crate::{
    domain::{AdminError, page, sessions::Logins},
    http::{
        Shared,
        admin::list::{page_link, parameter},
        answer,
        error::AdminFailure,
    },
    store::{ConsentQuery, ConsentsOf},
};

type Answer = Result<Response, AdminFailure>;

/// Forgets logins: all of a person, or one by its id.
#[utoipa::path(delete, path = "/admin/oauth2/auth/sessions/login", tag = "people", params(
    ("subject" = Option<String>, Query, description = "The person"),
    ("sid" = Option<String>, Query, description = "The session"),
), responses((status = 204), AdminFailure))]
pub(super) async fn delete_logins(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let logins = match (parameter(&query, "sid"), parameter(&query, "subject")) {
        (Some(id), None) => Logins::One(id),
        (None, Some(subject)) => Logins::Of(subject),
        _ => {
            let text = "Either parameter 'subject' or parameter 'sid' is needed.";
            return Err(AdminError::Parameter(text.to_owned()).into());
        }
    };
    authority.revoke_logins(&logins).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// Takes back what a person let a client do, or all clients.
#[utoipa::path(delete, path = "/admin/oauth2/auth/sessions/consent", tag = "people", params(
    ("subject" = Option<String>, Query, description = "The person"),
    ("client" = Option<String>, Query, description = "The client"),
    ("all" = Option<bool>, Query, description = "Whether it is all clients"),
), responses((status = 204), AdminFailure))]
pub(super) async fn delete_consents(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let subject = subject(&query)?;
    let client_id = parameter(&query, "client");
    let is_all = parameter(&query, "all").as_deref() == Some("true");
    if client_id.is_none() && !is_all {
        let text = "Either parameter 'client' or 'all=true' is needed.";
        return Err(AdminError::Parameter(text.to_owned()).into());
    }
    let of = ConsentsOf { subject, client_id };
    authority.revoke_consents(&of).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// What a person lets clients do.
#[utoipa::path(get, path = "/admin/oauth2/auth/sessions/consent", tag = "people", params(
    ("subject" = Option<String>, Query, description = "The person"),
    ("login_session_id" = Option<String>, Query, description = "Only those of this login"),
    ("page_size" = Option<i64>, Query, description = "At most so many; 100 when absent, 500 at most"),
    ("page_token" = Option<String>, Query, description = "From the address of another page"),
), responses((status = 200, body = Vec<Object>, headers(("Link" = String))), AdminFailure))]
pub(super) async fn list_consents(State(authority): Shared, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let subject = subject(&query)?;
    let session_id = parameter(&query, "login_session_id");
    let filters = serde_json::json!(["consents", subject, session_id]).to_string();
    let size = page::size(parameter(&query, "page_size").as_deref())?;
    let token = parameter(&query, "page_token");
    let wanted = ConsentQuery {
        subject: Some(subject),
        session_id,
        after: authority.page_after(token.as_deref(), &filters)?,
        limit: size,
        ..ConsentQuery::default()
    };
    let (consents, more) = authority.list_consents(wanted).await?;
    let mut links = Vec::new();
    let last = consents.last().map(|(id, _)| id.as_str());
    for (after, relation) in [(last.map(|_| ""), "first"), (last.filter(|_| more), "next")] {
        if let Some(after) = after {
            let token = authority.page_token(after, &filters)?;
            let path = "/admin/oauth2/auth/sessions/consent";
            links.push(page_link(path, &query, (size, &token), relation));
        }
    }
    let consents: Vec<_> = consents.into_iter().map(|(_, told)| told).collect();
    let mut response = answer::json(StatusCode::OK, answer::JSON, &consents);
    if !links.is_empty() {
        answer::set_text(&mut response, header::LINK, &links.join(","));
    }
    Ok(response)
}

fn subject(query: &str) -> Result<String, AdminError> {
    let missing = || AdminError::Parameter("Parameter 'subject' is missing.".to_owned());
    parameter(query, "subject").ok_or_else(missing)
}
