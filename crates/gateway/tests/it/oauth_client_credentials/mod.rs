//! `oAuthClientCredentials` over real sockets: a client, the gateway, a token endpoint that answers
//! as told and a backend that remembers what it saw.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_testkit::client::{self, Response};
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::{FixedClock, Server};

use recorder::Recorder;

use crate::stack::Stack;

mod advisories;
mod headers;
mod proofs;
mod recorder;
mod refusals;
mod revocations;
mod scenes;
mod secrecy;
mod sharing;
mod store;
mod unauthorized;
mod verifying;

const HOST: &str = "whoami.localhost";

/// The gateway between a token endpoint and a backend.
struct Room {
    gateway: Stack,
    provider: Server,
    backend: Server,
    clock: Arc<FixedClock>,
    recorder: Recorder,
}

impl Room {
    /// `options` are those of the middleware but for its `url`, in YAML's flow style.
    async fn new(
        options: &str,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let provider = Server::start(respond).await.unwrap();
        let url = provider.url("/oauth2/token");
        Self::with_provider(&url, options, provider).await
    }

    /// The same with another URL than the provider's.
    async fn with_provider(url: &str, options: &str, provider: Server) -> Self {
        let backend = Server::start(|_| Answer::text(200, "served"))
            .await
            .unwrap();
        Self::of(url, options, provider, backend)
    }

    /// The same with a backend that answers as told.
    async fn with_backend(
        options: &str,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
        serve: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let provider = Server::start(respond).await.unwrap();
        let backend = Server::start(serve).await.unwrap();
        let url = provider.url("/oauth2/token");
        Self::of(&url, options, provider, backend)
    }

    fn of(url: &str, options: &str, provider: Server, backend: Server) -> Self {
        let clock = Arc::new(FixedClock::default());
        let gateway = Stack::start(clock.clone());
        let room = Self {
            gateway,
            provider,
            backend,
            clock,
            recorder: Recorder::default(),
        };
        room.apply(url, options);
        room
    }

    fn apply(&self, url: &str, options: &str) {
        assert_eq!(self.offer(url, options), "");
    }

    /// What is wrong with these options.
    fn offer(&self, url: &str, options: &str) -> String {
        let backend = self.backend.url("");
        self.gateway.offer(&format!(
            "
http:
  routers:
    whoami:
      rule: Host(`{HOST}`)
      service: whoami
      middlewares: [creds]
  services:
    whoami:
      loadBalancer:
        servers: [{{url: '{backend}'}}]
  middlewares:
    creds:
      plugin:
        oAuthClientCredentials: {{url: '{url}', {options}}}
"
        ))
    }

    async fn get(&self, fields: &[&str]) -> Response {
        let caller = self.recorder.note(fields);
        let caller = caller.map(|id| format!("X-Caller: {id}"));
        let fields = [
            fields,
            &caller.iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat();
        get(self.gateway.address, &fields).await
    }

    /// A request with credentials as `curl -u` sends them.
    async fn get_as(&self, id: &str, secret: &str) -> Response {
        self.get(&[&basic(id, secret)]).await
    }
}

async fn get(address: SocketAddr, fields: &[&str]) -> Response {
    client::get(address, HOST, fields).await.unwrap()
}

fn basic(id: &str, secret: &str) -> String {
    let pair = STANDARD.encode(format!("{id}:{secret}"));
    format!("Authorization: Basic {pair}")
}

/// A port on which nobody listens.
fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap()
}
