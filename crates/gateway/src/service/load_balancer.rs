//! `loadBalancer`: one of several servers.

use std::sync::Arc;

use carnet_config::routing::service;
use carnet_oauth::Random;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::member::Member;
use super::proxy::proxy;
use super::sticky::Sticky;
use super::strategy::{Candidate, Strategy};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::metrics::Series;
use crate::middleware::{Endpoint, Exchange, ServerStatus, Service};
use crate::shard::Copied;
use crate::upstream::Client;

/// Servers behind a balancer.
#[derive(Debug)]
pub(crate) struct LoadBalancer {
    told: Copied<Service>,
    members: Vec<Arc<Member>>,
    strategy: Strategy,
    sticky: Option<Sticky>,
    reports_health: bool,
}

/// The pools of a transport: one a protocol.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) http1: Client,
    pub(crate) http2: Client,
}

impl Clients {
    /// Whether these are the very pools of others.
    pub(crate) fn are(&self, others: &Self) -> bool {
        self.http1.is(&others.http1) && self.http2.is(&others.http2)
    }
}

impl LoadBalancer {
    /// A balancer over servers. The error is one sentence.
    pub(crate) fn new(
        (name, series): (Arc<str>, Option<Arc<Series>>),
        options: &service::LoadBalancer,
        members: Vec<Arc<Member>>,
        random: &dyn Random,
    ) -> Result<Self, String> {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        let weights: Vec<_> = members.iter().map(|m| (m.name(), m.weight())).collect();
        let is_hashed = options.strategy == service::Strategy::Hrw;
        let cookie = options.sticky.as_ref().filter(|_| !is_hashed);
        let names = members.iter().map(|member| member.name());
        let sticky = cookie.map(|cookie| Sticky::new(cookie, &name, names));
        Ok(Self {
            strategy: Strategy::new(options.strategy, &weights, u64::from_ne_bytes(seed)),
            sticky: sticky.transpose()?,
            reports_health: options.health_check.is_some(),
            told: Copied::new(Service { name, series }),
            members,
        })
    }

    /// The server of a request, and whether the client was led back to it.
    fn choose(&self, request: &Request, exchange: &Exchange) -> Option<(usize, bool)> {
        let kept = self.sticky.as_ref().and_then(|sticky| {
            let index = sticky.member(request.headers())?;
            self.members[index].keeps_clients().then_some(index)
        });
        if let Some(index) = kept {
            return Some((index, true));
        }
        let client = exchange.connection().peer_ip().as_bytes();
        Some((self.strategy.pick(&self.members, client)?, false))
    }

    /// Notes what came of a request, and keeps the client where it was served.
    fn judged(
        &self,
        mut outcome: Result<Response, Fault>,
        index: usize,
        was_kept: bool,
    ) -> Result<Response, Fault> {
        self.members[index].judge(&outcome);
        if let (Some(sticky), false, Ok(response)) = (&self.sticky, was_kept, &mut outcome) {
            sticky.keep(response, index);
        }
        outcome
    }

    /// Asks a server, and counts how long it takes.
    async fn counted(
        &self,
        request: Request,
        exchange: &Exchange,
        member: &Arc<Member>,
    ) -> Result<Response, Fault> {
        let in_flight = member.enter();
        let asked = Instant::now();
        let response = proxy(request, exchange, member.server())?.await?;
        member.load().answered(asked.elapsed());
        // In flight until its body has ended.
        Ok(response.map(|body| {
            body.passed(move |frame| {
                let _held = &in_flight;
                frame
            })
        }))
    }
}

impl Endpoint for LoadBalancer {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some((index, was_kept)) = self.choose(&request, exchange) else {
            return Box::pin(ready(Err(Fault::new(Reason::NoServer))));
        };
        let member = &self.members[index];
        exchange.note(|record| record.service = Some(self.told.held()));
        let span = exchange
            .trace()
            .and_then(|trace| trace.service(&self.told.name));
        // Each way in its own box: the usual one is small.
        match (self.strategy.looks_at_loads(), span) {
            (false, None) => {
                let judged = move |outcome| self.judged(outcome, index, was_kept);
                match proxy(request, exchange, member.server()) {
                    Ok(answer) => Box::pin(answer.map(judged)),
                    Err(fault) => Box::pin(ready(judged(Err(fault)))),
                }
            }
            (_, span) => Box::pin(async move {
                let counted = self.counted(request, exchange, member);
                let outcome = match span {
                    Some(span) => counted.instrument(span).await,
                    None => counted.await,
                };
                self.judged(outcome, index, was_kept)
            }),
        }
    }

    fn is_up(&self) -> bool {
        self.members.iter().any(|member| member.is_up())
    }

    fn reports_health(&self) -> bool {
        self.reports_health
    }

    fn servers(&self) -> Vec<ServerStatus> {
        let status = |member: &Arc<Member>| ServerStatus {
            url: member.url().to_owned(),
            is_up: member.is_up(),
        };
        self.members.iter().map(status).collect()
    }
}
