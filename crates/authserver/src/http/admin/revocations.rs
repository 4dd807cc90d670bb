//! `GET /admin/revocations`: which tokens do not count before their end, as server-sent events: first
//! those that are known, then each as it happens. Verifiers that ask nobody about a token follow it.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt as _};

use crate::{
    domain::revocations::stream::Told,
    http::{Shared, serve::Endless},
};

/// How often a follower hears that the server is there when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a browser says when it comes back (HTML, section 9.2.4).
const LAST_EVENT_ID: &str = "last-event-id";

/// An event of the stream, for its description.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "events are written by the library")]
struct RevocationEvent {
    /// The number of the revocation.
    id: String,
    /// The revocation, as JSON.
    data: String,
}

/// The revocations, as a stream of events.
#[utoipa::path(get, path = "/admin/revocations", tag = "tokens", params(
    ("after" = Option<i64>, Query, description = "Only those after this number, `seq` of one that was seen; all when it is unknown"),
), responses((status = 200, content_type = "text/event-stream", body = inline(RevocationEvent), description = "Events whose data is an object: `seq`, one of `jti`, `client_id` and `kid`, `not_before` and `exp`")))]
pub(super) async fn follow(
    State(authority): Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "after")
        .map(|(_, value)| value.into_owned());
    let before = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let after = asked.as_deref().or(before);
    let after = after.and_then(|text| text.parse().ok());
    let events = events(authority.revocations_after(after));
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response();
    response.extensions_mut().insert(Endless);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn events(revocations: impl Stream<Item = Told>) -> impl Stream<Item = Result<Event, Infallible>> {
    revocations.filter_map(async |told| {
        let event = Event::default().id(told.seq.to_string());
        // It is made of numbers and texts alone, so it can be written.
        event.json_data(&told).ok().map(Ok)
    })
}
