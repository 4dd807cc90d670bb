//! `loadBalancer`: servers by turns.

use std::sync::Arc;

use carnet_config::routing::service;
use futures_util::future::BoxFuture;
use tracing::Instrument as _;

use super::balance::Balance;
use super::proxy::{Server, proxy};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::metrics::Series;
use crate::middleware::{Endpoint, Exchange};
use crate::upstream::Client;

/// Servers behind a balancer.
#[derive(Debug)]
pub(crate) struct LoadBalancer {
    name: Arc<str>,
    series: Option<Arc<Series>>,
    servers: Vec<Server>,
    balance: Balance,
}

/// The pools of a transport: one a protocol.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    pub(crate) http1: Client,
    pub(crate) http2: Client,
}

impl LoadBalancer {
    pub(crate) fn new(
        (name, series): (Arc<str>, Option<Arc<Series>>),
        options: &service::LoadBalancer,
        clients: &Clients,
    ) -> Result<Self, String> {
        let servers = options.servers.iter();
        Ok(Self {
            name,
            series,
            balance: Balance::new(options.servers.iter().map(|server| server.weight)),
            servers: servers
                .map(|server| Server::new(server, options.pass_host_header, clients))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Endpoint for LoadBalancer {
    fn servers(&self) -> Vec<(Arc<str>, Option<bool>)> {
        let urls = self.servers.iter().map(Server::url);
        urls.map(|url| (Arc::clone(url), None)).collect()
    }

    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            let chosen = self.balance.next().ok_or(Fault::new(Reason::NoServer))?;
            exchange.note(|record| {
                record.service = Some(Arc::clone(&self.name));
                record.series.clone_from(&self.series);
            });
            let answer = proxy(request, exchange, &self.servers[chosen]);
            match exchange.trace().and_then(|trace| trace.service(&self.name)) {
                Some(span) => answer.instrument(span).await,
                None => answer.await,
            }
        })
    }
}
