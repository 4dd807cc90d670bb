//! What stands behind a router: which server gets a request, and which does not.

use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::client::Response;
use carnet_testkit::server::Answer;

use crate::stand::Stand;

mod balance;
mod composed;
mod health_check;
mod mirroring;
mod passive_health_check;
mod retry;
mod sticky;

/// A backend that says its name.
async fn named(name: &'static str) -> Server {
    Server::start(move |_| Answer::text(200, name))
        .await
        .unwrap()
}

/// A document with one router to the service `s` and these services, as flow maps by lines.
fn behind(services: &[String]) -> String {
    let services: String = services
        .iter()
        .map(|service| format!("    {service}\n"))
        .collect();
    format!(
        "http:\n  routers: {{r: {{rule: 'PathPrefix(`/`)', service: s}}}}\n  services:\n{services}"
    )
}

/// A load balancer over backends, with more options.
fn balancer(name: &str, options: &str, backends: &[&Server]) -> String {
    let servers: Vec<_> = backends
        .iter()
        .map(|backend| format!("{{url: '{}'}}", backend.url("")))
        .collect();
    let servers = servers.join(", ");
    let options = match options {
        "" => String::new(),
        options => format!(", {options}"),
    };
    format!("{name}: {{loadBalancer: {{servers: [{servers}]{options}}}}}")
}

/// The texts of answers to requests, one after the other.
async fn texts(stand: &Stand, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(get(stand).await.text());
    }
    texts
}

async fn get(stand: &Stand) -> Response {
    stand.get("a", &[]).await
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap();
}

/// Whether the servers of `s@file` are up, in order.
fn ups(stand: &Stand) -> Vec<bool> {
    let servers = stand.gateway.server_status("s@file");
    servers.into_iter().map(|server| server.is_up).collect()
}
