//! Who a client is. A failure looks the same whatever its cause: unknown client, wrong secret,
//! wrong method; the same bytes, at the same time, after the same wait in the same queue.

mod assertion;
mod client_keys;
mod published;
mod workload;

pub(in crate::domain) use assertion::{names as server_names, use_of as assertion_use};
pub(in crate::domain) use client_keys::ClientKeys;
pub(in crate::domain) use workload::Platforms;

use std::{net::IpAddr, sync::Arc};

use carnet_oauth::{
    ErrorCode,
    client_auth::{Basic, Credentials, Method},
    token_request::TokenRequest,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use crate::{
    domain::{
        Authority, TokenError,
        audit::Entry,
        authority::within,
        secret::{
            Busy,
            verifier::{Unsure, Verdict},
        },
    },
    store::ClientRow,
};

/// A kind of client assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A JWT (RFC 7523).
    JwtBearer,
    /// A JWT-SVID (draft-ietf-oauth-spiffe-client-auth).
    JwtSpiffe,
}

impl Kind {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" => Some(Self::JwtBearer),
            "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe" => Some(Self::JwtSpiffe),
            _ => None,
        }
    }

    /// The method of the clients that may show it.
    const fn method(self) -> Method {
        match self {
            Self::JwtBearer => Method::PrivateKeyJwt,
            Self::JwtSpiffe => Method::SpiffeJwt,
        }
    }
}

/// What a request shows.
#[derive(Debug)]
pub(crate) struct Presented {
    /// When it arrived.
    pub(crate) arrived: Instant,
    /// From which address; unknown where there is none.
    pub(crate) from: Option<IpAddr>,
    /// Its Basic header, when it can be read.
    pub(crate) basic: Option<Basic>,
    /// `client_id` of the body.
    pub(crate) id: Option<String>,
    /// `client_secret` of the body.
    pub(crate) secret: Option<SecretString>,
    /// `client_assertion_type` of the body.
    pub(crate) assertion_type: Option<String>,
    /// `client_assertion` of the body.
    pub(crate) assertion: Option<SecretString>,
}

/// When and from where a request came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// When.
    pub(crate) at: Instant,
    /// From which address.
    pub(crate) from: Option<IpAddr>,
}

/// Credentials and the method they came by.
type Attempt = (Credentials, Method);

/// How a request shows who it comes from.
#[derive(Debug)]
enum Shown<'a> {
    /// By one of these secrets; by none when they contradict each other.
    Secrets(Vec<Attempt>),
    /// By an assertion.
    Assertion(Kind, &'a SecretString),
}

/// An attempt of nobody that is known.
#[derive(Debug)]
enum Guess {
    /// There is no such client.
    Unknown,
    /// The client is registered with another method.
    WrongMethod(String),
    /// The secret may be right: the slow hashes will tell.
    Secret(Arc<ClientRow>, Unsure),
}

/// Who was seen.
#[derive(Debug)]
enum Seen {
    /// A client.
    Client(Arc<ClientRow>),
    /// Nobody: something is wrong, perhaps with a client that is known.
    Wrong(&'static str, Option<String>),
    /// A client, by an assertion that was used before.
    Used,
}

impl Presented {
    /// What the parameters of a body and a Basic header show.
    pub(crate) fn new(arrived: Arrival, basic: Option<Basic>, request: &TokenRequest) -> Self {
        Self {
            arrived: arrived.at,
            from: arrived.from,
            basic,
            id: request.client_id.clone(),
            secret: request.client_secret.clone(),
            assertion_type: request.client_assertion_type.clone(),
            assertion: request.client_assertion.clone(),
        }
    }

    /// What counts of it.
    fn shown(&self) -> Result<Shown<'_>, TokenError> {
        let invalid = |text: &str| TokenError::refused(ErrorCode::InvalidRequest, text);
        let kind = match self.assertion_type.as_deref() {
            None => None,
            Some(name) => Some(
                Kind::from_name(name)
                    .ok_or_else(|| invalid("The 'client_assertion_type' is unknown."))?,
            ),
        };
        if kind.is_none() && self.assertion.is_none() {
            return self.attempts().map(Shown::Secrets);
        }
        if self.secret.is_some() || self.basic.is_some() {
            return Err(invalid(
                "A client assertion must not come with another secret.",
            ));
        }
        match (kind, &self.assertion) {
            (Some(kind), Some(assertion)) => Ok(Shown::Assertion(kind, assertion)),
            _ => Err(invalid(
                "'client_assertion' and 'client_assertion_type' must come together.",
            )),
        }
    }

    /// The attempts that its secrets make; none when they contradict each other.
    fn attempts(&self) -> Result<Vec<Attempt>, TokenError> {
        let invalid = |text: &str| TokenError::refused(ErrorCode::InvalidRequest, text);
        let Some(basic) = &self.basic else {
            let id = self.id.clone().ok_or_else(|| {
                invalid("Client credentials are neither in a Basic header nor in the body.")
            })?;
            let secret = self.secret.clone().unwrap_or_default();
            return Ok(vec![attempt(Credentials { id, secret }, Method::Post)]);
        };
        if self.secret.is_some() {
            return Ok(Vec::new());
        }
        let agrees = |id: &str| self.id.as_deref().is_none_or(|body| body == id);
        let readings = basic
            .readings
            .iter()
            .filter(|reading| agrees(&reading.id))
            .cloned();
        Ok(readings
            .map(|reading| attempt(reading, Method::Basic))
            .collect())
    }
}

/// Without a secret there was no method.
fn attempt(credentials: Credentials, method: Method) -> Attempt {
    let method = if credentials.secret.expose_secret().is_empty() {
        Method::None
    } else {
        method
    };
    (credentials, method)
}

impl Authority {
    /// The client that a request comes from.
    ///
    /// # Errors
    /// `invalid_request` when the request shows nothing or contradicts itself; `invalid_client`,
    /// held back, when what it shows is wrong.
    pub(crate) async fn authenticate(
        &self,
        presented: &Presented,
    ) -> Result<Arc<ClientRow>, TokenError> {
        let seen = match presented.shown()? {
            Shown::Secrets(attempts) => self.by_secrets(&attempts, presented).await?,
            Shown::Assertion(kind, assertion) => {
                let id = presented.id.as_deref();
                let text = assertion.expose_secret();
                let seen = self.by_assertion(kind, text, id).await?;
                if !matches!(seen, Seen::Client(_)) {
                    self.guess(id.unwrap_or_default(), presented)?;
                    self.verifier.pretend().await?;
                }
                seen
            }
        };
        let refusal = match seen {
            Seen::Client(row) => return Ok(row),
            Seen::Used => {
                self.note_failure(presented, "assertion used before", None);
                TokenError::refused(
                    ErrorCode::JtiKnown,
                    "The client assertion was used before: its 'jti' counts once.",
                )
            }
            Seen::Wrong(reason, client) => {
                self.note_failure(presented, reason, client);
                TokenError::refused(
                    ErrorCode::InvalidClient,
                    "Client authentication failed: the client, its secret or its method is wrong.",
                )
            }
        };
        self.failures
            .hold(
                presented.arrived,
                self.verifier.slowest(),
                self.random.as_ref(),
            )
            .await?;
        Err(refusal)
    }

    /// All attempts are held against fast hashes and memory before the first slow one is asked: who
    /// was right before is not held up by those who guess, whichever way his header is read. What
    /// is left is a guess.
    async fn by_secrets(
        &self,
        attempts: &[Attempt],
        presented: &Presented,
    ) -> Result<Seen, TokenError> {
        let mut guesses = Vec::with_capacity(attempts.len());
        for (credentials, method) in attempts {
            match self.recognise(credentials, *method).await? {
                Ok(seen) => return Ok(seen),
                Err(guess) => guesses.push((credentials, guess)),
            }
        }
        let id = attempts.first().map(|(credentials, _)| &credentials.id);
        let id = id.or(presented.id.as_ref()).map(String::as_str);
        self.guess(id.unwrap_or_default(), presented)?;
        if guesses.is_empty() {
            self.verifier.pretend().await?;
        }
        let mut wrong = Seen::Wrong("contradicting credentials", None);
        for (credentials, guess) in guesses {
            match self.compute(credentials, guess).await? {
                Seen::Wrong(reason, client) => wrong = Seen::Wrong(reason, client),
                seen => return Ok(seen),
            }
        }
        Ok(wrong)
    }

    /// Counts a failure and writes it into the audit log.
    fn note_failure(&self, presented: &Presented, reason: &'static str, client: Option<String>) {
        self.counters.note_failed_authentication(reason);
        let entry = Entry {
            event: "authentication".to_owned(),
            object: client,
            from: presented.from,
            outcome: "refused",
            reason: Some(reason),
            ..Entry::default()
        };
        self.audit.note_failure(self.time(), entry);
    }

    /// Counts a guess; the outcome does not depend on whether there is such a client.
    fn guess(&self, id: &str, presented: &Presented) -> Result<(), TokenError> {
        let hash = self.verifier.slowest();
        let counted = self.guess_limiter.take(id, presented.from, hash);
        counted.map_err(|wait| {
            self.counters.note_throttled_guess();
            TokenError::Limited(wait)
        })
    }

    /// Who that is, when nothing has to be hashed for it; else what has to.
    async fn recognise(
        &self,
        Credentials { id, secret }: &Credentials,
        method: Method,
    ) -> Result<Result<Seen, Guess>, TokenError> {
        let Some(row) = within(self.store.known_client(id)).await? else {
            return Ok(Err(Guess::Unknown));
        };
        if row.client.token_endpoint_auth_method != method.name() {
            return Ok(Err(Guess::WrongMethod(row.client.client_id.clone())));
        }
        if method == Method::None {
            return Ok(Ok(Seen::Client(row)));
        }
        match self.verifier.recall(id, &row.hashes(), secret) {
            Ok(verdict) => Ok(Ok(self.judge(row, verdict).await)),
            Err(hashes) => Ok(Err(Guess::Secret(row, hashes))),
        }
    }

    async fn compute(
        &self,
        Credentials { id, secret }: &Credentials,
        guess: Guess,
    ) -> Result<Seen, TokenError> {
        let (row, hashes) = match guess {
            Guess::Secret(row, hashes) => (row, hashes),
            Guess::Unknown => {
                self.verifier.pretend().await?;
                return Ok(Seen::Wrong("unknown client", None));
            }
            Guess::WrongMethod(client) => {
                self.verifier.pretend().await?;
                return Ok(Seen::Wrong("wrong method", Some(client)));
            }
        };
        let stored = row.hashes();
        let verdict = self.verifier.verify(id, &stored, hashes, secret).await?;
        Ok(self.judge(row, verdict).await)
    }

    /// Who that is, with what a right secret leaves behind.
    async fn judge(&self, row: Arc<ClientRow>, verdict: Verdict) -> Seen {
        match verdict {
            Verdict::Wrong => {
                return Seen::Wrong("wrong secret", Some(row.client.client_id.clone()));
            }
            Verdict::Rotated(at, renewed) => self.note_use(&row, at, renewed).await,
            Verdict::Right(Some(renewed)) => self.renew_hash(&row, &renewed).await,
            Verdict::Right(None) => {}
        }
        Seen::Client(row)
    }

    /// Keeps a better hash of the same secret. Without it the client works as before.
    async fn renew_hash(&self, row: &ClientRow, renewed: &str) {
        let id = row.client.client_id.as_str();
        let replaced = self
            .store
            .replace_secret_hash(id, &row.secret_hash, renewed);
        if let Err(error) = within(replaced).await {
            tracing::warn!(client.id = id, error = %error, "the secret could not be hashed anew");
        }
    }
}

impl From<Busy> for TokenError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn presented(header: Option<&str>, body: &str) -> Presented {
        let parameters = carnet_oauth::form::parse(body.as_bytes());
        let request = TokenRequest::from_parameters(parameters).unwrap();
        let basic = header.and_then(|header| Basic::parse(header.as_bytes()));
        let arrival = Arrival {
            at: Instant::now(),
            from: None,
        };
        Presented::new(arrival, basic, &request)
    }

    /// `Basic a:b`.
    const BASIC: Option<&str> = Some("Basic YTpi");

    #[tokio::test]
    async fn the_method_is_where_the_secret_is() {
        for (header, body, expected) in [
            (BASIC, "x=1", Some(Method::Basic)),
            (BASIC, "client_id=a", Some(Method::Basic)),
            (Some("Basic YTo="), "x=1", Some(Method::None)),
            (None, "client_id=a&client_secret=b", Some(Method::Post)),
            (None, "client_id=a", Some(Method::None)),
            (BASIC, "client_id=other", None),
            (BASIC, "client_secret=b", None),
            (BASIC, "client_id=a&client_secret=b", None),
        ] {
            let presented = presented(header, body);
            let attempts = match presented.shown().unwrap() {
                Shown::Secrets(attempts) => attempts,
                Shown::Assertion(..) => Vec::new(),
            };
            assert_eq!(
                attempts.first().map(|(_, method)| *method),
                expected,
                "{header:?} {body}"
            );
        }
    }

    // Holds AS-01, TE-11.
    #[tokio::test]
    async fn an_assertion_stands_alone() {
        let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        for (header, body) in [
            (BASIC, format!("{kind}&client_assertion=x")),
            (None, format!("{kind}&client_assertion=x&client_secret=b")),
            (
                None,
                "client_assertion_type=odd&client_assertion=x".to_owned(),
            ),
            (None, "client_assertion=x&client_id=a".to_owned()),
            (None, format!("{kind}&client_id=a")),
        ] {
            assert!(presented(header, &body).shown().is_err(), "{body}");
        }
        let whole = presented(None, &format!("{kind}&client_assertion=x&client_id=a"));
        assert!(matches!(whole.shown(), Ok(Shown::Assertion(..))));
    }

    #[tokio::test]
    async fn nothing_shown_is_an_invalid_request() {
        for header in [
            None,
            Some("Basic %%%"),
            Some("Basic Zm9v"),
            Some("Bearer x"),
        ] {
            assert!(presented(header, "x=1").shown().is_err(), "{header:?}");
        }
    }
}
