//! The provider of a cluster, before an API server that does what tests want.

use std::time::Duration;

use carnet_config::install::{KubernetesCluster, KubernetesCrd};
use carnet_config::routing::{RoutingConfig, Service};
use carnet_providers::kubernetes::cluster::ClusterProvider;
use carnet_providers::{Scope, Update};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

mod ingress;
mod server;

use server::Server;

const ROUTER: &str = "apps-whoami-d027988890c9025cffce";

const WHOAMI: &str = "apiVersion: v1
kind: Service
metadata: {name: whoami, namespace: apps}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: whoami-1, namespace: apps, labels: {kubernetes.io/service-name: whoami}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
ports: [{name: http, port: 8080}]
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: guard, namespace: apps}
spec:
  plugin:
    oAuthClientCredentials:
      url: http://tokens.example/token
      clientId: urn:k8s:secret:gateway:id
      clientSecret: urn:k8s:secret:gateway:secret
---
apiVersion: v1
kind: Secret
metadata: {name: gateway, namespace: apps}
data: {id: Z3c=, secret: czNjcjN0}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: whoami, namespace: apps}
spec:
  routes:
  - match: Host(`whoami.docker.localhost`)
    middlewares: [{name: guard}]
    services: [{name: whoami, port: 80}]";

struct Running {
    updates: mpsc::Receiver<Update>,
    /// What was told so far, and how much of it was told last.
    config: RoutingConfig,
    scope: Scope,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn start(server: &Server) -> Running {
    start_with(server, KubernetesCluster::default())
}

fn start_with(server: &Server, cluster: KubernetesCluster) -> Running {
    let (sender, updates) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let options = KubernetesCrd {
        cluster,
        ..KubernetesCrd::default()
    };
    let provider = ClusterProvider::crd(options, server.client());
    tokio::spawn(provider.run(sender, stop.clone()));
    Running::new(updates, stop)
}

impl Running {
    fn new(updates: mpsc::Receiver<Update>, stop: CancellationToken) -> Self {
        Self {
            updates,
            config: RoutingConfig::default(),
            scope: Scope::All,
            stop,
        }
    }

    /// All that is told once something was told.
    async fn next(&mut self) -> RoutingConfig {
        let update = self.updates.recv().await.unwrap();
        self.scope = update.scope;
        match update.scope {
            Scope::All => self.config = update.config,
            Scope::Services => self.config.services.extend(update.config.services),
        }
        self.config.clone()
    }

    /// Nothing is told, however long one waits.
    async fn is_silent(&mut self) -> bool {
        let long = Duration::from_secs(3600);
        timeout(long, self.updates.recv()).await.is_err()
    }

    /// The first configuration for which this holds.
    async fn until(&mut self, holds: impl Fn(&RoutingConfig) -> bool) -> RoutingConfig {
        loop {
            let config = self.next().await;
            if holds(&config) {
                return config;
            }
        }
    }
}

fn servers(config: &RoutingConfig) -> Vec<String> {
    let Some(Service::LoadBalancer(balancer)) = &config.services[ROUTER].value else {
        panic!("{:?}", config.services);
    };
    let servers = balancer.servers.iter();
    servers.map(|server| server.url.to_string()).collect()
}

fn is_guarded(config: &RoutingConfig) -> bool {
    config.routers[ROUTER].is_closed()
        || config.routers[ROUTER].value.as_ref().unwrap().middlewares == ["apps-guard"]
}

fn with_whoami() -> Server {
    let server = Server::new();
    server.apply(WHOAMI);
    server
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_before_every_kind_was_listed() {
    let server = with_whoami();
    server.refuse("Middleware", 500);
    let mut running = start(&server);
    assert!(running.is_silent().await);
    server.allow();
    let config = running.next().await;
    assert!(!config.routers[ROUTER].is_closed());
    assert!(!config.middlewares["apps-guard"].is_closed());
    assert_eq!(servers(&config), ["http://10.0.0.1:8080/"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_at_once_and_many_changes_twice_a_second() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    tokio::time::sleep(Duration::from_secs(10)).await;

    let began = Instant::now();
    server.delete("Middleware", "apps", "guard");
    assert!(running.next().await.routers[ROUTER].is_closed());
    assert!(
        began.elapsed() < Duration::from_millis(50),
        "{:?}",
        began.elapsed()
    );

    tokio::time::sleep(Duration::from_secs(10)).await;
    let changing = tokio::spawn(async move {
        for _ in 0..300 {
            server.apply(WHOAMI);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut told = 0;
    while timeout(Duration::from_secs(2), running.next())
        .await
        .is_ok()
    {
        told += 1;
    }
    changing.await.unwrap();
    assert!((6..=8).contains(&told), "{told} in 3 s");
}

// Holds F10.
#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_gone_changes_nothing_and_what_it_missed_is_told_when_it_is_back() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    server.refuse("", 503);
    server.cut();
    assert!(running.is_silent().await);
    server.apply(&WHOAMI.replace("10.0.0.1", "10.0.0.2"));
    assert!(running.is_silent().await);
    server.allow();
    let moved = |config: &RoutingConfig| servers(config) == ["http://10.0.0.2:8080/"];
    let back = Instant::now();
    running.until(moved).await;
    assert!(
        back.elapsed() <= Duration::from_secs(3),
        "{:?}",
        back.elapsed()
    );
}

// Holds K8-03, F10.
#[tokio::test(start_paused = true)]
async fn after_410_everything_is_listed_again_without_a_moment_of_fewer_routes() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    let lists = server.lists("Middleware");
    server.hang(true);
    server.forget();
    server.delete("EndpointSlice", "apps", "whoami-1");
    server.apply(
        &WHOAMI
            .replace("10.0.0.1", "10.0.0.3")
            .replace("whoami-1", "whoami-2"),
    );
    server.hang(false);
    loop {
        let config = running.next().await;
        assert!(is_guarded(&config));
        match servers(&config).as_slice() {
            [only] if only == "http://10.0.0.3:8080/" => break,
            _ => {}
        }
    }
    assert!(server.lists("Middleware") > lists);
    assert!(server.lists("Middleware") <= lists + 2);
}

// Holds K8-03.
#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_understood_leads_to_a_new_list_so_that_nothing_is_missed() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    let lists = server.lists("Middleware");
    server.say("Middleware", "{\"type\": \"DELETED\", \"object\": 7}");
    server.say("Middleware", "{\"type\": \"MODI");
    // A list of what is known is no news; it is told all the same, and merged away.
    running.next().await;
    assert!(server.lists("Middleware") > lists);
    server.delete("Middleware", "apps", "guard");
    running
        .until(|config| config.routers[ROUTER].is_closed())
        .await;
}

// Holds K8-03, F10.
#[tokio::test(start_paused = true)]
async fn watches_that_are_cut_every_three_seconds_miss_nothing_and_list_nothing_again() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    let lists = server.lists("EndpointSlice");
    for last in 1..=20_u8 {
        server.cut();
        let address = format!("10.0.1.{last}");
        server.apply(&WHOAMI.replace("10.0.0.1", &address));
        let expected = format!("http://{address}:8080/");
        let config = running
            .until(|config| servers(config) == [expected.as_str()])
            .await;
        assert!(is_guarded(&config));
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    assert_eq!(server.lists("EndpointSlice"), lists);
}

// Holds F11, HI-22.
#[tokio::test(start_paused = true)]
async fn whatever_is_deleted_a_guarded_route_is_guarded_or_closed() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    let doomed = [
        ("Secret", "gateway"),
        ("Middleware", "guard"),
        ("Service", "whoami"),
        ("EndpointSlice", "whoami-1"),
    ];
    for round in 0..10 {
        for (kind, name) in doomed {
            server.delete(kind, "apps", name);
            let config = running.next().await;
            assert!(is_guarded(&config), "{kind} in round {round}");
            server.apply(WHOAMI);
            running
                .until(|config| {
                    is_guarded(config)
                        && !config.routers[ROUTER].is_closed()
                        && config.middlewares["apps-guard"].served().is_some()
                })
                .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_may_not_be_read_or_is_not_known_keeps_nobody_waiting() {
    for status in [403, 404] {
        let server = with_whoami();
        server.refuse("Middleware", status);
        let mut running = start(&server);
        // Closed, and never open.
        assert!(running.next().await.routers[ROUTER].is_closed());
        server.allow();
        running
            .until(|config| !config.routers[ROUTER].is_closed())
            .await;
        // What was known stays known when the right is lost.
        server.refuse("Middleware", status);
        server.cut();
        assert!(running.is_silent().await);
    }
}

// Holds K8-04.
#[tokio::test(start_paused = true)]
async fn one_bad_object_among_fifty_harms_its_own_route_and_is_named() {
    let server = with_whoami();
    for number in 0..50 {
        let port = if number == 7 { "eighty" } else { "80" };
        server.apply(&format!(
            "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: many-{number}, namespace: apps}}
spec: {{routes: [{{match: Host(`h{number}`), services: [{{name: whoami, port: {port}}}]}}]}}"
        ));
    }
    let mut running = start(&server);
    let config = running.next().await;
    let closed: Vec<_> = config
        .routers
        .iter()
        .filter(|(_, router)| {
            let router = router.value.as_ref().unwrap();
            config.services[&router.service].is_closed()
        })
        .collect();
    assert_eq!(closed.len(), 1);
    let router = closed[0].1.value.as_ref().unwrap();
    let finding = &config.services[&router.service].diagnostics[0];
    assert_eq!(finding.object, "IngressRoute apps/many-7");
    assert_eq!(finding.key, "spec.routes[0].services[0].port");
}

#[tokio::test(start_paused = true)]
async fn only_the_configured_namespaces_are_asked_for() {
    let server = with_whoami();
    // Nobody may look everywhere.
    for kind in ["Service", "Secret", "Middleware", "IngressRoute"] {
        server.refuse(kind, 500);
    }
    let cluster = KubernetesCluster {
        namespaces: vec!["elsewhere".to_owned()],
        ..KubernetesCluster::default()
    };
    let mut running = start_with(&server, cluster);
    assert!(running.next().await.routers.is_empty());
}

// Holds OP-06: `get` by resourceNames is enough for Secrets.
#[tokio::test(start_paused = true)]
async fn secrets_that_may_not_be_listed_are_read_by_the_names_that_objects_use() {
    let server = with_whoami();
    server.refuse("Secret", 403);
    let mut running = start(&server);
    // Not told before the named ones were read.
    let config = running.next().await;
    assert!(config.middlewares["apps-guard"].served().is_some());

    let within = Duration::from_millis(2100);
    let began = Instant::now();
    server.delete("Secret", "apps", "gateway");
    let closed = |config: &RoutingConfig| config.middlewares["apps-guard"].is_closed();
    running.until(closed).await;
    assert!(began.elapsed() < within, "{:?}", began.elapsed());

    let began = Instant::now();
    server.apply(WHOAMI);
    running.until(|config| !closed(config)).await;
    assert!(began.elapsed() < within, "{:?}", began.elapsed());

    // Allowed after all: it goes on from the list.
    server.allow();
    tokio::time::sleep(Duration::from_secs(60)).await;
    server.delete("Secret", "apps", "gateway");
    running.until(closed).await;
}

#[tokio::test(start_paused = true)]
async fn endpoints_alone_change_services_alone() {
    let server = with_whoami();
    let mut running = start(&server);
    running.next().await;
    let slice = "apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: whoami-1, namespace: apps, labels: {kubernetes.io/service-name: whoami}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.2]}]
ports: [{name: http, port: 8080}]";
    server.apply(slice);
    let config = running.next().await;
    assert_eq!(running.scope, Scope::Services);
    assert_eq!(servers(&config), ["http://10.0.0.2:8080/"]);
    // Written again, it says the same.
    server.apply(slice);
    assert!(running.is_silent().await);
    server.delete("EndpointSlice", "apps", "whoami-1");
    assert!(servers(&running.next().await).is_empty());
    assert_eq!(running.scope, Scope::Services);
    server.delete("Middleware", "apps", "guard");
    assert!(running.next().await.routers[ROUTER].is_closed());
    assert_eq!(running.scope, Scope::All);
}
