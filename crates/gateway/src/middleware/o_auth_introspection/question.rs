//! One question to an introspection endpoint (RFC 7662, section 2): a POST with the token, and what
//! came back. Redirects are not followed, and nothing of the caller goes along but its token.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use carnet_config::routing::middleware::OAuthIntrospection as Options;
use carnet_jose::jwt::{self, Claims};
use carnet_oauth::client_auth::{Basic, Credentials};
use carnet_oauth::form;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep, timeout};
use url::Position;

use crate::middleware::client_config;
use crate::supplies::Supplies;
use crate::token_source::Breaker;
use crate::upstream::{Client, FailureKind};

/// Larger answers say nothing of a token.
const MAX_ANSWER: usize = 256 << 10;

/// The wait before the second attempt; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Who is asked, and how.
pub(super) struct Question {
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    hint: Option<String>,
    patience: Duration,
    retries: u32,
    breaker: Mutex<Breaker>,
    /// Whether it was told that there are no answers.
    is_told: AtomicBool,
    name: String,
}

/// Why there is no answer.
struct Missed {
    sentence: String,
    /// Whether another attempt may bring one.
    is_passing: bool,
}

impl Question {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let told = &options.client_config;
        let url = &options.url;
        let unusable = |_| "`clientConfig.url` cannot be used".to_owned();
        let target = url[..Position::AfterQuery].parse::<Uri>();
        Ok(Self {
            client: client_config::client(told, supplies)?,
            uri: target.map_err(|_| unusable(()))?,
            headers: headers(options)?,
            hint: options.token_type_hint.clone(),
            patience: told.timeout,
            retries: told.max_retries,
            breaker: Mutex::default(),
            is_told: AtomicBool::new(false),
            name: url.origin().ascii_serialization(),
        })
    }

    /// What its server says of a token. The error is for the log: nobody said anything.
    pub(super) async fn ask(&self, token: &SecretString) -> Result<Claims, String> {
        let asked = timeout(self.patience, self.patiently(token)).await;
        let outcome = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        self.tell(&outcome);
        outcome
    }

    /// Told once, until there are answers again.
    fn tell(&self, outcome: &Result<Claims, String>) {
        let source = &*self.name;
        match outcome {
            Ok(_) => {
                if self.is_told.swap(false, Ordering::Relaxed) {
                    tracing::info!(source, "tokens can be introspected again");
                }
            }
            Err(reason) => {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(source, reason, "tokens cannot be introspected");
                }
            }
        }
    }

    async fn patiently(&self, token: &SecretString) -> Result<Claims, String> {
        let mut wait = FIRST_WAIT;
        for _ in 0..self.retries {
            match self.admitted(token).await {
                Err(missed) if missed.is_passing => {
                    sleep(wait).await;
                    wait = wait.saturating_mul(2);
                }
                outcome => return outcome.map_err(|missed| missed.sentence),
            }
        }
        self.admitted(token).await.map_err(|missed| missed.sentence)
    }

    /// Asks, unless the server is down as far as anybody knows.
    async fn admitted(&self, token: &SecretString) -> Result<Claims, Missed> {
        if self
            .breaker(|breaker| breaker.admit(Instant::now()))
            .is_err()
        {
            return Err(Missed {
                sentence: "the introspection endpoint is down".to_owned(),
                is_passing: false,
            });
        }
        let mut pass = Pass(self, false);
        let outcome = self.once(token).await;
        pass.1 = true;
        self.breaker(|breaker| match &outcome {
            Err(missed) if missed.is_passing => breaker.failed(Instant::now()),
            _ => breaker.succeeded(),
        });
        outcome
    }

    fn breaker<T>(&self, see: impl FnOnce(&mut Breaker) -> T) -> T {
        see(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn once(&self, token: &SecretString) -> Result<Claims, Missed> {
        let answer = self.client.call(self.request(token), MAX_ANSWER).await;
        let answer = answer.map_err(|failure| Missed {
            sentence: failure.to_string(),
            is_passing: failure.kind != FailureKind::TooLarge,
        })?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(Missed {
                sentence: format!("status {}", status.as_u16()),
                is_passing: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
            });
        }
        jwt::claims(answer.body()).map_err(|_| Missed {
            sentence: "the answer is not the JSON of an introspection".to_owned(),
            is_passing: false,
        })
    }

    fn request(&self, token: &SecretString) -> Request<Bytes> {
        let mut fields = vec![("token", token.expose_secret().into())];
        if let Some(hint) = &self.hint {
            fields.push(("token_type_hint", hint.into()));
        }
        let mut request = Request::new(Bytes::from(form::encode_pairs(fields)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// A question on its way. Given up before its end, nothing is learned of the server.
struct Pass<'a>(&'a Question, bool);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.breaker(|breaker| breaker.abandoned(Instant::now()));
        }
    }
}

/// The headers of each question.
fn headers(options: &Options) -> Result<HeaderMap, String> {
    let host = &options.url[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::try_from(host);
    let mut headers = HeaderMap::new();
    headers.insert(
        HOST,
        host.map_err(|_| "`clientConfig.url` has no host that can be asked")?,
    );
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    if let Some(own) = &options.credentials {
        let basic = Basic::format(&Credentials {
            id: own.client_id.clone(),
            secret: own.client_secret.clone(),
        });
        headers.insert(AUTHORIZATION, secret(&basic, "clientSecret")?);
    }
    for (name, value) in &options.headers.0 {
        let unusable = |_| format!("`clientConfig.headers`: `{name}` is no name of a header");
        let header = HeaderName::try_from(name).map_err(|_| unusable(()))?;
        headers.insert(header, secret(value, name)?);
    }
    Ok(headers)
}

fn secret(value: &SecretString, name: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_str(value.expose_secret());
    let mut value =
        value.map_err(|_| format!("`{name}` has characters that no header may have"))?;
    value.set_sensitive(true);
    Ok(value)
}
