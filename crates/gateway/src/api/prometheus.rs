//! `prometheus@internal`: `/metrics`.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::metrics::{self, Metrics};
use crate::middleware::{Endpoint, Exchange};
use crate::snapshot::SnapshotHandle;
use crate::token_source::Providers;

/// Writes all counts.
#[derive(Debug)]
pub(crate) struct PrometheusEndpoint {
    pub(crate) metrics: Arc<Metrics>,
    /// A snapshot leads here, so this must not keep it.
    pub(crate) snapshots: Weak<SnapshotHandle>,
    pub(crate) providers: Arc<Providers>,
}

impl PrometheusEndpoint {
    /// The servers whose health is checked.
    fn servers(&self) -> Vec<(String, Arc<str>, bool)> {
        let Some(snapshots) = self.snapshots.upgrade() else {
            return Vec::new();
        };
        let snapshot = snapshots.load();
        let names = snapshot.config().services.keys();
        let services = names.filter_map(|name| Some((name, snapshot.service(name)?)));
        let checked = services.filter(|(_, service)| service.reports_health());
        let checked = checked.flat_map(|(name, service)| {
            let servers = service.servers().into_iter();
            servers.map(|server| (name.clone(), Arc::from(server.url), server.is_up))
        });
        checked.collect()
    }
}

impl Endpoint for PrometheusEndpoint {
    fn answer<'a>(&'a self, _: Request, _: &'a Exchange) -> BoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async {
            let tokens = (self.providers.figures(), self.providers.stores());
            let text = metrics::write(&self.metrics, self.servers(), tokens);
            let text = text.map_err(|error| Fault::new(Reason::Internal).because(error))?;
            let mut response = Response::new(Body::from(Bytes::from(text)));
            let content = HeaderValue::from_static(metrics::CONTENT_TYPE);
            response.headers_mut().insert(CONTENT_TYPE, content);
            Ok(response)
        })
    }
}
