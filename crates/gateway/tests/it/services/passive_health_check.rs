//! `passiveHealthCheck`: servers that are judged by their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use super::{balancer, behind, get, named, texts, until, ups};
use crate::stand::Stand;

async fn of_status(status: &Arc<AtomicU16>) -> Server {
    let status = Arc::clone(status);
    Server::start(move |_| Answer::text(status.load(Ordering::SeqCst), "a"))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_server_with_too_many_failures_in_a_row_is_left_alone_for_a_while() {
    let status = Arc::new(AtomicU16::new(500));
    let (a, b) = (of_status(&status).await, named("b").await);
    let options = "passiveHealthCheck: {failureWindow: 1s, maxFailedAttempts: 2}";
    let stand = Stand::new(&behind(&[balancer("s", options, &[&a, &b])])).await;
    assert_eq!(texts(&stand, 6).await.concat(), "ababbb");
    assert_eq!(ups(&stand), [false, true]);
    status.store(200, Ordering::SeqCst);
    until(|| ups(&stand) == [true, true]).await;
    assert_eq!(
        texts(&stand, 4)
            .await
            .iter()
            .filter(|text| *text == "a")
            .count(),
        2
    );
}

#[tokio::test]
async fn a_good_answer_forgives_what_was_before() {
    let status = Arc::new(AtomicU16::new(500));
    let a = of_status(&status).await;
    let options = "passiveHealthCheck: {failureWindow: 1h, maxFailedAttempts: 2}";
    let stand = Stand::new(&behind(&[balancer("s", options, &[&a])])).await;
    for given in [500, 404, 500, 200, 500] {
        status.store(given, Ordering::SeqCst);
        assert_eq!(get(&stand).await.status, given);
    }
    assert_eq!(ups(&stand), [true]);
    status.store(502, Ordering::SeqCst);
    get(&stand).await;
    assert_eq!((ups(&stand), get(&stand).await.status), (vec![false], 503));
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_too() {
    let b = named("b").await;
    let service = format!(
        "s: {{loadBalancer: {{passiveHealthCheck: {{failureWindow: 1h}}, \
         servers: [{{url: 'http://127.0.0.1:1'}}, {{url: '{}'}}]}}}}",
        b.url("")
    );
    let stand = Stand::new(&behind(&[service])).await;
    assert_eq!(get(&stand).await.status, 502);
    assert_eq!(texts(&stand, 4).await.concat(), "bbbb");
}

#[tokio::test]
async fn who_is_asked_anyway_comes_back_by_the_answer() {
    let status = Arc::new(AtomicU16::new(500));
    let a = of_status(&status).await;
    let options = "passiveHealthCheck: {failureWindow: 1h}, healthCheck: {path: /, interval: 50ms}";
    let stand = Stand::new(&behind(&[balancer("s", options, &[&a])])).await;
    get(&stand).await;
    assert_eq!(ups(&stand), [false]);
    status.store(200, Ordering::SeqCst);
    until(|| ups(&stand) == [true]).await;
}
