//! Services made of services.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use super::{balancer, behind, get, named, texts, until, ups};
use crate::stand::Stand;

const CHECKED: &str = "healthCheck: {path: /, interval: 20ms, timeout: 5s}";

/// A backend that is not well.
async fn ill() -> Server {
    Server::start(|_| Answer::text(500, "ill")).await.unwrap()
}

#[tokio::test]
async fn weighted_services_share_requests() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[
        "s: {weighted: {services: [{name: x, weight: 2}, {name: y}, {name: z, weight: 0}]}}"
            .to_owned(),
        balancer("x", "", &[&a]),
        balancer("y", "", &[&b]),
        balancer("z", "", &[]),
    ]))
    .await;
    assert_eq!(texts(&stand, 6).await.concat(), "abaaba");
}

#[tokio::test]
async fn the_highest_random_weight_is_the_clients() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[
        "s: {highestRandomWeight: {services: [{name: x}, {name: y}]}}".to_owned(),
        balancer("x", "", &[&a]),
        balancer("y", "", &[&b]),
    ]))
    .await;
    let texts = texts(&stand, 6).await;
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[tokio::test]
async fn a_service_that_is_down_is_passed_over_where_health_counts() {
    let (a, b) = (ill().await, named("b").await);
    let yaml = |health: &str| {
        behind(&[
            format!("s: {{weighted: {{services: [{{name: x}}, {{name: y}}]{health}}}}}"),
            balancer("x", CHECKED, &[&a]),
            balancer("y", CHECKED, &[&b]),
        ])
    };
    let stand = Stand::new(&yaml(", healthCheck: {}")).await;
    until(|| !stand.gateway.server_status("x@file")[0].is_up).await;
    assert_eq!(texts(&stand, 4).await.concat(), "bbbb");
    // Without it every service has its turn, down or not.
    stand.apply(&yaml(""));
    let statuses = [get(&stand).await.status, get(&stand).await.status];
    assert_eq!(statuses, [503, 200]);
}

#[tokio::test]
async fn health_that_nobody_checks_closes_the_service() {
    let a = named("a").await;
    let stand = Stand::new("http: {}").await;
    for (service, message) in [
        (
            "weighted: {services: [{name: x}], healthCheck: {}}",
            "its service `x@file` has no healthCheck",
        ),
        (
            "failover: {service: x, fallback: x}",
            "its service `x@file` has no healthCheck, and it names no `errors`",
        ),
    ] {
        let findings = stand.apply(&behind(&[
            format!("s: {{{service}}}"),
            balancer("x", "", &[&a]),
        ]));
        let is_told = findings
            .iter()
            .any(|finding| finding.message.contains(message));
        assert!(is_told, "{findings:?}");
        assert_eq!(get(&stand).await.status, 503);
    }
}

#[tokio::test]
async fn a_fallback_answers_while_the_service_is_down() {
    let (a, b) = (ill().await, named("b").await);
    let stand = Stand::new(
        &behind(&[
            "t: {failover: {service: s, fallback: y}}".to_owned(),
            balancer("s", CHECKED, &[&a]),
            balancer("y", "", &[&b]),
        ])
        .replace("service: s}}", "service: t}}"),
    )
    .await;
    until(|| ups(&stand) == [false]).await;
    assert_eq!(texts(&stand, 2).await.concat(), "bb");
}

#[tokio::test]
async fn a_fallback_gets_the_whole_request_after_an_error() {
    let main = Server::start(|_| Answer::text(503, "no")).await.unwrap();
    let fallback = Server::start(|request| Answer::Response {
        status: 200,
        headers: vec![],
        body: request.body.clone(),
    })
    .await
    .unwrap();
    let yaml = |limit: &str| {
        behind(&[
            format!(
                "s: {{failover: {{service: x, fallback: y, errors: {{status: ['500-504']{limit}}}}}}}"
            ),
            balancer("x", "", &[&main]),
            balancer("y", "", &[&fallback]),
        ])
    };
    let stand = Stand::new(&yaml("")).await;
    let post = |body: &str| {
        let length = body.len();
        format!(
            "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let response = stand.send(&post("hello")).await;
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
    assert_eq!(main.seen()[0].body, b"hello");
    assert_eq!(fallback.seen()[0].target, "/x");

    // What is too large to keep is streamed, and its answer stands.
    let large = stand.send(&post(&"x".repeat(2_000_000))).await;
    assert_eq!((large.status, main.seen()[1].body.len()), (503, 2_000_000));
    stand.apply(&yaml(", maxRequestBodyBytes: 4"));
    let refused = stand.send(&post("hello")).await;
    assert_eq!((refused.status, main.count()), (413, 2));
}

#[tokio::test]
async fn a_fallback_answers_for_a_server_that_is_not_there() {
    let b = named("b").await;
    let stand = Stand::new(&behind(&[
        "s: {failover: {service: x, fallback: y, errors: {status: [502]}}}".to_owned(),
        "x: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}".to_owned(),
        balancer("y", "", &[&b]),
    ]))
    .await;
    assert_eq!(get(&stand).await.text(), "b");
}

/// A document with middlewares beside the services.
fn with_middlewares(services: &[String]) -> String {
    let added = "{headers: {customRequestHeaders: {X-A: '1'}}}";
    let closed = "{ipAllowList: {sourceRange: [10.0.0.1]}}";
    behind(services) + &format!("  middlewares: {{add: {added}, closed: {closed}}}\n")
}

#[tokio::test]
async fn whatever_leads_to_a_service_passes_its_middlewares() {
    let (guarded, open) = (named("a").await, named("b").await);
    let stand = Stand::new(&with_middlewares(&[
        "s: {weighted: {services: [{name: x}, {name: y}]}}".to_owned(),
        balancer("x", "", &[&guarded]).replacen('{', "{middlewares: [add], ", 1),
        balancer("y", "", &[&open]),
    ]))
    .await;
    assert_eq!(texts(&stand, 4).await.concat(), "abab");
    for (server, told) in [(&guarded, Some("1")), (&open, None)] {
        assert_eq!(server.seen()[0].headers.only("x-a"), told);
    }
    // The servers are still those of the service.
    assert_eq!(stand.gateway.server_status("x@file").len(), 1);
}

#[tokio::test]
async fn a_service_without_its_middleware_answers_nobody() {
    let server = named("a").await;
    let with = |middlewares: &str| {
        let guarded = format!("{{middlewares: [{middlewares}], ");
        let service = balancer("s", "", &[&server]).replacen('{', &guarded, 1);
        with_middlewares(&[service])
    };
    let stand = Stand::new(&with("nobody")).await;
    assert_eq!(get(&stand).await.status, 503);
    let findings = stand.apply(&with("add, ad"));
    let text = findings[0].to_string();
    assert!(
        text.contains("middleware `ad@file` does not exist"),
        "{text}"
    );
    assert_eq!(get(&stand).await.status, 503);
    stand.apply(&with("add, closed"));
    assert_eq!(get(&stand).await.status, 403);
    assert_eq!(server.count(), 0);
    stand.apply(&with("add"));
    assert_eq!(get(&stand).await.text(), "a");
}
