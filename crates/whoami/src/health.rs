//! `/health`: the status that somebody set, to rehearse how a load balancer reacts.

use std::sync::atomic::{AtomicU16, Ordering};

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use crate::response::{Response, empty, error};

/// A status is three digits; a longer body is none.
const MAX_BODY: usize = 1024;

/// The status of the next answer.
pub(crate) struct Health(AtomicU16);

impl Default for Health {
    fn default() -> Self {
        Self(AtomicU16::new(StatusCode::OK.as_u16()))
    }
}

impl Health {
    /// `POST` sets the status, every other method answers it.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response {
        if request.method() != Method::POST {
            let status = StatusCode::from_u16(self.0.load(Ordering::Relaxed));
            return empty(status.unwrap_or(StatusCode::OK));
        }
        let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
        match body.ok().and_then(|body| status(&body.to_bytes())) {
            Some(status) => {
                tracing::info!(status = status.as_u16(), "health status set");
                self.0.store(status.as_u16(), Ordering::Relaxed);
                empty(StatusCode::OK)
            }
            None => error(
                StatusCode::BAD_REQUEST,
                "the body must be a status from 200 to 999",
            ),
        }
    }
}

/// A final status; one below 200 would be no answer to anybody.
fn status(body: &[u8]) -> Option<StatusCode> {
    let number: u16 = serde_json::from_slice(body).ok()?;
    StatusCode::from_u16(number)
        .ok()
        .filter(|status| !status.is_informational())
}
