//! What is counted, and what Prometheus reads of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use carnet_config::install::certificates_resolvers::Challenge;
use carnet_config::install::metrics::Prometheus;
use carnet_config::install::{Acme, Metrics};
use carnet_gateway::{CertificatesResolver, Storage};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use secrecy::SecretString;
use serde_json::json;

use crate::stand::{Plan, Stand, routes};
use crate::tls::{SERVER, SERVER_KEY};

fn plan(prometheus: Prometheus) -> Plan {
    Plan {
        metrics: Metrics {
            add_internals: false,
            prometheus: Some(Prometheus {
                entry_point: "web".to_owned(),
                ..prometheus
            }),
        },
        ..Plan::default()
    }
}

fn all() -> Prometheus {
    Prometheus {
        add_routers_labels: true,
        ..Prometheus::default()
    }
}

async fn scrape(stand: &Stand) -> String {
    stand.ask("GET /metrics HTTP/1.1\nHost: a").await.text()
}

/// The text once it holds the line: a request is counted a moment after its answer was read.
async fn scraped_until(stand: &Stand, line: &str) -> String {
    let mut last = String::new();
    let wait = async {
        loop {
            last = scrape(stand).await;
            if last.lines().any(|there| there == line) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(10), wait).await;
    assert!(outcome.is_ok(), "no line {line}\n{last}");
    last
}

#[tokio::test]
async fn requests_are_counted_by_entry_point_router_and_service_under_traefiks_names() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    let stand = Stand::planned(plan(all()), &routes(&["Host(`a`)"], &backend.url(""))).await;
    stand
        .ask("POST /x HTTP/1.1\nHost: a\nContent-Length: 0")
        .await;
    stand
        .send("POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    stand.ask("BREW / HTTP/1.1\nHost: nobody").await;
    let post = r#"code="200",method="POST",protocol="http""#;
    let brew = r#"code="404",method="EXTENSION_METHOD",protocol="http""#;
    let text = scraped_until(
        &stand,
        &format!(r#"traefik_entrypoint_requests_total{{{brew},entrypoint="web"}} 1"#),
    )
    .await;
    for (group, labels) in [
        ("entrypoint", r#"entrypoint="web""#),
        ("router", r#"router="r0@file",service="s@file""#),
        ("service", r#"service="s@file""#),
    ] {
        for line in [
            format!("# TYPE traefik_{group}_requests_total counter"),
            format!("# TYPE traefik_{group}_request_duration_seconds histogram"),
            format!("traefik_{group}_requests_total{{{post},{labels}}} 2"),
            format!("traefik_{group}_requests_bytes_total{{{post},{labels}}} 3"),
            format!("traefik_{group}_responses_bytes_total{{{post},{labels}}} 10"),
            format!("traefik_{group}_request_duration_seconds_count{{{post},{labels}}} 2"),
            format!(
                r#"traefik_{group}_request_duration_seconds_bucket{{le="5",{post},{labels}}} 2"#
            ),
            format!(
                r#"traefik_{group}_request_duration_seconds_bucket{{le="+Inf",{post},{labels}}} 2"#
            ),
        ] {
            assert!(text.lines().any(|there| there == line), "{line}\n{text}");
        }
    }
    for line in [
        r#"carnet_faults_total{reason="no_route"} 1"#,
        "# TYPE traefik_config_reloads_total counter",
        "traefik_config_reloads_total 1",
        "traefik_config_last_reload_success 1795694400",
        "carnet_config_errors 0",
        "carnet_config_current 1",
        r#"traefik_open_connections{entrypoint="web",protocol="TCP"} 1"#,
    ] {
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
    assert!(text.contains("traefik_tls_certs_not_after{cn=\"TRAEFIK DEFAULT CERT\","));
    // What the gateway itself answers does not count.
    assert!(!text.contains("prometheus@internal"), "{text}");
    assert!(!text.contains("# EOF"));
}

// Holds SE-07.
#[tokio::test]
async fn series_do_not_grow_with_what_clients_send() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let prometheus = Prometheus {
        header_labels: BTreeMap::from([("tenant".to_owned(), "X-Tenant".to_owned())]),
        ..all()
    };
    let url = backend.url("");
    let stand = Stand::planned(plan(prometheus), &routes(&["Host(`a`)"], &url)).await;
    for at in 0..150 {
        let head = format!("M{at} /p{at} HTTP/1.1\nHost: a\nX-Tenant: t{at}\nUser-Agent: u{at}");
        stand.ask(&head).await;
    }
    let labels = r#"code="200",method="EXTENSION_METHOD",protocol="http",service="s@file""#;
    let line = format!("traefik_service_requests_bytes_total{{{labels}}} 0");
    let other = format!("traefik_service_requests_total{{{labels},tenant=\"other\"}} 50");
    let text = scraped_until(&stand, &other).await;
    assert!(text.lines().any(|there| there == line), "{text}");
    let of_services = text
        .lines()
        .filter(|line| line.starts_with("traefik_service_requests_total"));
    assert_eq!(of_services.count(), 101);
    assert!(!text.contains("/p1") && !text.contains("M1"), "{text}");
}

#[tokio::test]
async fn series_of_what_is_gone_are_gone_and_the_others_go_on() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let url = backend.url("");
    let stand = Stand::planned(plan(all()), &routes(&["Host(`a`)", "Host(`b`)"], &url)).await;
    let router = |name: &str, count| {
        let kind = r#"code="200",method="GET",protocol="http""#;
        format!(
            "traefik_router_requests_total{{{kind},router=\"{name}@file\",service=\"s@file\"}} {count}"
        )
    };
    stand.ask("GET / HTTP/1.1\nHost: a").await;
    stand.ask("GET / HTTP/1.1\nHost: b").await;
    scraped_until(&stand, &router("r1", 1)).await;
    stand.apply(&routes(&["Host(`a`)"], &url));
    stand.ask("GET / HTTP/1.1\nHost: a").await;
    let text = scraped_until(&stand, &router("r0", 2)).await;
    assert!(!text.contains("r1@file"), "{text}");
}

#[tokio::test]
async fn a_router_may_say_that_its_requests_do_not_count() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let yaml = routes(&["Host(`a`)", "Host(`b`)"], &backend.url("")).replace(
        "rule: 'Host(`a`)'",
        "rule: 'Host(`a`)'\n      observability: {metrics: false}",
    );
    let stand = Stand::planned(plan(all()), &yaml).await;
    stand.ask("GET / HTTP/1.1\nHost: a").await;
    stand.ask("GET / HTTP/1.1\nHost: b").await;
    let kind = r#"code="200",method="GET",protocol="http""#;
    let line = format!("traefik_entrypoint_requests_total{{{kind},entrypoint=\"web\"}} 1");
    let text = scraped_until(&stand, &line).await;
    assert!(!text.contains("r0@file"), "{text}");
}

#[tokio::test]
async fn protocols_inside_of_http_are_told_apart() {
    let backend = Server::start(|_| Answer::text(200, "").with("Grpc-Status", "5"))
        .await
        .unwrap();
    let stand = Stand::planned(plan(all()), &routes(&["Host(`a`)"], &backend.url(""))).await;
    for (field, labels) in [
        (
            "Accept: text/event-stream",
            r#"code="200",method="GET",protocol="sse""#,
        ),
        (
            "Content-Type: application/grpc+proto",
            r#"code="5",method="GET",protocol="grpc""#,
        ),
        (
            "Content-Type: application/grpc-web",
            r#"code="5",method="GET",protocol="grpc-web""#,
        ),
    ] {
        stand
            .ask(&format!("GET / HTTP/1.1\nHost: a\n{field}"))
            .await;
        let line = format!("traefik_entrypoint_requests_total{{{labels},entrypoint=\"web\"}} 1");
        scraped_until(&stand, &line).await;
    }
}

#[tokio::test]
async fn a_router_may_lead_to_the_counts() {
    let mut plan = plan(all());
    if let Some(prometheus) = &mut plan.metrics.prometheus {
        prometheus.manual_routing = true;
    }
    let yaml = "http: {routers: {m: {rule: 'Path(`/m`)', service: prometheus@internal}}}";
    let stand = Stand::planned(plan, yaml).await;
    assert_eq!(
        stand.ask("GET /metrics HTTP/1.1\nHost: a").await.status,
        404
    );
    let answer = stand.ask("GET /m HTTP/1.1\nHost: a").await;
    assert_eq!(answer.status, 200);
    let content = answer.headers.only("content-type");
    assert_eq!(content, Some("text/plain; version=0.0.4; charset=utf-8"));
}

#[tokio::test]
async fn the_middlewares_of_an_entry_point_stand_before_its_counts() {
    let mut plan = plan(all());
    plan.entry_point.middlewares = vec!["gone@file".to_owned()];
    let stand = Stand::planned(plan, "http: {}").await;
    assert_eq!(
        stand.ask("GET /metrics HTTP/1.1\nHost: a").await.status,
        503
    );
}

/// The names in back-quotes that begin so.
fn named<'a>(page: &'a str, starts: &[&str]) -> BTreeSet<&'a str> {
    let names = page.split('`').skip(1).step_by(2);
    names
        .filter(|name| starts.iter().any(|start| name.starts_with(start)))
        .collect()
}

#[tokio::test]
async fn the_reference_names_every_count_and_no_other() {
    let page = include_str!("../../../../docs/reference/observability.md");
    let stand = Stand::planned(plan(all()), "http: {}").await;
    let text = scrape(&stand).await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let counted: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(counted, named(page, &["traefik_", "carnet_"]));
}

// Holds SE-07.
#[tokio::test]
async fn servers_that_give_tokens_have_their_counts_and_clients_have_none() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    let provider = Server::start(|_| carnet_testkit::token_endpoint::granted("t", Some(60)));
    let provider = provider.await.unwrap();
    let document = format!(
        "
http:
  routers: {{r: {{rule: Host(`a`), service: s, middlewares: [creds]}}}}
  services: {{s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}}}
  middlewares:
    creds: {{plugin: {{oAuthClientCredentials: {{url: '{}/token'}}}}}}
",
        backend.url(""),
        provider.url("")
    );
    let stand = Stand::planned(plan(all()), &document).await;
    // `a:b`, then `b:b`, then `a:b` once more.
    for pair in ["YTpi", "Yjpi", "YTpi"] {
        let request = format!("GET / HTTP/1.1\nHost: a\nAuthorization: Basic {pair}");
        assert_eq!(stand.ask(&request).await.status, 200);
    }
    let text = scrape(&stand).await;
    let label = format!("{{provider=\"{}\"}}", provider.url(""));
    for (name, value) in [("requests", 3), ("calls", 2), ("hits", 1), ("saved", 1)] {
        let line = format!("carnet_token_{name}_total{label} {value}");
        assert!(text.lines().any(|there| there == line), "{line}\n{text}");
    }
    let own = text
        .lines()
        .filter(|line| line.starts_with("carnet_token_"));
    assert_eq!(own.count(), 17);
}

/// An `acme.json` in which a certificate is.
#[derive(Debug)]
struct Kept;

impl Storage for Kept {
    fn read(&self) -> Result<Option<SecretString>, String> {
        use base64::Engine;
        let text = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
        let (certificate, key) = (text(SERVER), text(SERVER_KEY));
        let domain = json!({"main": "backend.test"});
        let kept = json!({"domain": domain, "certificate": certificate, "key": key});
        let file = json!({"le": {"Certificates": [kept]}}).to_string();
        Ok(Some(file.into()))
    }

    fn write(&self, _: &SecretString) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn the_ends_of_certificates_of_authorities_are_told_too() {
    let resolver = CertificatesResolver {
        acme: Acme::new(Challenge::Tls),
        authorities: Vec::new(),
        storage: Arc::new(Kept),
    };
    let plan = Plan {
        certificates_resolvers: BTreeMap::from([("le".to_owned(), resolver)]),
        ..plan(all())
    };
    let stand = Stand::planned(plan, &routes(&["Host(`a`)"], "http://127.0.0.1:1")).await;
    let text = scrape(&stand).await;
    let lines = text.lines();
    let told = lines.filter(|line| line.starts_with("traefik_tls_certs_not_after{"));
    let told: Vec<_> = told.filter(|line| line.contains("backend.test")).collect();
    assert_eq!(told.len(), 1, "{text}");
}
