//! Answers of the gateway's own: bodies and headers byte for byte.

use std::net::TcpListener;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use crate::stand::{Plan, Stand, routes};

/// An address at which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Status, body and the headers but `Date`, `Connection` and the length.
async fn answer(stand: &Stand, head: &str) -> (u16, String, String) {
    let response = stand.ask(head).await;
    let mut headers: Vec<String> = Vec::new();
    for (name, value) in &response.headers.0 {
        if !["Date", "Connection", "Content-Length"].contains(&name.as_str()) {
            headers.push(format!("{name}: {value}"));
        }
    }
    headers.sort();
    (response.status, response.text(), headers.join("; "))
}

fn expected(status: u16, body: &str, headers: &str) -> (u16, String, String) {
    (status, body.to_owned(), headers.to_owned())
}

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8; X-Content-Type-Options: nosniff";

#[tokio::test]
async fn no_route_is_gos_404() {
    let stand = Stand::new("http: {}").await;
    let got = answer(&stand, "GET / HTTP/1.1\nHost: a").await;
    assert_eq!(got, expected(404, "404 page not found\n", PLAIN));
}

// Holds HT-24.
#[tokio::test]
async fn an_answer_that_waits_for_no_body_closes_the_connection() {
    let stand = Stand::new("http: {}").await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    let response = stand.send(head).await;
    assert_eq!(response.status, 404);
    assert_eq!(response.headers.only("Connection"), Some("close"));
}

#[tokio::test]
async fn a_backend_that_refuses_is_a_bare_502() {
    let stand = Stand::new(&routes(&["Host(`a`)"], &closed())).await;
    let got = answer(&stand, "GET / HTTP/1.1\nHost: a").await;
    assert_eq!(got, expected(502, "Bad Gateway", ""));
}

#[tokio::test]
async fn a_backend_that_does_not_resolve_is_a_bare_502() {
    let stand = Stand::new(&routes(&["Host(`a`)"], "http://nobody.invalid:80")).await;
    let got = answer(&stand, "GET / HTTP/1.1\nHost: a").await;
    assert_eq!(got, expected(502, "Bad Gateway", ""));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_begins_no_answer_in_time_is_a_bare_504() {
    let backend = Server::start(|_| Answer::Hang).await.unwrap();
    let mut yaml = routes(&["Host(`a`)"], &backend.url(""));
    yaml += "        serversTransport: slow\n  serversTransports:\n    slow:\n";
    yaml += "      forwardingTimeouts:\n        responseHeaderTimeout: 10s\n";
    let stand = Stand::new(&yaml).await;
    let got = answer(&stand, "GET / HTTP/1.1\nHost: a").await;
    assert_eq!(got, expected(504, "Gateway Timeout", ""));
}

#[tokio::test]
async fn a_service_without_servers_is_503_with_words() {
    let yaml = "http: {routers: {r: {rule: 'Host(`a`)', service: s}}, services: {s: {loadBalancer: {servers: []}}}}";
    let stand = Stand::new(yaml).await;
    let got = answer(&stand, "GET / HTTP/1.1\nHost: a").await;
    assert_eq!(got, expected(503, "no available server\n", PLAIN));
}

// Holds HI-22.
#[tokio::test]
async fn a_router_that_lacks_something_keeps_its_place_and_answers_503() {
    let yaml = "
http:
  routers:
    guarded: {rule: 'Host(`a`)', service: s, middlewares: [gone]}
    lost: {rule: 'Host(`b`)', service: gone}
    wide: {rule: 'PathPrefix(`/`)', service: s, priority: 1}
  services:
    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
";
    let stand = Stand::new(yaml).await;
    for host in ["a", "b"] {
        let got = answer(&stand, &format!("GET / HTTP/1.1\nHost: {host}")).await;
        assert_eq!(got, expected(503, "Service Unavailable", ""), "{host}");
    }
}

// Holds HT-17.
#[tokio::test]
async fn connect_is_not_implemented() {
    let stand = Stand::new("http: {}").await;
    let got = answer(&stand, "CONNECT host:443 HTTP/1.1\nHost: host:443").await;
    assert_eq!(got, expected(501, "", ""));
}

// Holds HT-18.
#[tokio::test]
async fn trace_is_not_allowed() {
    let stand = Stand::new(&routes(&["Host(`a`)"], &closed())).await;
    let head = "TRACE / HTTP/1.1\nHost: a\nAuthorization: Basic eA==";
    assert_eq!(answer(&stand, head).await, expected(405, "", ""));
}

// Holds HT-18.
#[tokio::test]
async fn an_asterisk_is_for_options_only() {
    let stand = Stand::new("http: {}").await;
    assert_eq!(
        answer(&stand, "OPTIONS * HTTP/1.1\nHost: a").await,
        expected(200, "", "")
    );
    assert_eq!(answer(&stand, "GET * HTTP/1.1\nHost: a").await.0, 400);
}

#[tokio::test]
async fn too_large_a_head_is_431() {
    let mut plan = Plan::default();
    plan.entry_point.max_header_bytes = 20_000;
    let stand = Stand::planned(plan, "http: {}").await;
    let head = |size| format!("GET / HTTP/1.1\nHost: a\nX: {}", "x".repeat(size));
    assert_eq!(stand.ask(&head(10_000)).await.status, 404);
    assert_eq!(stand.ask(&head(40_000)).await.status, 431);
}

// Holds DO-01.
#[tokio::test]
async fn too_many_fields_are_431() {
    let stand = Stand::new("http: {}").await;
    let head = format!("GET / HTTP/1.1\nHost: a{}", "\nX: y".repeat(120));
    assert_eq!(stand.ask(&head).await.status, 431);
}

#[tokio::test]
async fn noop_is_a_teapot() {
    let yaml = "http: {routers: {r: {rule: 'Host(`a`)', service: noop@internal}}}";
    let stand = Stand::new(yaml).await;
    assert_eq!(stand.ask("GET / HTTP/1.1\nHost: a").await.status, 418);
}
