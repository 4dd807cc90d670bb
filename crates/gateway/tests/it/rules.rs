//! Which route a request finds.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use crate::stand::{Stand, routes};

/// Whether a request is routed by a rule.
async fn is_routed(rule: &str, request: &str) -> bool {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = Stand::new(&routes(&[rule], &backend.url(""))).await;
    stand.ask(request).await.status == 200
}

/// Rule, request and whether they match.
const CASES: &[(&str, &str, bool)] = &[
    ("PathPrefix(`/api`)", "GET /apix HTTP/1.1\nHost: a", true),
    ("Path(`/a/b`)", "GET /a%2Fb HTTP/1.1\nHost: a", false),
    ("Path(`/foo bar`)", "GET /foo%20bar HTTP/1.1\nHost: a", true),
    ("Path(`/a/b`)", "GET /x/..//a/./%62 HTTP/1.1\nHost: a", true),
    ("Host(`A.test`)", "GET / HTTP/1.1\nHost: a.TEST.:80", true),
    (
        "Host(`*.a.test`)",
        "GET / HTTP/1.1\nHost: x.y.a.test",
        false,
    ),
    ("Host(`*.a.test`)", "GET / HTTP/1.1\nHost: x.a.test", true),
    (
        "HostRegexp(`^a\\.test$`)",
        "GET / HTTP/1.1\nHost: A.test:8000",
        true,
    ),
    ("Query(`q`)", "GET /?q HTTP/1.1\nHost: a", true),
    ("Query(`q`)", "GET /?q=1 HTTP/1.1\nHost: a", false),
    (
        "Query(`q`, `a b`)",
        "GET /?x=1;q=a+b HTTP/1.1\nHost: a",
        true,
    ),
    (
        "QueryRegexp(`q`, `^1`)",
        "GET /?q=0&q=12 HTTP/1.1\nHost: a",
        true,
    ),
    (
        "Header(`X-A`, `1`)",
        "GET / HTTP/1.1\nHost: a\nX-A: 1, 2",
        false,
    ),
    ("Method(`get`)", "GET / HTTP/1.1\nHost: a", true),
    ("Method(`POST`)", "GET / HTTP/1.1\nHost: a", false),
    ("Method(`get`)", "get / HTTP/1.1\nHost: a", false),
    ("Host(`::1`)", "GET / HTTP/1.1\nHost: [::1]", true),
    ("ClientIP(`127.0.0.0/8`)", "GET / HTTP/1.1\nHost: a", true),
    (
        "ClientIP(`10.0.0.0/8`)",
        "GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 10.0.0.1",
        false,
    ),
    (
        "!Host(`a`) || Method(`GET`) && Path(`/x`)",
        "POST /y HTTP/1.1\nHost: b",
        true,
    ),
    (
        "!Host(`a`) || Method(`GET`) && Path(`/x`)",
        "POST /x HTTP/1.1\nHost: a",
        false,
    ),
];

#[tokio::test]
async fn rules_match_as_traefiks() {
    for (rule, request, routed) in CASES {
        assert_eq!(
            is_routed(rule, request).await,
            *routed,
            "{rule} {request:?}"
        );
    }
}

// Holds HI-11, CVE-2026-31838, CVE-2026-26308.
#[tokio::test]
async fn a_header_condition_sees_every_value() {
    let request = "GET / HTTP/1.1\nHost: a\nX-Role: a\nX-Role: admin";
    assert!(is_routed("Header(`X-Role`, `admin`)", request).await);
    assert!(is_routed("HeaderRegexp(`X-Role`, `^adm`)", request).await);
}

#[tokio::test]
async fn the_higher_priority_wins_and_a_longer_rule_is_higher() {
    let backend =
        Server::start(|request| Answer::text(200, request.headers.only("Host").unwrap_or("")))
            .await
            .unwrap();
    let port = backend.address().port();
    let yaml = format!(
        "
http:
  routers:
    short: {{rule: 'PathPrefix(`/a`)', service: short}}
    long: {{rule: 'PathPrefix(`/a`) && Method(`GET`)', service: long}}
    first: {{rule: 'Path(`/a/first`)', service: first, priority: 1000}}
  services:
    short: {{loadBalancer: {{passHostHeader: false, servers: [{{url: 'http://127.0.0.1:{port}'}}]}}}}
    long: {{loadBalancer: {{passHostHeader: false, servers: [{{url: 'http://127.0.0.1:{port}/x'}}]}}}}
    first: {{loadBalancer: {{servers: []}}}}
"
    );
    let stand = Stand::new(&yaml).await;
    assert_eq!(
        stand.gateway.describe(),
        [
            "web 1000 first@file -> []",
            "web 33 long@file -> []",
            "web 16 short@file -> []",
        ]
    );
    assert_eq!(
        stand.ask("GET /a/first HTTP/1.1\nHost: a").await.status,
        503
    );
    assert_eq!(
        stand.ask("POST /a/second HTTP/1.1\nHost: a").await.status,
        200
    );
}
