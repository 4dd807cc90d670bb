//! `inFlightReq`: how many requests of one source may be under way at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use carnet_config::routing::middleware::{InFlightReq as Options, SourceCriterion};
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::client_ip::Source;
use super::{Exchange, Middleware, Next, decided};
use crate::body::{Body, Request, Response};
use crate::error::Fault;

/// The middleware.
#[derive(Debug)]
pub(super) struct InFlightReq {
    amount: u64,
    source: Source,
    under_way: Arc<UnderWay>,
}

/// How many there are of each source that has any.
#[derive(Debug, Default)]
struct UnderWay(Mutex<BTreeMap<Vec<u8>, u64>>);

/// One of them, until it is dropped.
#[derive(Debug)]
struct Place {
    source: Vec<u8>,
    under_way: Arc<UnderWay>,
}

impl InFlightReq {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let by_host = SourceCriterion::RequestHost(true);
        let criterion = options.source_criterion.as_ref().unwrap_or(&by_host);
        Ok(Self {
            amount: options.amount,
            source: Source::new(criterion)?,
            under_way: Arc::default(),
        })
    }

    fn place(&self, source: Vec<u8>) -> Option<Place> {
        let mut counts = self
            .under_way
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&source) {
            Some(count) if *count >= self.amount => return None,
            Some(count) => *count += 1,
            None if self.amount == 0 => return None,
            None => drop(counts.insert(source.clone(), 1)),
        }
        drop(counts);
        Some(Place {
            source,
            under_way: Arc::clone(&self.under_way),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .under_way
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.source)),
        }
    }
}

impl Middleware for InFlightReq {
    fn kind(&self) -> &'static str {
        "inFlightReq"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some(place) = self.place(self.source.of(&request, exchange)) else {
            let text = format!("max connections reached: {}", self.amount);
            let mut response = Response::new(Body::from(Bytes::from(text)));
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            return decided(Ok(response));
        };
        next.then(request, move |response| {
            // A request is under way until its answer has been sent.
            let held = move |frame| {
                let _place = &place;
                frame
            };
            let body = response.body_mut();
            *body = std::mem::take(body).passed(held);
            Ok(())
        })
    }
}
