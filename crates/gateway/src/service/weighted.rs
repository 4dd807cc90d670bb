//! `weighted`: other services by weight.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::balance::Balance;
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::{Endpoint, Exchange};

/// Services by weight.
#[derive(Debug)]
pub(crate) struct Weighted {
    services: Vec<Arc<dyn Endpoint>>,
    balance: Balance,
}

impl Weighted {
    pub(crate) fn new(services: Vec<(Arc<dyn Endpoint>, u32)>) -> Self {
        let (services, weights): (Vec<_>, Vec<_>) = services.into_iter().unzip();
        Self {
            services,
            balance: Balance::new(weights),
        }
    }
}

impl Endpoint for Weighted {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        match self.balance.next() {
            Some(chosen) => self.services[chosen].answer(request, exchange),
            None => Box::pin(async { Err(Fault::new(Reason::NoServer)) }),
        }
    }
}
