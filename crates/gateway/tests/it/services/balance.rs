//! Strategies of a load balancer.

use std::sync::Arc;
use std::time::Duration;

use super::{balancer, behind, get, named, texts};
use tokio::time::Instant;

use crate::stand::Stand;

#[tokio::test]
async fn servers_take_turns_by_weight() {
    let (a, b) = (named("a").await, named("b").await);
    let service = format!(
        "s: {{loadBalancer: {{servers: [{{url: '{}', weight: 3}}, {{url: '{}'}}, \
         {{url: 'http://127.0.0.1:1', weight: 0}}]}}}}",
        a.url(""),
        b.url("")
    );
    let stand = Stand::new(&behind(&[service])).await;
    assert_eq!(
        texts(&stand, 8).await.concat(),
        "aabaaaba",
        "three of four, spread"
    );
}

#[tokio::test]
async fn a_client_stays_with_its_server_by_its_address() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[balancer("s", "strategy: hrw", &[&a, &b])])).await;
    let texts = texts(&stand, 10).await;
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[tokio::test]
async fn a_server_with_requests_in_flight_is_spared() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[balancer("s", "strategy: p2c", &[&a, &b])])).await;
    let stand = Arc::new(stand);
    a.hold();
    // Until one of them waits at the first.
    let held = loop {
        let mut asked = tokio::spawn({
            let stand = Arc::clone(&stand);
            async move { get(&stand).await.text() }
        });
        tokio::select! {
            answer = &mut asked => assert_eq!(answer.unwrap(), "b"),
            () = a.asked(1) => break asked,
        }
    };
    assert_eq!(texts(&stand, 20).await.concat(), "b".repeat(20));
    a.release();
    assert_eq!(held.await.unwrap(), "a");
    let again = texts(&stand, 40).await;
    assert!(again.contains(&"a".to_owned()), "{again:?}");
}

#[tokio::test]
async fn the_quicker_server_is_preferred() {
    let (a, b) = (named("a").await, named("b").await);
    let stand = Stand::new(&behind(&[balancer("s", "strategy: leasttime", &[&a, &b])])).await;
    let stand = Arc::new(stand);
    a.hold();
    let slow = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { get(&stand).await.text() }
    });
    a.asked(1).await;
    // Nobody has answered yet, so turns decide; afterwards the first is not known to be slow.
    assert_eq!(get(&stand).await.text(), "b");
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        tokio::task::yield_now().await;
    }
    a.release();
    assert_eq!(slow.await.unwrap(), "a");
    assert_eq!(texts(&stand, 10).await.concat(), "b".repeat(10));
}

#[tokio::test]
async fn a_service_without_servers_answers_503() {
    let stand = Stand::new(&behind(&["s: {loadBalancer: {servers: []}}".to_owned()])).await;
    let response = get(&stand).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (503, "no available server\n")
    );
}
