//! A gateway to test: configured by YAML, asked over sockets.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use carnet_config::diagnostics::Diagnostic;
use carnet_config::document::parse_yaml;
use carnet_config::install::observability::{AccessLogFormat, FieldMode};
use carnet_config::install::{AccessLog, Api, EntryPoint, Metrics, Ping};
use carnet_config::merge::merge;
use carnet_config::routing::{self, RoutingConfig, ServersTransport};
use carnet_gateway::{CertificatesResolver, Gateway, Options, Tracing};
use carnet_testkit::client::{self, Response};
use carnet_testkit::{FixedClock, SeededRandom};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What the access log gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A gateway with one entry point, `web`.
pub(crate) struct Stand {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: JoinHandle<()>,
    pub(crate) log: Written,
}

/// How a stand differs from the plain one.
pub(crate) struct Plan {
    /// The entry point's name.
    pub(crate) name: &'static str,
    pub(crate) entry_point: EntryPoint,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) ping: Option<Ping>,
    pub(crate) metrics: Metrics,
    pub(crate) api: Option<Api>,
    pub(crate) tracing: Option<Tracing>,
    pub(crate) servers_transport: ServersTransport,
    pub(crate) certificates_resolvers: BTreeMap<String, CertificatesResolver>,
    /// Bytes of memory that the gateway believes to have; `None`: without end.
    pub(crate) memory: Option<u64>,
}

impl Plan {
    /// With an access log that has all headers.
    pub(crate) fn with_headers_logged() -> Self {
        let mut log = AccessLog {
            format: AccessLogFormat::Json,
            ..AccessLog::default()
        };
        log.fields.headers_default_mode = FieldMode::Keep;
        Self {
            access_log: Some(log),
            ..Self::default()
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            name: "web",
            entry_point: EntryPoint::at(":80"),
            access_log: None,
            ping: None,
            metrics: Metrics::default(),
            api: None,
            tracing: None,
            servers_transport: ServersTransport::default(),
            certificates_resolvers: BTreeMap::new(),
            memory: None,
        }
    }
}

/// Options of a gateway that nobody serves.
pub(crate) fn options(plan: Plan, log: &Written) -> Options {
    Options {
        entry_points: BTreeMap::from([(plan.name.to_owned(), plan.entry_point)]),
        access_log: plan.access_log,
        access_log_output: Arc::new(Mutex::new(log.clone())),
        ping: plan.ping,
        certificates_resolvers: plan.certificates_resolvers,
        servers_transport: plan.servers_transport,
        metrics: plan.metrics,
        api: plan.api,
        tracing: plan.tracing,
        providers: vec!["File".to_owned()],
        clock: Arc::new(FixedClock::default()),
        random: Arc::new(SeededRandom::default()),
        resolve: Arc::new(|_, _| None),
        memory: plan.memory,
        hostname: "gateway-host".to_owned(),
    }
}

impl Stand {
    /// A plain gateway with routes.
    pub(crate) async fn new(yaml: &str) -> Self {
        Self::planned(Plan::default(), yaml).await
    }

    pub(crate) async fn planned(plan: Plan, yaml: &str) -> Self {
        let stand = Self::unconfigured(plan);
        stand.apply(yaml);
        stand
    }

    /// A gateway that was never given a configuration.
    pub(crate) fn unconfigured(plan: Plan) -> Self {
        let log = Written::default();
        let name = plan.name;
        let gateway = Arc::new(Gateway::new(options(plan, &log)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let served = tokio::spawn({
            let (gateway, shutdown) = (Arc::clone(&gateway), shutdown.clone());
            let listeners = BTreeMap::from([(name.to_owned(), listener)]);
            async move { gateway.serve(listeners, shutdown).await }
        });
        Self {
            gateway,
            address,
            shutdown,
            served,
            log,
        }
    }

    pub(crate) fn apply(&self, yaml: &str) -> Vec<Diagnostic> {
        self.gateway.apply(&config(yaml))
    }

    /// `GET /` for a host.
    pub(crate) async fn get(&self, host: &str, fields: &[&str]) -> Response {
        client::get(self.address, host, fields).await.unwrap()
    }

    /// Sends a request line and fields, and asks for the end of the connection.
    pub(crate) async fn ask(&self, head: &str) -> Response {
        let request = format!(
            "{}\r\nConnection: close\r\n\r\n",
            head.replace('\n', "\r\n")
        );
        self.send(&request).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&self, request: &str) -> Response {
        client::send(self.address, request.as_bytes())
            .await
            .unwrap()
    }

    /// Ends the gateway and gives what it logged.
    pub(crate) async fn logged(self) -> String {
        self.shutdown.cancel();
        self.served.await.unwrap();
        self.log.text()
    }
}

/// A file provider's document.
pub(crate) fn config(yaml: &str) -> RoutingConfig {
    let documents = parse_yaml(yaml, "routes.yaml").unwrap();
    let config = routing::read(&documents[0]).unwrap();
    merge(vec![("file".to_owned(), config)])
}

/// Routes of one service at a URL, by rule, the first before the second.
pub(crate) fn routes(rules: &[&str], url: &str) -> String {
    let mut yaml = "http:\n  routers:\n".to_owned();
    for (index, rule) in rules.iter().enumerate() {
        let priority = rules.len() - index;
        yaml += &format!(
            "    r{index}:\n      rule: '{rule}'\n      service: s\n      priority: {priority}\n"
        );
    }
    yaml + "  services:\n    s:\n      loadBalancer:\n        servers:\n"
        + &format!("          - url: '{url}'\n")
}

/// The echo application as a backend; it ends with the test's runtime.
pub(crate) struct Whoami {
    pub(crate) url: String,
}

impl Whoami {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = carnet_whoami::Options {
            hostname: "whoami-host".to_owned(),
            ..carnet_whoami::Options::default()
        };
        tokio::spawn(carnet_whoami::serve(
            options,
            listener,
            CancellationToken::new(),
        ));
        Self { url }
    }
}
