//! `healthCheck`: servers that are asked how they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::{balancer, behind, get, named, texts, until, ups};
use crate::stand::Stand;

/// A backend that answers `/health` with a status, and its name else.
async fn moody(name: &'static str) -> (Server, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let server = Server::start(move |request| match request.target.as_str() {
        "/health" => Answer::text(told.load(Ordering::SeqCst), ""),
        _ => Answer::text(200, name),
    });
    (server.await.unwrap(), status)
}

const CHECKED: &str = "healthCheck: {path: /health, interval: 20ms, unhealthyInterval: 10ms}";

#[tokio::test]
async fn a_server_that_is_not_well_gets_no_requests_until_it_is() {
    let ((a, health), b) = (moody("a").await, moody("b").await.0);
    let stand = Stand::new(&behind(&[balancer("s", CHECKED, &[&a, &b])])).await;
    assert_eq!(texts(&stand, 2).await.concat(), "ab");
    health.store(500, Ordering::SeqCst);
    until(|| ups(&stand) == [false, true]).await;
    assert_eq!(texts(&stand, 3).await.concat(), "bbb");
    health.store(399, Ordering::SeqCst);
    until(|| ups(&stand) == [true, true]).await;
    let back = texts(&stand, 2).await;
    assert!(back.contains(&"a".to_owned()), "{back:?}");
}

#[tokio::test]
async fn a_service_whose_servers_are_all_down_answers_503_at_once() {
    let (a, health) = moody("a").await;
    let stand = Stand::new(&behind(&[balancer("s", CHECKED, &[&a])])).await;
    health.store(404, Ordering::SeqCst);
    until(|| ups(&stand) == [false]).await;
    let response = get(&stand).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (503, "no available server\n")
    );
}

#[tokio::test]
async fn what_is_known_of_a_server_survives_reloads_that_leave_it_alone() {
    let ((a, health), b) = (moody("a").await, moody("b").await.0);
    // Down is found out soon, and up never.
    let options = "healthCheck: {path: /health, interval: 10ms, unhealthyInterval: 1h}";
    let yaml = |servers: &[&Server]| behind(&[balancer("s", options, servers)]);
    let stand = Stand::new(&yaml(&[&a])).await;
    health.store(500, Ordering::SeqCst);
    until(|| ups(&stand) == [false]).await;
    stand.apply(&yaml(&[&a, &b]));
    assert_eq!(ups(&stand), [false, true]);
    stand.apply(&yaml(&[&b, &a]));
    assert_eq!(ups(&stand), [true, false]);
    // Asked otherwise, it is another one.
    stand.apply(&yaml(&[&b, &a]).replace("/health", "/other"));
    assert_eq!(ups(&stand), [true, true]);
}

#[tokio::test]
async fn a_server_that_is_gone_is_asked_no_more() {
    let (a, _) = moody("a").await;
    let stand = Stand::new(&behind(&[balancer("s", CHECKED, &[&a])])).await;
    a.asked(2).await;
    let b = moody("b").await.0;
    stand.apply(&behind(&[balancer("s", CHECKED, &[&b])]));
    b.asked(1).await;
    let asked = a.count();
    b.asked(20).await;
    assert_eq!(a.count(), asked);
}

#[tokio::test]
async fn all_options_are_in_the_question() {
    let a = Server::start(|_| Answer::text(204, "")).await.unwrap();
    let port = a.address().port();
    let options = format!(
        "healthCheck: {{path: '/health?x=1', method: HEAD, status: 204, interval: 10ms, \
         timeout: 1s, port: {port}, hostname: h.test, scheme: http, headers: {{X-A: b}}}}"
    );
    let service =
        format!("s: {{loadBalancer: {{servers: [{{url: 'h2c://127.0.0.1:1'}}], {options}}}}}");
    let stand = Stand::new(&behind(&[service])).await;
    a.asked(1).await;
    let asked = a.seen().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.target.as_str()),
        ("HEAD", "/health?x=1")
    );
    assert_eq!(asked.headers.only("Host"), Some("h.test"));
    assert_eq!(asked.headers.only("X-A"), Some("b"));
    assert_eq!(ups(&stand), [true]);
}

#[tokio::test]
async fn redirections_are_followed_unless_told_otherwise() {
    let target = Server::start(|_| Answer::text(500, "")).await.unwrap();
    let location = target.url("/elsewhere");
    let a = Server::start(move |_| Answer::text(302, "").with("Location", &location));
    let a = a.await.unwrap();
    let yaml = |follow: bool| {
        let options = format!(
            "healthCheck: {{path: /, interval: 10ms, followRedirects: {follow}, \
             headers: {{Authorization: CANARY}}}}"
        );
        behind(&[balancer("s", &options, &[&a])])
    };
    let stand = Stand::new(&yaml(true)).await;
    until(|| ups(&stand) == [false]).await;
    let asked = target.seen().remove(0);
    assert_eq!(asked.target, "/elsewhere");
    assert!(asked.headers.all("Authorization").is_empty());
    stand.apply(&yaml(false));
    a.asked(a.count() + 2).await;
    assert_eq!(ups(&stand), [true]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_down() {
    let a = named("a").await;
    a.hold();
    let options = "healthCheck: {path: /, interval: 10ms, timeout: 20ms}";
    let stand = Stand::new(&behind(&[balancer("s", options, &[&a])])).await;
    until(|| ups(&stand) == [false]).await;
}

/// A gRPC server that answers every call by a health status.
async fn grpc(serving: Arc<AtomicU16>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let serving = Arc::clone(&serving);
            let answer = hyper::service::service_fn(move |request: http::Request<_>| {
                assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                let status = u8::try_from(serving.load(Ordering::SeqCst)).unwrap();
                let message = Full::new(Bytes::from(vec![0, 0, 0, 0, 2, 8, status]));
                let trailers = http::HeaderMap::from_iter([(
                    http::HeaderName::from_static("grpc-status"),
                    http::HeaderValue::from_static("0"),
                )]);
                let _: hyper::body::Incoming = request.into_body();
                let body = message.with_trailers(async { Some(Ok(trailers)) });
                async { Ok::<_, std::convert::Infallible>(http::Response::new(body)) }
            });
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer),
            );
        }
    });
    url
}

#[tokio::test]
async fn grpc_servers_are_asked_by_their_own_protocol() {
    let serving = Arc::new(AtomicU16::new(2));
    let url = grpc(Arc::clone(&serving)).await;
    let service = format!(
        "s: {{loadBalancer: {{servers: [{{url: '{url}'}}], healthCheck: {{mode: grpc, interval: 10ms}}}}}}"
    );
    let stand = Stand::new(&behind(&[service])).await;
    until(|| ups(&stand) == [false]).await;
    serving.store(1, Ordering::SeqCst);
    until(|| ups(&stand) == [true]).await;
}
