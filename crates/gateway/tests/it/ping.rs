//! What load balancers and orchestrators are told.

use carnet_config::install::Ping;

use crate::stand::{Plan, Stand, Written, config, options};

fn pinging() -> Plan {
    Plan {
        ping: Some(Ping {
            entry_point: "web".to_owned(),
            ..Ping::default()
        }),
        ..Plan::default()
    }
}

#[tokio::test]
async fn ping_is_not_found_before_the_first_configuration() {
    let stand = Stand::unconfigured(pinging());
    let status = async |path: &str| {
        let head = format!("GET {path} HTTP/1.1\nHost: a");
        stand.ask(&head).await.status
    };
    assert_eq!(status("/ping").await, 404);
    assert_eq!(status("/livez").await, 200);
    stand.apply("http: {}");
    assert_eq!(status("/ping").await, 200);
}

#[tokio::test]
async fn ping_says_ok_before_any_route() {
    let yaml = "http: {routers: {r: {rule: 'PathPrefix(`/`)', service: gone, priority: 100000}}}";
    let stand = Stand::planned(pinging(), yaml).await;
    for path in ["/ping", "/livez", "/readyz"] {
        let response = stand.ask(&format!("GET {path} HTTP/1.1\nHost: a")).await;
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "OK"),
            "{path}"
        );
    }
    assert_eq!(stand.ask("GET /other HTTP/1.1\nHost: a").await.status, 503);
}

// Holds OP-09.
#[tokio::test]
async fn readiness_says_what_it_waits_for() {
    let gateway = carnet_gateway::Gateway::new(options(pinging(), &Written::default()));
    let waiting = gateway.readiness().reasons();
    assert!(waiting.contains_key("configuration"), "{waiting:?}");
    gateway.apply(&config("http: {}"));
    assert!(gateway.readiness().reasons().is_empty());

    let stand = Stand::planned(pinging(), "http: {}").await;
    let readiness = stand.gateway.readiness();
    readiness.hold("file", "routes.yaml cannot be read");
    let response = stand.ask("GET /readyz HTTP/1.1\nHost: a").await;
    assert_eq!(response.status, 503);
    assert!(
        response.text().contains("routes.yaml cannot be read"),
        "{}",
        response.text()
    );
    assert_eq!(stand.ask("GET /livez HTTP/1.1\nHost: a").await.status, 200);
    readiness.release("file");
    assert_eq!(stand.ask("GET /readyz HTTP/1.1\nHost: a").await.status, 200);
}

#[tokio::test]
async fn manual_routing_needs_a_router() {
    let mut plan = pinging();
    if let Some(ping) = &mut plan.ping {
        ping.manual_routing = true;
    }
    let yaml = "http: {routers: {r: {rule: 'Host(`p`)', service: ping@internal}}}";
    let stand = Stand::planned(plan, yaml).await;
    assert_eq!(stand.ask("GET /ping HTTP/1.1\nHost: a").await.status, 404);
    assert_eq!(stand.ask("GET /ping HTTP/1.1\nHost: p").await.status, 200);
}
