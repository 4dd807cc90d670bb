//! A whole gateway on a port of its own.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use carnet_config::diagnostics::Severity;
use carnet_config::document::parse_yaml;
use carnet_config::install::{AccessLog, EntryPoint};
use carnet_config::{merge, routing};
use carnet_gateway::{CachedToken, Gateway, Options};
use carnet_oauth::Clock;
use carnet_testkit::SeededRandom;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A gateway that is being served. It ends when it is dropped.
pub(crate) struct Stack {
    pub(crate) address: SocketAddr,
    gateway: Arc<Gateway>,
    access_log: Arc<Mutex<Vec<u8>>>,
    _shutdown: DropGuard,
}

impl Stack {
    /// A gateway without routes.
    pub(crate) fn start(clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let access_log = Arc::new(Mutex::new(Vec::new()));
        let entry_point = EntryPoint::at(address.to_string());
        let gateway = Arc::new(Gateway::new(Options {
            entry_points: BTreeMap::from([("web".to_owned(), entry_point)]),
            access_log: Some(AccessLog::default()),
            access_log_output: access_log.clone(),
            ping: None,
            certificates_resolvers: BTreeMap::new(),
            servers_transport: carnet_config::routing::ServersTransport::default(),
            metrics: carnet_config::install::Metrics::default(),
            api: None,
            tracing: None,
            providers: vec!["File".to_owned()],
            clock,
            random: Arc::new(SeededRandom::default()),
            resolve: Arc::new(|_, _| None),
            memory: None,
            hostname: "gateway".to_owned(),
        }));
        let shutdown = CancellationToken::new();
        let (served, until) = (Arc::clone(&gateway), shutdown.clone());
        tokio::spawn(async move {
            let listeners = BTreeMap::from([("web".to_owned(), listener)]);
            served.serve(listeners, until).await;
        });
        Self {
            address,
            gateway,
            access_log,
            _shutdown: shutdown.drop_guard(),
        }
    }

    /// Serves what can be served of a file provider's document; tells what is wrong with the rest.
    pub(crate) fn offer(&self, yaml: &str) -> String {
        let document = parse_yaml(yaml, "test.yaml").unwrap().swap_remove(0);
        let config = routing::read(&document).unwrap();
        let merged = merge::merge(vec![("file".to_owned(), config)]);
        let mut errors = self.gateway.apply(&merged);
        errors.retain(|finding| finding.severity == Severity::Error);
        let lines = errors.iter().map(|finding| format!("{finding}\n"));
        lines.collect()
    }

    /// Tokens that were dropped before their end.
    pub(crate) fn purged(&self) -> u64 {
        let figures = self.gateway.token_figures();
        figures.iter().map(|provider| provider.purged).sum()
    }

    /// What is kept.
    pub(crate) fn cached(&self) -> Vec<CachedToken> {
        self.gateway.cached_tokens()
    }

    /// The lines of the access log.
    pub(crate) fn access_log(&self) -> Vec<String> {
        let bytes = self.access_log.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        text.lines().map(str::to_owned).collect()
    }
}
