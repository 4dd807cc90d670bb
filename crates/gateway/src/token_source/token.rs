//! A token that was given, with what is known about it.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use carnet_jose::{jws, jwt};
use carnet_oauth::token_response::TokenResponse;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::time::Instant;

use super::Grant;
use crate::traces::SpanIds;

/// Never nearer to a token's end than this, or than a tenth of its life when that is less.
const MARGIN: Duration = Duration::from_secs(10);

/// The claims that say whether a revocation means a token.
const REVOKED_BY: [&str; 3] = ["client_id", "iat", "jti"];

/// An access token.
pub(crate) struct Token {
    /// `Bearer ...`, marked sensitive: it prints as nothing.
    pub(crate) bearer: HeaderValue,
    /// The claims of a JWT that somebody will look at, not verified: they came from the endpoint
    /// that was configured. `None`: the token is opaque.
    pub(crate) claims: Option<Value>,
    /// What whoever uses the source makes of the claims for each request, made once.
    values: OnceLock<Box<[HeaderValue]>>,
    /// Name of the key that signed a JWT.
    kid: Option<Box<str>>,
    /// Whether another gateway got it.
    pub(super) is_shared: bool,
    asked: Asked,
    /// Its end by the steady clock, without a margin; `None`: nobody knows.
    end: Option<Instant>,
    reuse: Option<Reuse>,
    /// The span in which it was got, where spans are made.
    span: Option<Box<SpanIds>>,
}

/// How long a token may be used again, by both clocks: the steady one does not follow jumps of the
/// time of day, the time of day does not stop while the machine sleeps.
struct Reuse {
    until: Instant,
    until_time: SystemTime,
}

/// When a token was asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) time: SystemTime,
}

impl Token {
    /// Reads an answer with a status of success. A token lives from the moment it was asked for.
    ///
    /// # Errors
    /// One sentence, when the answer is no token answer (RFC 6749, section 5.1), or brings something
    /// else than was asked for.
    pub(super) fn read(
        answer: &Response<Bytes>,
        asked: Asked,
        (max_age, grant): (Duration, &Grant),
    ) -> Result<Self, &'static str> {
        if !is_json(answer) {
            return Err("the answer is not JSON");
        }
        let response = TokenResponse::from_json(answer.body())
            .map_err(|_| "the answer is not a token answer")?;
        grant.check(&response)?;
        let seconds = response.expires_in;
        let expires_in =
            seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()));
        Self::new(
            response.access_token.expose_secret(),
            expires_in,
            asked,
            max_age,
        )
    }

    /// A token that lives for so long from the moment it was asked for, or until its own `exp`.
    ///
    /// # Errors
    /// One sentence, when the text cannot be a token.
    pub(super) fn new(
        text: &str,
        expires_in: Option<Duration>,
        asked: Asked,
        max_age: Duration,
    ) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > jws::MAX_COMPACT_LENGTH {
            return Err("the token is empty or too long");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token has characters that cannot be in a header");
        }
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}"))
            .map_err(|_| "the token cannot be in a header")?;
        bearer.set_sensitive(true);
        let (kid, claims) = decoded(text).unzip();
        let expiry = claims.as_ref().and_then(|claims| jwt::time(claims, "exp"));
        let life = life(expires_in, expiry, asked.time);
        Ok(Self {
            bearer,
            claims: claims.map(Value::Object),
            values: OnceLock::new(),
            kid: kid.flatten(),
            is_shared: false,
            asked,
            end: life.and_then(|life| asked.at.checked_add(life)),
            reuse: life.and_then(|life| Reuse::new(asked, life, max_age)),
            span: None,
        })
    }

    /// The same with the claims of these names alone, and those that revocations are about.
    pub(super) fn with_claims_of(mut self, names: &BTreeSet<String>) -> Self {
        let is_kept = |name: &String| REVOKED_BY.contains(&name.as_str()) || names.contains(name);
        if let Some(Value::Object(claims)) = self.claims.take() {
            let kept = claims.into_iter().filter(|(name, _)| is_kept(name));
            self.claims = Some(Value::Object(kept.collect()));
        }
        self
    }

    /// The same, which was got in this span.
    pub(super) fn got_in(mut self, span: Option<SpanIds>) -> Self {
        self.span = span.map(Box::new);
        self
    }

    /// Values of headers that are made of the claims; the same ones each time.
    pub(crate) fn values(&self, make: impl FnOnce() -> Box<[HeaderValue]>) -> &[HeaderValue] {
        self.values.get_or_init(make)
    }

    /// The span in which it was got.
    pub(crate) fn span(&self) -> Option<&SpanIds> {
        self.span.as_deref()
    }

    /// The token itself.
    pub(super) fn text(&self) -> &str {
        let text = self.bearer.to_str().unwrap_or_default();
        text.strip_prefix("Bearer ").unwrap_or_default()
    }

    /// A claim that is a text.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.as_ref()?.get(name)?.as_str()
    }

    /// Name of the key that signed it, where it says one.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// When it was issued, in seconds since 1970: what it says, or when it was asked for.
    pub(super) fn issued_at(&self) -> i64 {
        let claims = self.claims.as_ref().and_then(Value::as_object);
        let said = claims.and_then(|claims| jwt::time(claims, "iat"));
        said.unwrap_or_else(|| seconds(self.asked.time))
    }

    /// Whether it ended since it was asked for: it was too long on its way.
    pub(super) fn is_over(&self, now: Asked) -> bool {
        self.end.is_some_and(|end| now.at >= end)
    }

    /// When it was asked for.
    pub(super) fn asked_at(&self) -> Instant {
        self.asked.at
    }

    /// The same by the time of day.
    pub(super) fn asked_time(&self) -> SystemTime {
        self.asked.time
    }

    /// How long it lives from when it was asked for; `None`: nobody knows.
    pub(super) fn life(&self) -> Option<Duration> {
        Some(self.end? - self.asked.at)
    }

    /// For how long it may be used again, counted from when it was asked for.
    pub(super) fn usable_life(&self) -> Duration {
        let until = self
            .reuse
            .as_ref()
            .map_or(self.asked.at, |reuse| reuse.until);
        until - self.asked.at
    }

    /// For how long it may still be used again.
    pub(super) fn time_left(&self, now: Asked) -> Duration {
        let Some(reuse) = &self.reuse else {
            return Duration::ZERO;
        };
        let by_day = reuse.until_time.duration_since(now.time);
        let left = reuse.until.saturating_duration_since(now.at);
        left.min(by_day.unwrap_or_default())
    }

    /// Whether it may be used once more.
    pub(super) fn is_fresh(&self, now: Asked) -> bool {
        self.reuse
            .as_ref()
            .is_some_and(|reuse| now.at < reuse.until && now.time < reuse.until_time)
    }
}

impl Reuse {
    fn new(asked: Asked, life: Duration, max_age: Duration) -> Option<Self> {
        let usable = (life - MARGIN.min(life / 10)).min(max_age);
        Some(Self {
            until: asked.at.checked_add(usable)?,
            until_time: asked.time.checked_add(usable)?,
        })
    }
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}

/// What is left of the life of a token that says when it ends: nothing, when it is over. Nobody checks
/// its signature here: whoever believes too much in it keeps what came of it for a shorter time.
pub(super) fn left(token: &str, now: SystemTime) -> Option<Duration> {
    let (_, claims) = decoded(token)?;
    let end = jwt::time(&claims, "exp")?;
    let end = Duration::from_secs(u64::try_from(end).unwrap_or_default());
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(end.saturating_sub(now))
}

/// What is left of a token's life: the shorter of what the answer and the token say; `None` when
/// neither says anything, or when one says that it is over.
fn life(expires_in: Option<Duration>, expiry: Option<i64>, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let by_token = expiry.map(|at| {
        u64::try_from(at)
            .ok()
            .and_then(|at| Duration::from_secs(at).checked_sub(now))
            .unwrap_or_default()
    });
    [by_token, expires_in]
        .into_iter()
        .flatten()
        .min()
        .filter(|life| !life.is_zero())
}

/// The key's name and the claims of a token that is a JWT, its signature unchecked.
fn decoded(token: &str) -> Option<(Option<Box<str>>, jwt::Claims)> {
    let decoded = jws::decode_unverified(token).ok()?;
    let kid = decoded.header.get("kid").and_then(Value::as_str);
    let claims = jwt::claims(&decoded.payload).ok()?;
    Some((kid.map(Into::into), claims))
}

/// An answer without a type may be JSON; one of another type is a page for people.
fn is_json(answer: &Response<Bytes>) -> bool {
    let Some(value) = answer.headers().get(CONTENT_TYPE) else {
        return true;
    };
    let Ok(text) = value.to_str() else {
        return false;
    };
    let kind = text.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}
