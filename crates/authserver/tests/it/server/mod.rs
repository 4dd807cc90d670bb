//! The server, driven in memory through its routers: a fixed clock, seeded randomness, a store in
//! memory.

mod assertions;
mod audit;
mod authentication;
mod bound;
mod client_claims;
mod clients;
mod cors;
mod discovery;
mod guesses;
mod hashing;
mod hook;
mod introspection;
mod keys;
mod limits;
mod maintenance;
mod metrics;
mod openapi;
mod people;
mod post_quantum;
mod public_openapi;
mod reload;
mod request_log;
mod restart;
mod revocation;
mod revocation_stream;
mod rotation;
mod rotation_under_load;
mod schedule;
mod secrecy;
mod serving;
mod several;
mod status_list;
mod still;
mod system_secrets;
mod tls;
mod tokens;
mod unshown;
mod userinfo;
mod workloads;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_authserver::{AccessTokenStrategy, Authserver, Options, store};
use carnet_testkit::{FixedClock, SeededRandom};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The system secret of the tests.
pub(crate) const SYSTEM_SECRET: &str = "system-secret-of-the-tests";

/// A server with the means of its tests.
pub(crate) struct Room {
    pub(crate) server: Authserver,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: Arc<dyn store::Store>,
}

/// An answer, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// The settings of the tutorial.
pub(crate) fn tutorial() -> Options {
    Options {
        issuer: "http://hydra.hydra.svc:4444".to_owned(),
        public_url: Some("http://hydra.docker.localhost".to_owned()),
        access_token_strategy: AccessTokenStrategy::Jwt,
        system_secrets: vec![SYSTEM_SECRET.into()],
        pbkdf2_iterations: 10,
        ..Options::default()
    }
}

impl Room {
    pub(crate) async fn new(options: Options) -> Self {
        Self::over(options, store::open("memory").await.unwrap()).await
    }

    /// A server over a store that is there already.
    pub(crate) async fn over(options: Options, store: Arc<dyn store::Store>) -> Self {
        Self::starting(options, store, Duration::ZERO).await
    }

    /// The same, some time later.
    pub(crate) async fn starting(
        options: Options,
        store: Arc<dyn store::Store>,
        later: Duration,
    ) -> Self {
        let clock = Arc::new(FixedClock::default());
        clock.advance(later);
        let random = Arc::new(SeededRandom::default());
        let server = Authserver::new(options, Arc::clone(&store), clock.clone(), random);
        Self {
            server: server.await.unwrap(),
            clock,
            store,
        }
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(body))
            .unwrap();
        send(self.server.admin_router(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.public(Method::GET, path).await
    }

    pub(crate) async fn get_admin(&self, path: &str) -> Answer {
        self.admin(Method::GET, path, Value::Null).await
    }

    /// Sends a request without a body to the public port.
    pub(crate) async fn public(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        send(self.server.public_router(), request).await
    }

    /// Posts a form with the credentials of a client of the tutorial to the token endpoint.
    pub(crate) async fn basic_form(&self, id: &str, form: &str) -> Answer {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:traefiklabs")));
        self.post("/oauth2/token", &[("authorization", &header)], form)
            .await
    }

    /// Posts a form to the public port.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
        send(
            self.server.public_router(),
            form_request(path, headers, form),
        )
        .await
    }

    /// Posts a form to the admin port.
    pub(crate) async fn post_admin(&self, path: &str, form: &str) -> Answer {
        send(self.server.admin_router(), form_request(path, &[], form)).await
    }

    /// Registers a client of the tutorial and gives its id.
    pub(crate) async fn create(&self, changes: Value) -> String {
        let mut client = json!({
            "grant_types": ["client_credentials"],
            "audience": ["https://traefik.io"],
            "client_secret": "traefiklabs",
        });
        client
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let answer = self.admin(Method::POST, "/admin/clients", client).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["client_id"].as_str().unwrap().to_owned()
    }

    /// Asks for a token with a Basic header.
    pub(crate) async fn basic(&self, id: &str, secret: &str, more: &str) -> Answer {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let form = format!("grant_type=client_credentials{more}");
        self.post("/oauth2/token", &[("authorization", &header)], &form)
            .await
    }

    /// A token for a client of the tutorial.
    pub(crate) async fn token(&self, id: &str) -> String {
        let answer = self
            .basic(id, "traefiklabs", "&audience=https://traefik.io")
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// What introspection says.
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        self.post_admin("/admin/oauth2/introspect", &format!("token={token}"))
            .await
            .json()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn form_request(path: &str, headers: &[(&str, &str)], form: &str) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(Body::from(form.to_owned())).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
