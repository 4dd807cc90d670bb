//! Credentials against a token: both methods, retries and one deadline over all of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use carnet_oauth::client_auth::{Basic, Credentials, Method};
use carnet_oauth::error::printable;
use carnet_oauth::token_request::ClientCredentialsRequest;
use carnet_oauth::{Clock, ErrorBody, ErrorCode, Random};
use http::{Response, StatusCode};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use super::endpoint::{Call, CallFailure, TokenEndpoint};
use super::fault::TokenFault;
use super::key::{Hasher, TokenHasher};
use super::methods::Methods;
use super::proof::Proof;
use super::provider::Provider;
use super::token::{Asked, Token};
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
    pub(super) async fn run(&self, readings: &[Credentials], deadline: Instant) -> Outcome {
        let Some(tracer) = &self.tracer else {
            let outcome = self.by_any_method(readings, deadline).await;
            return outcome.map(|token| Arc::new(self.lighter(token)));
        };
        let span = tracer.exchange(self.provider.origin());
        let asked = self.by_any_method(readings, deadline);
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
    async fn by_any_method(
        &self,
        readings: &[Credentials],
        deadline: Instant,
    ) -> Result<Token, TokenFault> {
        self.provider.asked();
        let mut budget = Budget {
            deadline,
            retries: self.options.max_retries,
            tried: 0,
        };
        let mut outcome = Err(TokenFault::InvalidClient("no credentials".to_owned()));
        if !matches!(self.proof, Proof::Secret) {
            let Some(own) = readings.first() else {
                return outcome;
            };
            return self.ask(own, Method::None, &mut budget).await;
        }
        for credentials in readings {
            let client = self.hasher.client(&self.options, &credentials.id);
            for method in self.methods.order(&client) {
                outcome = self.ask(credentials, method, &mut budget).await;
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

    async fn ask(
        &self,
        credentials: &Credentials,
        method: Method,
        budget: &mut Budget,
    ) -> Result<Token, TokenFault> {
        let (answer, asked) = self.send(credentials, method, budget).await?;
        let status = answer.status();
        if status.is_success() {
            let token = Token::read(&answer, asked, self.options.max_age)
                .map_err(|sentence| TokenFault::NoToken(sentence.to_owned()))?;
            if let Some(verifier) = &self.verifier {
                let checked = timeout_at(budget.deadline, verifier.check(&token, asked)).await;
                checked.map_err(|_| TokenFault::TimedOut)??;
            }
            Ok(token)
        } else if status.is_client_error() {
            Err(refusal(&answer))
        } else {
            Err(TokenFault::NoToken(format!("status {}", status.as_u16())))
        }
    }

    /// A call; a new one for each attempt, as an assertion counts once.
    fn call(&self, credentials: &Credentials, method: Method) -> Result<Call, TokenFault> {
        let random = self.random.as_ref();
        let shown = self.proof.fields(credentials, self.clock.now(), random);
        let shown = shown.map_err(|sentence| TokenFault::NoToken(sentence.to_owned()))?;
        let parameters = self.options.parameters.0.clone();
        let in_header = method == Method::Basic;
        let in_body = shown.is_none() && !in_header;
        let request = ClientCredentialsRequest {
            scopes: self.options.scopes.clone(),
            audiences: self.options.audience.clone().into_iter().collect(),
            resources: self.options.resources.clone(),
            parameters: parameters
                .into_iter()
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
        credentials: &Credentials,
        method: Method,
        budget: &mut Budget,
    ) -> Result<(Response<Bytes>, Asked), TokenFault> {
        loop {
            let asked = self.now();
            let call = self.call(credentials, method)?;
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

/// A 401 is a matter of the credentials whatever its body says: servers disagree about the code.
fn refusal(answer: &Response<Bytes>) -> TokenFault {
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
    if answer.status() == StatusCode::UNAUTHORIZED
        || body.error == ErrorCode::InvalidClient.as_str()
    {
        TokenFault::InvalidClient(sentence)
    } else {
        TokenFault::Denied(sentence)
    }
}
