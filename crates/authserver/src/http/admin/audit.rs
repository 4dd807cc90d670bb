//! Writes of administrators, noted before and after. What was begun is finished and noted also when
//! its caller hangs up; what cannot be noted is not begun.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};

use crate::{
    domain::{AdminError, audit::Entry},
    http::{Shared, caller::Caller, error::AdminFailure},
};

/// Lets a request through, with lines in the audit log when it is a write.
pub(super) async fn audited(
    State(authority): Shared,
    Caller(arrival): Caller,
    request: Request,
    next: Next,
) -> Result<Response, AdminFailure> {
    let Some(mut entry) = begun(&request) else {
        return Ok(next.run(request).await);
    };
    entry.from = arrival.from;
    entry.request = authority.fresh_id();
    authority.audit(entry.clone()).await?;
    let finished = tokio::spawn(async move {
        let response = next.run(request).await;
        // The write is done; that it could not be noted is said in the log.
        let _ = authority.audit(ended(entry, &response)).await;
        response
    });
    Ok(finished.await.map_err(|_| AdminError::Internal)?)
}

/// The first line of a write.
fn begun(request: &Request) -> Option<Entry> {
    let is_write = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let route = request.extensions().get::<MatchedPath>()?.as_str();
    is_write.then(|| Entry {
        event: format!("{} {route}", request.method()),
        object: Some(object(request)),
        outcome: "begun",
        ..Entry::default()
    })
}

/// The path; of a query, the one parameter that names an object.
fn object(request: &Request) -> String {
    let query = request.uri().query().unwrap_or_default();
    let client = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id");
    let path = request.uri().path();
    match client {
        Some((name, client)) => format!("{path}?{name}={client}"),
        None => path.to_owned(),
    }
}

/// The last line of a write.
fn ended(mut entry: Entry, response: &Response) -> Entry {
    let status = response.status();
    entry.status = Some(status.as_u16());
    entry.outcome = match status.as_u16() {
        ..400 => "done",
        400..500 => "refused",
        500.. => "failed",
    };
    let made = response.headers().get(header::LOCATION);
    if let Some(made) = made.map(HeaderValue::to_str).and_then(Result::ok) {
        entry.object = Some(made.to_owned());
    }
    entry
}
