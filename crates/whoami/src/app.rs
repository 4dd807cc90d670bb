//! Which path is answered by which file.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::Request;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::health::Health;
use crate::query::Query;
use crate::response::Response;
use crate::{api, bench, data, dump, echo};

/// What the application says about itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Printed as `Name:` and as the API's `name`; empty: left out.
    pub name: String,
    /// Name of this machine, or of the pod.
    pub hostname: String,
    /// Environment variables, shown to who asks with `?env=true`.
    pub env: BTreeMap<String, String>,
    /// One log line a request.
    pub verbose: bool,
}

/// The application while it runs.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) health: Health,
    /// Conversations that outlive their request, which is WebSockets.
    pub(crate) conversations: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

impl App {
    pub(crate) fn new(options: Options, shutdown: CancellationToken) -> Self {
        Self {
            options,
            health: Health::default(),
            conversations: TaskTracker::new(),
            shutdown,
        }
    }

    /// Answers one request. Every path that has no meaning of its own gets the text of `/`.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Response {
        let query = Query::of(request.uri());
        if self.options.verbose {
            let (method, version) = (request.method(), request.version());
            tracing::info!("{peer} \"{method} {} {version:?}\"", request.uri().path());
        }
        match request.uri().path() {
            "/api" => api::answer(&self.options, &request, &query, peer),
            "/bench" => bench::answer(),
            "/data" => data::answer(&query, request.headers()),
            "/echo" => echo::answer(request, &self.conversations, &self.shutdown),
            "/health" => self.health.answer(request).await,
            _ => dump::answer(&self.options, request, &query, peer).await,
        }
    }
}
