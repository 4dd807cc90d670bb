//! The token source over a scripted endpoint and a clock that stands still: no socket, no sleep.
#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carnet_config::routing::middleware::oauth_client_credentials::{Parameters, Refresh};
use carnet_oauth::client_auth::{Basic, Credentials, Method};
use carnet_oauth::{Clock, form, token_request::TokenRequest};
use carnet_testkit::{FixedClock, SeededRandom};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Response;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::endpoint::{Call, CallFailure, TokenEndpoint};
use super::{
    Grant, Options, Outcome, Proof, ProviderFigures, Providers, Server, Shared, TokenFault,
    TokenSource,
};
use crate::supplies::Supplies;

mod exchange;
mod exchanged;
mod fleet;
mod keeping;
mod renewing;
mod setbacks;
mod sharing;
pub(crate) mod shelf;
mod simulation;
mod verifying;
mod world;

/// What the endpoint does with a call: after a while, an answer or a failure.
type Step = (Duration, Result<Response<Bytes>, CallFailure>);

type Respond = dyn Fn(usize, &Shown) -> Step + Send + Sync;

/// How a call showed its client.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    method: Method,
    id: String,
    secret: String,
}

struct Scripted {
    respond: Box<Respond>,
    calls: Mutex<Vec<Shown>>,
}

impl Scripted {
    fn new(respond: impl Fn(usize, &Shown) -> Step + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            respond: Box::new(respond),
            calls: Mutex::default(),
        })
    }

    fn calls(&self) -> Vec<Shown> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl TokenEndpoint for Scripted {
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>> {
        async move {
            let shown = shown(&call);
            let number = {
                let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.push(shown.clone());
                calls.len()
            };
            let (after, result) = (self.respond)(number, &shown);
            sleep(after).await;
            result
        }
        .boxed()
    }
}

fn shown(call: &Call) -> Shown {
    let pairs = form::parse(call.form.expose_secret().as_bytes());
    let body = TokenRequest::from_parameters(pairs).expect("a form");
    let (method, credentials) = match (&call.authorization, body.client_id, body.client_secret) {
        (Some(header), None, None) => {
            let basic = Basic::parse(header.expose_secret().as_bytes()).expect("a Basic header");
            (Method::Basic, basic.readings[0].clone())
        }
        (None, Some(id), secret) => {
            // An empty parameter reads as an absent one.
            let secret = secret.unwrap_or_default();
            (Method::Post, Credentials { id, secret })
        }
        other => unreachable!("no method or two: {other:?}"),
    };
    Shown {
        method,
        id: credentials.id,
        secret: credentials.secret.expose_secret().to_owned(),
    }
}

fn options() -> Options {
    Options {
        grant: Grant::ClientCredentials,
        url: "http://127.0.0.1:4444/oauth2/token".parse().expect("a URL"),
        audience: None,
        scopes: Vec::new(),
        resources: Vec::new(),
        parameters: Parameters::default(),
        first_method: Method::Post,
        timeout: Duration::from_secs(5),
        max_retries: 3,
        is_cached: true,
        max_age: Duration::from_secs(300),
        refresh: Refresh::Early,
        claims: BTreeSet::from(["exp".to_owned(), "sub".to_owned()]),
    }
}

/// A source, and what its tests ask of it.
struct Asked(TokenSource);

impl Asked {
    /// A token for credentials in these readings.
    async fn token(&self, readings: &[Credentials]) -> Outcome {
        let caller = self.0.caller(readings).expect("a reading");
        self.0.token(&caller).await.map(|given| given.token)
    }

    /// What was counted about the provider.
    fn figures(&self) -> ProviderFigures {
        self.0.engine.providers.figures().remove(0)
    }
}

/// A source with the clock that it was handed.
fn source(options: Options, endpoint: &Arc<Scripted>) -> (Arc<Asked>, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::default());
    let source = source_over(options, endpoint.clone(), clock.clone(), 42);
    (source, clock)
}

fn source_over(
    options: Options,
    endpoint: Arc<dyn TokenEndpoint>,
    clock: Arc<dyn Clock>,
    seed: u64,
) -> Arc<Asked> {
    source_sharing(options, endpoint, clock, (seed, None))
}

/// The same with a store that other sources have too.
fn source_sharing(
    options: Options,
    endpoint: Arc<dyn TokenEndpoint>,
    clock: Arc<dyn Clock>,
    (seed, shared): (u64, Option<Shared>),
) -> Arc<Asked> {
    let supplies = supplies(clock, seed);
    let server = Server {
        endpoint,
        proof: Proof::Secret,
        feed: None,
        verifier: None,
        shared,
    };
    Arc::new(Asked(TokenSource::new(options, server, &supplies)))
}

fn supplies(clock: Arc<dyn Clock>, seed: u64) -> Supplies {
    Supplies {
        room: crate::room::Room::of(None),
        own: crate::upstream::Own::default(),
        clock,
        random: Arc::new(SeededRandom::new(seed)),
        resolve: Arc::new(|_, _| None),
        providers: Arc::new(Providers::new()),
        proofs: Arc::default(),
        tracer: None,
    }
}

fn credentials(id: &str, secret: &str) -> [Credentials; 1] {
    [Credentials {
        id: id.to_owned(),
        secret: SecretString::from(secret),
    }]
}

fn answer(status: u16, body: &Value) -> Result<Response<Bytes>, CallFailure> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status.try_into().expect("a status");
    Ok(response)
}

fn granted(token: &str, expires_in: &Value) -> Result<Response<Bytes>, CallFailure> {
    let body = json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in});
    answer(200, &body)
}

fn refused(status: u16, error: &str) -> Result<Response<Bytes>, CallFailure> {
    answer(status, &json!({"error": error}))
}

const AT_ONCE: Duration = Duration::ZERO;
