//! Credentials against a token, or a caller's token against another: both methods, retries and one
//! deadline over all of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use carnet_oauth::client_auth::{Basic, Method};
use carnet_oauth::error::printable;
use carnet_oauth::token_request::ClientRequest;
use carnet_oauth::{Clock, ErrorBody, ErrorCode, Random};
use http::{Response, StatusCode};
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use super::asker::{Asker, Way};
use super::endpoint::{Call, CallFailure, TokenEndpoint};
use super::fault::TokenFault;
use super::key::{Hasher, TokenHasher};
use super::methods::Methods;
use super::proof::Proof;
use super::provider::Provider;
use super::token::{Asked, Token, left};
use super::verify::Verifier;
use super::{Options, Outcome, backoff};
use crate::traces::Tracer;

/// What every exchange of one source shares.
pub(super) struct Exchange {
    pub(super) options: Options,
    pub(super) provider: Arc<Provider>,
    pub(super) endpoint: Arc<dyn TokenEndpoint>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) hasher: Hasher,
    pub(super) token_hasher: TokenHasher,
    pub(super) methods: Methods,
    pub(super) verifier: Option<Verifier>,
    pub(super) proof: Proof,
    pub(super) tracer: Option<Arc<Tracer>>,
}

/// What is left of one exchange.
struct Budget {
    deadline: Instant,
    retries: u32,
    tried: u32,
}

impl Exchange {
    pub(super) fn now(&self) -> Asked {
        Asked {
            at: Instant::now(),
            time: self.clock.now(),
        }
    }

    /// When an exchange that begins now has to end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.timeout
    }

    pub(super) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    /// Asks for a token, in a span of its own where that is wanted.
    pub(super) async fn run(&self, asker: &Asker, deadline: Instant) -> Outcome {
        let Some(tracer) = &self.tracer else {
            let outcome = self.by_any_method(asker, deadline).await;
            return outcome.map(|token| Arc::new(self.lighter(token)));
        };
        let span = tracer.exchange(self.provider.origin());
        let asked = self.by_any_method(asker, deadline);
        let outcome = asked.instrument(span.clone()).await;
        let ids = tracer.exchanged(&span, outcome.is_ok());
        outcome.map(|token| Arc::new(self.lighter(token).got_in(ids)))
    }

    /// A token without the claims that nobody will look at.
    pub(super) fn lighter(&self, token: Token) -> Token {
        token.with_claims_of(&self.options.claims)
    }

    /// By the first reading of the credentials, by one method and then by the other; further
    /// readings only follow where no method was right.
    async fn by_any_method(&self, asker: &Asker, deadline: Instant) -> Result<Token, TokenFault> {
        self.provider.asked();
        let mut budget = Budget {
            deadline,
            retries: self.options.max_retries,
            tried: 0,
        };
        let mut outcome = Err(TokenFault::InvalidClient("no credentials".to_owned()));
        if !matches!(self.proof, Proof::Secret) {
            let Some(own) = asker.likeliest() else {
                return outcome;
            };
            let way = asker.way(own, Method::None);
            return self.ask(way, &mut budget).await;
        }
        for credentials in &*asker.readings {
            let client = self.hasher.client(&self.options, &credentials.id);
            for method in self.methods.order(&client) {
                let way = asker.way(credentials, method);
                outcome = self.ask(way, &mut budget).await;
                match outcome {
                    Ok(_) => self.methods.worked(client, method),
                    Err(TokenFault::InvalidClient(_)) => continue,
                    Err(_) => {}
                }
                return outcome;
            }
            self.methods.forget(&client);
        }
        outcome
    }

    /// Whether a token holds that came from elsewhere.
    pub(super) async fn verifies(&self, token: &Token, now: Asked) -> bool {
        match &self.verifier {
            Some(verifier) => verifier.check(token, now).await.is_ok(),
            None => true,
        }
    }

    async fn ask(&self, way: Way<'_>, budget: &mut Budget) -> Result<Token, TokenFault> {
        let (answer, asked) = self.send(way, budget).await?;
        let status = answer.status();
        if status.is_success() {
            let kept = (self.longest(way, asked), &self.options.grant);
            let token = Token::read(&answer, asked, kept)
                .map_err(|sentence| TokenFault::NoToken(sentence.to_owned()))?;
            if let Some(verifier) = &self.verifier {
                let checked = timeout_at(budget.deadline, verifier.check(&token, asked)).await;
                checked.map_err(|_| TokenFault::TimedOut)??;
            }
            Ok(token)
        } else if status.is_client_error() {
            Err(refusal(&answer, way.subject.is_some()))
        } else {
            Err(TokenFault::NoToken(format!("status {}", status.as_u16())))
        }
    }

    /// For how long a token may be used again at most: never beyond the end of the caller's token
    /// that it was given for.
    fn longest(&self, way: Way<'_>, asked: Asked) -> Duration {
        let subject = way.subject.map(ExposeSecret::expose_secret);
        let left = subject.and_then(|token| left(token, asked.time));
        let longest = self.options.max_age;
        left.map_or(longest, |left| left.min(longest))
    }

    /// A call; a new one for each attempt, as an assertion counts once.
    fn call(&self, way: Way<'_>) -> Result<Call, TokenFault> {
        let Way {
            credentials,
            method,
            subject,
        } = way;
        let random = self.random.as_ref();
        let shown = self.proof.fields(credentials, self.clock.now(), random);
        let shown = shown.map_err(|sentence| TokenFault::NoToken(sentence.to_owned()))?;
        let parameters = self.options.parameters.0.clone();
        let in_header = method == Method::Basic;
        let in_body = shown.is_none() && !in_header;
        let grant = &self.options.grant;
        let request = ClientRequest {
            grant: grant.named(),
            scopes: self.options.scopes.clone(),
            audiences: self.options.audience.clone().into_iter().collect(),
            resources: self.options.resources.clone(),
            parameters: parameters
                .into_iter()
                .chain(grant.fields(subject))
                .chain(shown.into_iter().flatten())
                .collect(),
            in_body: in_body.then(|| credentials.clone()),
        };
        Ok(Call {
            authorization: in_header.then(|| Basic::format(credentials)),
            form: request.to_form(),
        })
    }

    /// Sends until there is an answer that another attempt would not change.
    async fn send(
        &self,
        way: Way<'_>,
        budget: &mut Budget,
    ) -> Result<(Response<Bytes>, Asked), TokenFault> {
        loop {
            let asked = self.now();
            let call = self.call(way)?;
            let pass = self.provider.admit().map_err(|wait| {
                let down = TokenFault::unavailable("it failed too often just now", None);
                down.with_patience(wait)
            })?;
            let result = timeout_at(budget.deadline, self.endpoint.post(call)).await;
            let (cause, retry_after) = match result {
                Err(_) | Ok(Err(CallFailure::TimedOut)) => {
                    pass.failed();
                    return Err(TokenFault::TimedOut);
                }
                Ok(Err(CallFailure::Garbled(cause))) => {
                    pass.answered();
                    return Err(TokenFault::NoToken(cause));
                }
                Ok(Err(CallFailure::Transport(cause))) => {
                    pass.failed();
                    (cause, None)
                }
                Ok(Ok(answer)) => {
                    let status = answer.status();
                    match status.is_server_error() {
                        true => pass.failed(),
                        false => pass.answered(),
                    }
                    if !is_passing(status) {
                        return Ok((answer, asked));
                    }
                    let retry_after = backoff::asked(answer.headers(), self.clock.now());
                    (format!("status {}", status.as_u16()), retry_after)
                }
            };
            let Some(wait) = self.wait(retry_after, budget) else {
                return Err(TokenFault::unavailable(cause, retry_after));
            };
            sleep(wait).await;
        }
    }

    /// How long to wait for the next attempt; `None` when there is none.
    fn wait(&self, retry_after: Option<Duration>, budget: &mut Budget) -> Option<Duration> {
        if budget.tried == budget.retries {
            return None;
        }
        let own = backoff::wait(budget.tried, self.random.as_ref());
        budget.tried += 1;
        let wait = own.max(retry_after.unwrap_or_default());
        let left = budget.deadline.saturating_duration_since(Instant::now());
        (wait < left && self.provider.may_repeat()).then_some(wait)
    }
}

/// Statuses that may be gone at the next attempt.
fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// A 401 is a matter of the credentials whatever its body says: servers disagree about the code. Only
/// where a caller's token was shown, a code may say that it is one of that.
fn refusal(answer: &Response<Bytes>, has_subject: bool) -> TokenFault {
    let body: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
    let code: String = printable(&body.error).chars().take(64).collect();
    let sentence = format!("status {}, error {code:?}", answer.status().as_u16());
    tracing::debug!(
        error = code,
        description = printable(&body.error_description)
            .chars()
            .take(256)
            .collect::<String>(),
        "token endpoint refused",
    );
    if has_subject && let Some(about) = about_subject(&body.error) {
        return about(sentence);
    }
    if answer.status() == StatusCode::UNAUTHORIZED
        || body.error == ErrorCode::InvalidClient.as_str()
    {
        TokenFault::InvalidClient(sentence)
    } else {
        TokenFault::Denied(sentence)
    }
}

/// What a code says of the caller's token; `None`: nothing. RFC 8693, section 2.2.2, calls a token
/// that does not count `invalid_request`; RFC 7523 and Entra ID call it `invalid_grant`, others as
/// RFC 6750 does; Entra ID says `interaction_required` where the person has to log in again.
fn about_subject(code: &str) -> Option<fn(String) -> TokenFault> {
    match code {
        "invalid_request" | "invalid_grant" | "invalid_token" | "interaction_required" => {
            Some(TokenFault::InvalidSubject)
        }
        "invalid_target" | "invalid_scope" | "access_denied" => Some(TokenFault::Forbidden),
        _ => None,
    }
}
