//! `ipAllowList`: who may pass, by address.

use std::net::IpAddr;

use carnet_config::routing::middleware::IpAllowList as Options;
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::client_ip::client_ip;
use super::{Exchange, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::respond;

/// The middleware.
#[derive(Debug)]
pub(super) struct IpAllowList {
    kind: &'static str,
    options: Options,
    rejection: StatusCode,
}

impl IpAllowList {
    /// The error is one sentence.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        Self::named("ipAllowList", options)
    }

    /// The same under another kind's name.
    pub(super) fn named(kind: &'static str, options: &Options) -> Result<Self, String> {
        let rejection = StatusCode::from_u16(options.reject_status_code)
            .map_err(|_| "`rejectStatusCode` is no status".to_owned())?;
        Ok(Self {
            kind,
            options: options.clone(),
            rejection,
        })
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        let ranges = &self.options.source_range;
        ranges.iter().any(|range| range.contains(&address))
    }
}

impl Middleware for IpAllowList {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let address = client_ip(self.options.ip_strategy.as_ref(), &request, exchange);
        if address.is_some_and(|address| self.is_allowed(address)) {
            return next.pass(request);
        }
        tracing::debug!(?address, "the address is not allowed");
        decided(Ok(respond::with_status(self.rejection)))
    }
}
