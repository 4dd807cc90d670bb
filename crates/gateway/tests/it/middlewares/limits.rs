//! How many may pass, and how large what they bring may be.

use std::net::TcpListener;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use super::{Guarded, document, seen};
use crate::stand::Stand;

/// A source that nobody else is.
fn from(address: &str) -> String {
    format!("\nX-Source: {address}")
}

#[tokio::test]
async fn who_comes_too_often_is_told_when_to_come_again_and_others_pass() {
    let by_header = "{rateLimit: {average: 1, period: 1h, burst: 2, \
                     sourceCriterion: {requestHeaderName: X-Source}}}";
    let gateway = Guarded::by(&[by_header]).await;
    for status in [200, 200, 429, 429] {
        assert_eq!(gateway.status(&from("a")).await, status);
    }
    assert_eq!(gateway.status(&from("b")).await, 200);
    let head = format!("GET / HTTP/1.1\nHost: a.test{}", from("a"));
    let refused = gateway.ask(&head).await;
    assert_eq!(refused.text(), "Too Many Requests");
    let after: u64 = refused
        .headers
        .only("retry-after")
        .unwrap()
        .parse()
        .unwrap();
    assert!((3590..=3600).contains(&after), "{after}");
    let exactly = refused.headers.only("x-retry-in").unwrap();
    assert!(
        exactly.starts_with("59m") || exactly == "1h0m0s",
        "{exactly}"
    );
}

#[tokio::test]
async fn addresses_are_the_connections_own_unless_a_proxy_is_trusted() {
    let gateway = Guarded::by(&["{rateLimit: {average: 1, period: 1h}}"]).await;
    assert_eq!(gateway.status("\nX-Forwarded-For: 10.0.0.1").await, 200);
    for forged in ["X-Forwarded-For", "X_Forwarded_For", "X-Real-Ip"] {
        let forged = format!("\n{forged}: 10.0.0.2");
        assert_eq!(gateway.status(&forged).await, 429, "{forged}");
    }
}

#[tokio::test]
async fn a_limit_of_zero_limits_nothing_and_a_bad_one_closes_its_routers() {
    for (options, status) in [
        ("{rateLimit: {}}", 200),
        ("{rateLimit: {average: 0, burst: 1}}", 200),
        ("{rateLimit: {average: -1}}", 503),
        ("{rateLimit: {average: 1, period: soon}}", 503),
        (
            "{rateLimit: {average: 1, sourceCriterion: {requestHost: true, requestHeaderName: a}}}",
            503,
        ),
        (
            "{rateLimit: {average: 1, redis: {endpoints: [nowhere]}}}",
            503,
        ),
    ] {
        let gateway = Guarded::by(&[options]).await;
        for _ in 0..3 {
            assert_eq!(gateway.status("").await, status, "{options}");
        }
    }
}

// Holds F09.
#[tokio::test]
async fn without_redis_each_gateway_counts_by_itself_or_denies_as_it_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let limit = |more: &str| {
        format!(
            "{{rateLimit: {{average: 1, period: 1h, redis: {{endpoints: ['{address}']{more}}}}}}}"
        )
    };
    let gateway = Guarded::by(&[&limit("")]).await;
    assert_eq!(gateway.status("").await, 200);
    assert_eq!(gateway.status("").await, 429);
    let gateway = Guarded::by(&[&limit(", denyOnError: true")]).await;
    let denied = gateway.ask("GET / HTTP/1.1\nHost: a.test").await;
    assert_eq!(denied.status, 500);
    assert_eq!(denied.text(), "Could not insert/update bucket\n");
}

#[tokio::test]
async fn a_body_is_read_to_its_end_before_it_goes_on_and_a_larger_one_does_not() {
    let gateway = Guarded::by(&["{buffering: {maxRequestBodyBytes: 5}}"]).await;
    let chunked = "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\
                   Transfer-Encoding: chunked\r\n\r\n";
    let response = gateway
        .stand
        .send(&format!("{chunked}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"))
        .await;
    assert_eq!(response.status, 200);
    // Its length is known now.
    assert_eq!(seen(&response, "Content-Length").as_deref(), Some("5"));
    assert_eq!(seen(&response, "Transfer-Encoding"), None);
    assert!(response.text().ends_with("hello"), "{}", response.text());
    for too_large in [
        "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello!",
        &format!("{chunked}6\r\nhello!\r\n0\r\n\r\n"),
    ] {
        let refused = gateway.stand.send(too_large).await;
        assert_eq!(refused.status, 413);
        assert_eq!(refused.text(), "Request Entity Too Large");
    }
}

#[tokio::test]
async fn a_streamed_body_is_limited_too() {
    let options = "{buffering: {maxRequestBodyBytes: 5, disableRequestBuffer: true}}";
    let gateway = Guarded::by(&[options]).await;
    for (chunks, status) in [
        ("5\r\nhello\r\n0\r\n\r\n", 200),
        ("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 413),
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\
             \r\n\r\n{chunks}"
        );
        assert_eq!(gateway.stand.send(&request).await.status, status);
    }
}

#[tokio::test]
async fn a_larger_answer_becomes_a_failure_and_a_smaller_one_is_whole() {
    let backend = Server::start(|request| match request.target.as_str() {
        "/small" => Answer::text(200, "hello").with("X-A", "b"),
        _ => Answer::text(200, "hello!"),
    });
    let backend = backend.await.unwrap();
    for (more, status) in [("", 500), (", disableResponseBuffer: true", 500)] {
        // What says its length is refused by it, streamed or not.
        let options = format!("{{buffering: {{maxResponseBodyBytes: 5{more}}}}}");
        let stand = Stand::new(&document(&[&options], &backend.url(""))).await;
        let small = stand.ask("GET /small HTTP/1.1\nHost: a.test").await;
        assert_eq!((small.status, small.text().as_str()), (200, "hello"));
        assert_eq!(small.headers.only("x-a"), Some("b"));
        let large = stand.ask("GET /large HTTP/1.1\nHost: a.test").await;
        assert_eq!(large.status, status, "{more}");
    }
}
