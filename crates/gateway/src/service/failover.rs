//! `failover`: one service, and another while the first is down or where its answer is a failure.

use std::sync::Arc;

use carnet_config::routing::{Statuses, service};
use futures_util::future::BoxFuture;
use http::StatusCode;

use super::headers::drop_minted_token;
use super::repeatable::{Collected, collect};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::{Endpoint, Exchange};
use crate::respond;
use crate::room::Room;

/// Bodies up to this size are kept for the fallback where the configuration has no limit; larger
/// ones are streamed, and the answer to them stands, whatever it is.
const KEPT: usize = 1024 * 1024;

/// A service and its fallback.
#[derive(Debug)]
pub(crate) struct Failover {
    main: Arc<dyn Endpoint>,
    fallback: Arc<dyn Endpoint>,
    errors: Option<Errors>,
    reports_health: bool,
    room: Arc<Room>,
}

/// Answers that count as failures.
#[derive(Debug)]
struct Errors {
    statuses: Statuses,
    limit: Option<usize>,
}

impl Failover {
    /// A failover between two services. The error is one sentence.
    pub(crate) fn new(
        options: &service::Failover,
        main: &Arc<dyn Endpoint>,
        fallback: &Arc<dyn Endpoint>,
        room: &Arc<Room>,
    ) -> Result<Self, String> {
        if options.errors.is_none() && !main.reports_health() {
            let name = &options.service;
            return Err(format!(
                "its service `{name}` has no healthCheck, and it names no `errors`: it would \
                 never fail"
            ));
        }
        if options.health_check && !fallback.reports_health() {
            let name = &options.fallback;
            return Err(format!("its fallback `{name}` has no healthCheck"));
        }
        Ok(Self {
            main: Arc::clone(main),
            fallback: Arc::clone(fallback),
            errors: options.errors.as_ref().map(|errors| Errors {
                statuses: errors.status.clone(),
                limit: errors
                    .max_request_body_bytes
                    .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            }),
            reports_health: options.health_check,
            room: Arc::clone(room),
        })
    }

    async fn fall_back(
        &self,
        mut request: Request,
        exchange: &Exchange,
    ) -> Result<Response, Fault> {
        if !Arc::ptr_eq(&self.main, &self.fallback) {
            drop_minted_token(&mut request);
        }
        match self.fallback.is_up() {
            true => self.fallback.answer(request, exchange).await,
            false => Err(Fault::new(Reason::NoServer)),
        }
    }
}

impl Errors {
    fn include(&self, outcome: &Result<Response, Fault>) -> bool {
        let status: StatusCode = match outcome {
            Ok(response) => response.status(),
            Err(fault) => respond::status(fault.reason()),
        };
        self.statuses.contain(status.as_u16())
    }
}

impl Endpoint for Failover {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            if !self.main.is_up() {
                return self.fall_back(request, exchange).await;
            }
            let Some(errors) = &self.errors else {
                return self.main.answer(request, exchange).await;
            };
            let limit = errors.limit.unwrap_or(KEPT);
            let kept = match collect(request, limit, &self.room).await? {
                Collected::Whole(kept) => kept,
                Collected::Streamed(_, fault) if errors.limit.is_some() => return Err(fault),
                Collected::Streamed(request, _) => {
                    return self.main.answer(request, exchange).await;
                }
            };
            let outcome = self.main.answer(kept.request(), exchange).await;
            if !errors.include(&outcome) {
                return outcome;
            }
            drop(outcome);
            let (again, _share) = kept.last();
            self.fall_back(again, exchange).await
        })
    }

    fn is_up(&self) -> bool {
        self.main.is_up() || self.fallback.is_up()
    }

    fn reports_health(&self) -> bool {
        self.reports_health
    }
}
