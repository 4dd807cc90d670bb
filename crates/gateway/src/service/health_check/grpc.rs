//! `mode: grpc`: the call `grpc.health.v1.Health/Check` for the server as a whole.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::{BodyExt, Limited};
use url::Url;

use super::question::authority;
use crate::body::{Body, Request};
use crate::upstream::Client;

/// A request without a name of a service: not compressed, no bytes.
const QUESTION: &[u8] = &[0; 5];
/// `SERVING`: field 1, a number, 1.
const SERVING: [u8; 2] = [0x08, 1];
/// More is no answer to this question.
const LONGEST_ANSWER: usize = 4096;

/// Asks. The error says what was wrong, for the log.
pub(super) async fn ask(client: &Client, url: &Url, headers: &HeaderMap) -> Result<(), String> {
    let scheme = match url.scheme() {
        "https" => "https",
        _ => "http",
    };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(authority(url))
        .path_and_query("/grpc.health.v1.Health/Check")
        .build();
    let mut request = Request::new(Body::from(Bytes::from_static(QUESTION)));
    *request.uri_mut() = uri.map_err(|error| error.to_string())?;
    *request.method_mut() = Method::POST;
    headers.clone_into(request.headers_mut());
    let fields = request.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    fields.insert(TE, HeaderValue::from_static("trailers"));

    let response = client.send(request).await;
    let response = response.map_err(|failure| failure.to_string())?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(format!("it answered {}", head.status.as_u16()));
    }
    let body = Limited::new(body, LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| error.to_string())?;
    // Without a message the status comes with the head.
    let trailers = body.trailers();
    let status = trailers
        .and_then(|fields| fields.get("grpc-status"))
        .cloned();
    let status = status.or_else(|| head.headers.get("grpc-status").cloned());
    let message = body.to_bytes();
    match status.as_ref().map(HeaderValue::as_bytes) {
        Some(b"0") if is_serving(&message) => Ok(()),
        Some(b"0") => Err("it is not serving".to_owned()),
        Some(b"12") => Err("it has no health service (grpc-status 12)".to_owned()),
        Some(code) => Err(format!("grpc-status {}", String::from_utf8_lossy(code))),
        None => Err("an answer without grpc-status".to_owned()),
    }
}

/// A message that is not compressed and says so.
fn is_serving(bytes: &[u8]) -> bool {
    bytes
        .split_at_checked(QUESTION.len())
        .is_some_and(|(frame, message)| frame == [0, 0, 0, 0, 2] && message == SERVING)
}
