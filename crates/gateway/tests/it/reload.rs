//! One configuration after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::server::Answer;

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::stand::{Stand, Whoami, routes};

async fn backend(body: &'static str) -> Server {
    Server::start(move |_| Answer::text(200, body))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_configuration_serves_the_next_request_and_old_ones_end_as_they_began() {
    let (old, new) = (backend("old").await, backend("new").await);
    let stand = Arc::new(Stand::new(&routes(&["Host(`a`)"], &old.url(""))).await);
    old.hold();
    let in_flight = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.get("a", &[]).await }
    });
    old.asked(1).await;
    stand.apply(&routes(&["Host(`a`)"], &new.url("")));
    assert_eq!(stand.get("a", &[]).await.text(), "new");
    old.release();
    assert_eq!(in_flight.await.unwrap().text(), "old");
    stand.apply("http: {}");
    assert_eq!(stand.get("a", &[]).await.status, 404);
}

#[tokio::test]
async fn a_rule_that_breaks_keeps_its_place_closed() {
    let backend = backend("served").await;
    let yaml = |rule: &str| routes(&[rule, "PathPrefix(`/`)"], &backend.url(""));
    let stand = Stand::new(&yaml("Host(`a`)")).await;
    assert_eq!(stand.get("a", &[]).await.status, 200);
    let findings = stand.apply(&yaml("Hots(`a`)"));
    assert!(
        findings
            .iter()
            .any(|f| f.message.contains("did you mean `Host`?")),
        "{findings:?}"
    );
    assert_eq!(stand.get("a", &[]).await.status, 503);
    assert_eq!(stand.get("b", &[]).await.status, 200);
    // Still so after another change that does not mend it.
    stand.apply(&yaml("Hosts(`a`)"));
    assert_eq!(stand.get("a", &[]).await.status, 503);
    stand.apply(&yaml("Host(`a`)"));
    assert_eq!(stand.get("a", &[]).await.status, 200);
}

#[tokio::test]
async fn a_rule_that_was_never_read_is_absent() {
    let backend = backend("served").await;
    let stand = Stand::new(&routes(&["Hots(`a`)", "PathPrefix(`/`)"], &backend.url(""))).await;
    assert_eq!(stand.get("a", &[]).await.status, 200);
}

#[tokio::test]
async fn connections_to_a_backend_survive_a_reload_that_does_not_touch_it() {
    let whoami = Whoami::start();
    let stand = Stand::new(&routes(&["Host(`a`)"], &whoami.url)).await;
    // `RemoteAddr` is the gateway's end of the connection.
    let port = |response: Response| {
        let text = response.text();
        text.lines()
            .find(|line| line.starts_with("RemoteAddr:"))
            .map(str::to_owned)
    };
    let before = port(stand.get("a", &[]).await);
    stand.apply(&routes(&["Host(`a`)", "Host(`b`)"], &whoami.url));
    let after = port(stand.get("b", &[]).await);
    assert!(before.is_some());
    assert_eq!(before, after);
}

#[tokio::test]
async fn servers_take_turns_over_reloads() {
    let hits = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&hits);
    let one = Server::start(move |_| {
        counting.fetch_add(1, Ordering::Relaxed);
        Answer::text(200, "one")
    })
    .await
    .unwrap();
    let two = backend("two").await;
    let yaml = |extra: &str| {
        format!(
            "
http:
  routers:
    r: {{rule: 'Host(`a`)', service: s}}{extra}
  services:
    s: {{loadBalancer: {{servers: [{{url: '{}', weight: 2}}, {{url: '{}'}}]}}}}
",
            one.url(""),
            two.url("")
        )
    };
    let stand = Stand::new(&yaml("")).await;
    let mut bodies = Vec::new();
    for turn in 0..6 {
        bodies.push(stand.get("a", &[]).await.text());
        stand.apply(&yaml(&format!(
            "\n    x{turn}: {{rule: 'Host(`x`)', service: s}}"
        )));
    }
    assert_eq!(bodies, ["one", "two", "one", "one", "two", "one"]);
    assert_eq!(hits.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn weighted_services_share_by_weight() {
    let (one, two) = (backend("one").await, backend("two").await);
    let yaml = format!(
        "
http:
  routers:
    r: {{rule: 'Host(`a`)', service: both}}
    loop: {{rule: 'Host(`l`)', service: loop}}
  services:
    both: {{weighted: {{services: [{{name: one, weight: 3}}, {{name: two, weight: 1}}]}}}}
    loop: {{weighted: {{services: [{{name: loop}}]}}}}
    one: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}
    two: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}
",
        one.url(""),
        two.url("")
    );
    let stand = Stand::new(&yaml).await;
    for _ in 0..8 {
        stand.get("a", &[]).await;
    }
    assert_eq!((one.count(), two.count()), (6, 2));
    assert_eq!(stand.get("l", &[]).await.status, 503);
}

/// Requests over one kept connection until told to stop; how many there were, all of them answered
/// with 200.
async fn hammer(address: SocketAddr, stop: CancellationToken) -> usize {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut count = 0;
    while !stop.is_cancelled() {
        let request = http::Request::get("/").header("Host", "a");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_configurations_change() {
    let (one, two) = (backend("one").await, backend("two").await);
    let first = routes(&["Host(`a`)"], &one.url(""));
    let stand = Stand::new(&first).await;
    let stop = CancellationToken::new();
    let hammers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(hammer(stand.address, stop.clone())))
        .collect();
    for turn in 0..50 {
        // Each configuration serves at least one request before the next one comes.
        let now = if turn % 2 == 0 { &two } else { &one };
        stand.apply(&routes(&["Host(`a`)"], &now.url("")));
        now.asked(now.count() + 1).await;
    }
    stop.cancel();
    for hammer in hammers {
        assert!(hammer.await.unwrap() > 0);
    }
    assert!(one.count() >= 25 && two.count() >= 25);
}
