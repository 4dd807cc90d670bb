//! The provider: what it says of itself, tokens for codes and refresh tokens, and ID tokens judged.
//! A code and a refresh token count once, so no call with one is repeated.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use carnet_config::routing::middleware::Oidc as Options;
use carnet_jose::jwt::Claims;
use carnet_oauth::client_auth::{Basic, Credentials, Method};
use carnet_oauth::error::printable;
use carnet_oauth::token_response::TokenResponse;
use carnet_oauth::{Clock, ErrorBody, ErrorCode, form};
use http::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use url::Url;

use super::metadata::Metadata;
use super::session::Logout;
use super::{id_token, logout_token};
use crate::error::{Fault, Reason};
use crate::jwks::{Believed, Expected, Judge, Keys, Kind, Place, Refusal, Trusted};
use crate::middleware::client_config;
use crate::supplies::Supplies;
use crate::token_source::{Call, CallFailure, HttpEndpoint, TokenEndpoint as _, seconds};
use crate::upstream::Client;

/// Clocks may differ by so many seconds.
pub(super) const LEEWAY: i64 = 60;

/// People may try again so much later.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The provider of a middleware.
pub(super) struct Provider {
    issuer: String,
    keys: Keys,
    /// Of ID tokens.
    judge: Judge,
    /// Of logout tokens.
    logouts: Judge,
    client: Client,
    id: String,
    secret: Option<SecretString>,
    /// Whether the secret goes into the form: the other way did not work.
    posts: AtomicBool,
    patience: Duration,
    /// Whether it was told that there are no answers.
    is_told: AtomicBool,
    clock: Arc<dyn Clock>,
}

/// Why there are no tokens. The texts are for the log.
#[derive(Debug)]
pub(super) enum Missed {
    /// There was no answer, or one that says to come back.
    Unreachable(String),
    /// The provider does not take us for its client.
    Client(String),
    /// It does not take the code or the refresh token.
    Refused(String),
    /// Its answer is none.
    Garbled(String),
}

impl Provider {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let told = &options.client_config;
        let client = client_config::client(told, supplies)?;
        let place = Place::Metadata(discovery(options)?);
        let keys = client_config::keys(&place, told, supplies)?;
        let expected = Expected {
            issuer: None,
            audience: vec![options.client_id.clone()],
            leeway: LEEWAY,
            needs_end: true,
            kind: Kind::Access,
        };
        let of_logouts = Expected {
            kind: Kind::Logout,
            ..expected.clone()
        };
        let trusted = || Trusted::Fetched(keys.clone());
        Ok(Self {
            issuer: options.issuer.as_str().trim_end_matches('/').to_owned(),
            judge: Judge::new(trusted(), expected),
            logouts: Judge::new(trusted(), of_logouts),
            keys,
            client,
            id: options.client_id.clone(),
            secret: options.client_secret.clone(),
            posts: AtomicBool::new(false),
            patience: told.timeout,
            is_told: AtomicBool::new(false),
            clock: Arc::clone(&supplies.clock),
        })
    }

    /// Who it is.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What it says of itself. That it cannot be asked is told by who fetches its keys.
    pub(super) async fn metadata(&self) -> Result<Metadata, Fault> {
        let published = self.keys.current().await;
        let published = published.ok_or_else(|| unreachable("the provider cannot be asked"))?;
        let metadata = Metadata(published);
        // Whoever is asked speaks for itself alone (OpenID Connect Discovery, section 4.3).
        if metadata.issuer().trim_end_matches('/') == self.issuer {
            return Ok(metadata);
        }
        let reason = "the provider's metadata are those of another issuer";
        self.warn(reason);
        Err(unreachable(reason))
    }

    /// The claims of an ID token that is right, and that came with this access token (OpenID Connect
    /// Core, section 3.1.3.7).
    pub(super) async fn claims(
        &self,
        id_token: &SecretString,
        access_token: &SecretString,
    ) -> Result<Claims, Fault> {
        let believed = self.believed(&self.judge, id_token).await?;
        id_token::claims(&believed, &self.id, access_token.expose_secret()).map_err(wrong)
    }

    /// Who has logged out, by a logout token that is right (OpenID Connect Back-Channel Logout 1.0,
    /// section 2.6).
    pub(super) async fn logout(&self, token: &SecretString) -> Result<Logout, Fault> {
        let claims = self.believed(&self.logouts, token).await?.claims();
        logout_token::read(&claims, seconds(self.clock.now())).map_err(wrong)
    }

    /// What a token of the provider comes to, for its own word about its name.
    async fn believed(&self, judge: &Judge, token: &SecretString) -> Result<Believed, Fault> {
        self.metadata().await?;
        let now = seconds(self.clock.now());
        let judged = judge.judge(token.expose_secret(), now).await;
        judged.map_err(|refusal| match refusal {
            Refusal::NoKeys => unreachable("there are no keys to verify tokens with"),
            Refusal::Wrong(sentence) => Fault::new(Reason::TokenInvalid).because(sentence),
        })
    }

    /// Tokens for what these fields of a form say.
    pub(super) async fn tokens(&self, fields: &[(&str, &str)]) -> Result<TokenResponse, Missed> {
        let asked = timeout(self.patience, self.by_any_method(fields)).await;
        let late = |_| Err(Missed::Unreachable("no answer in time".to_owned()));
        let outcome = asked.unwrap_or_else(late);
        self.tell(&outcome);
        outcome
    }

    /// By the method that worked, and then by the other: no configuration says which one a client was
    /// registered with, and servers look at the client first.
    async fn by_any_method(&self, fields: &[(&str, &str)]) -> Result<TokenResponse, Missed> {
        let metadata = self.metadata().await;
        let metadata = metadata.map_err(|fault| Missed::Unreachable(fault.to_string()))?;
        let url = metadata.token_endpoint().map_err(Missed::Garbled)?;
        let endpoint = HttpEndpoint::new(&url, self.client.clone()).map_err(Missed::Garbled)?;
        if self.secret.is_none() {
            return self.ask(&endpoint, fields, Method::None).await;
        }
        let posts = self.posts.load(Ordering::Relaxed) || metadata.takes_forms_alone();
        let methods = match posts {
            true => [Method::Post, Method::Basic],
            false => [Method::Basic, Method::Post],
        };
        match self.ask(&endpoint, fields, methods[0]).await {
            Err(Missed::Client(_)) => {}
            outcome => return outcome,
        }
        let outcome = self.ask(&endpoint, fields, methods[1]).await;
        if !matches!(outcome, Err(Missed::Client(_))) {
            self.posts.store(!posts, Ordering::Relaxed);
        }
        outcome
    }

    async fn ask(
        &self,
        endpoint: &HttpEndpoint,
        fields: &[(&str, &str)],
        method: Method,
    ) -> Result<TokenResponse, Missed> {
        let answer = endpoint.post(self.call(fields, method)).await;
        let answer = answer.map_err(|failure| match failure {
            CallFailure::Transport(cause) => Missed::Unreachable(cause),
            CallFailure::TimedOut => Missed::Unreachable("no answer in time".to_owned()),
            CallFailure::Garbled(cause) => Missed::Garbled(cause),
        })?;
        if !answer.status().is_success() {
            return Err(refusal(&answer));
        }
        let tokens = TokenResponse::from_json(answer.body());
        let tokens = tokens.map_err(|_| Missed::Garbled("it is no token answer".to_owned()))?;
        match tokens.is_bearer() {
            true => Ok(tokens),
            false => Err(Missed::Garbled("its token is no bearer token".to_owned())),
        }
    }

    fn call(&self, fields: &[(&str, &str)], method: Method) -> Call {
        let mut pairs: Vec<(&str, Cow<'_, str>)> = Vec::new();
        pairs.extend(fields.iter().map(|(name, value)| (*name, (*value).into())));
        let secret = self.secret.as_ref();
        if method != Method::Basic {
            pairs.push(("client_id", (&*self.id).into()));
        }
        if let (Method::Post, Some(secret)) = (method, secret) {
            pairs.push(("client_secret", secret.expose_secret().into()));
        }
        let own = |secret: &SecretString| Credentials {
            id: self.id.clone(),
            secret: secret.clone(),
        };
        let in_header = secret.filter(|_| method == Method::Basic);
        Call {
            authorization: in_header.map(|secret| Basic::format(&own(secret))),
            form: form::encode_pairs(pairs).into(),
        }
    }

    /// Told once, until there are answers again.
    fn tell(&self, outcome: &Result<TokenResponse, Missed>) {
        match outcome {
            Ok(_) | Err(Missed::Refused(_)) => {
                if self.is_told.swap(false, Ordering::Relaxed) {
                    tracing::info!(provider = self.issuer, "people can log in again");
                }
            }
            Err(Missed::Unreachable(reason) | Missed::Client(reason) | Missed::Garbled(reason)) => {
                self.warn(reason);
            }
        }
    }

    fn warn(&self, reason: &str) {
        let provider = &*self.issuer;
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(provider, reason, "nobody can log in at the provider");
        }
    }
}

impl Missed {
    /// What the person gets.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Unreachable(cause) => unreachable(&cause),
            Self::Client(cause) => Fault::new(Reason::TokenRefused).because(cause),
            Self::Refused(cause) => Fault::new(Reason::BadRequest).because(cause),
            Self::Garbled(cause) => Fault::new(Reason::TokenEndpointAnswer).because(cause),
        }
    }
}

fn wrong(sentence: &'static str) -> Fault {
    Fault::new(Reason::TokenInvalid).because(sentence)
}

/// Told by whoever found out, once: this is not logged for each request.
pub(super) fn unreachable(cause: &str) -> Fault {
    let fault = Fault::new(Reason::TokenUnverifiable).retry_after(RETRY_AFTER);
    fault.because(cause.to_owned())
}

/// The error is one sentence.
fn discovery(options: &Options) -> Result<Url, String> {
    let issuer = options.issuer.as_str().trim_end_matches('/');
    let url = Url::parse(&format!("{issuer}/.well-known/openid-configuration"));
    let mut url = url.map_err(|_| "`issuer` cannot be used".to_owned())?;
    if !options.discovery_params.is_empty() {
        url.query_pairs_mut()
            .extend_pairs(&options.discovery_params);
    }
    Ok(url)
}

fn refusal(answer: &Response<Bytes>) -> Missed {
    let status = answer.status();
    let body: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
    let code: String = printable(&body.error).chars().take(64).collect();
    let cause = format!("status {}, error {code:?}", status.as_u16());
    let is_client =
        status == StatusCode::UNAUTHORIZED || body.error == ErrorCode::InvalidClient.as_str();
    match status {
        _ if is_client => Missed::Client(cause),
        StatusCode::TOO_MANY_REQUESTS => Missed::Unreachable(cause),
        _ if status.is_server_error() => Missed::Unreachable(cause),
        _ if status.is_client_error() => Missed::Refused(cause),
        _ => Missed::Garbled(cause),
    }
}
