//! The end of a gateway.

use std::sync::Arc;
use std::time::Duration;

use carnet_config::install::Ping;
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::stand::{Plan, Stand, routes};

// Holds OP-10.
#[tokio::test]
async fn a_request_in_flight_is_finished_and_no_other_begins() {
    let backend = Server::start(|_| Answer::text(200, "done")).await.unwrap();
    let stand = Arc::new(Stand::new(&routes(&["Host(`a`)"], &backend.url(""))).await);
    let mut idle = TcpStream::connect(stand.address).await.unwrap();
    backend.hold();
    let in_flight = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.get("a", &[]).await }
    });
    backend.asked(1).await;
    stand.shutdown.cancel();
    // An idle connection is closed at once.
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(stand.gateway.readiness().is_draining());
    backend.release();
    assert_eq!(in_flight.await.unwrap().text(), "done");
    let stand = Arc::into_inner(stand).unwrap();
    stand.served.await.unwrap();
    assert!(TcpStream::connect(stand.address).await.is_err());
}

#[tokio::test]
async fn while_new_requests_are_still_accepted_ping_says_that_the_end_is_near() {
    let mut plan = Plan {
        ping: Some(Ping {
            entry_point: "web".to_owned(),
            ..Ping::default()
        }),
        ..Plan::default()
    };
    plan.entry_point.transport.request_accept_grace_timeout = Duration::from_secs(3600);
    let stand = Stand::planned(plan, "http: {}").await;
    assert_eq!(stand.ask("GET /ping HTTP/1.1\nHost: a").await.status, 200);
    stand.shutdown.cancel();
    // The announcement is a task of its own.
    while !stand.gateway.readiness().is_draining() {
        tokio::task::yield_now().await;
    }
    for (path, status) in [
        ("/ping", 503),
        ("/readyz", 503),
        ("/livez", 200),
        ("/", 404),
    ] {
        let response = stand.ask(&format!("GET {path} HTTP/1.1\nHost: a")).await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_than_the_grace_is_cut() {
    let backend = Server::start(|_| Answer::Hang).await.unwrap();
    let mut plan = Plan::default();
    plan.entry_point.transport.grace_timeout = Duration::from_secs(10);
    let stand = Stand::planned(plan, &routes(&["Host(`a`)"], &backend.url(""))).await;
    let address = stand.address;
    let in_flight =
        tokio::spawn(async move { carnet_testkit::client::get(address, "a", &[]).await });
    backend.asked(1).await;
    stand.shutdown.cancel();
    stand.served.await.unwrap();
    assert!(in_flight.await.unwrap().is_err());
}
