//! Answers that have no end of their own: their request stays in flight, and the end of the process
//! ends them, so that it need not wait.

use axum::{
    body::{Body, BodyDataStream},
    response::Response,
};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::wire::InFlight;

/// Marks an answer whose body has no end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;

/// An answer as it is sent. One without an end holds on to its request until its own end.
pub(super) fn bounded(
    answer: Response,
    in_flight: InFlight,
    ending: CancellationToken,
) -> Response {
    if answer.extensions().get::<Endless>().is_none() {
        return answer;
    }
    answer.map(|body: Body| {
        let stream: BodyDataStream = body.into_data_stream();
        let ended = stream.take_until(ending.cancelled_owned());
        Body::from_stream(ended.map(move |chunk| {
            let _until_the_end = &in_flight;
            chunk
        }))
    })
}
