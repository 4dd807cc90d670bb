//! `hmac`: who may pass, by a signature over parts of the request (draft-cavage-http-signatures-12) with
//! a key that both sides have. `shown.rs` reads what a caller shows, `signed.rs` makes the text that was
//! signed, `digest.rs` looks at bodies. A key that nobody has costs what every other does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use aws_lc_rs::hmac as mac;
use carnet_config::routing::middleware::Hmac as Options;
use carnet_oauth::Clock;
use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::HeaderName;
use http_body::Body as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::credentials::refused;
use super::{Exchange, Identity, Middleware, Next, decided};
use crate::body::{Request, Response};
use crate::error::Fault;
use crate::room::Room;
use crate::service::{Collected, collect};
use crate::supplies::Supplies;

mod digest;
mod shown;
mod signed;

use shown::Shown;

const DIGEST: HeaderName = HeaderName::from_static("digest");

/// Bytes of a body whose digest is looked at.
const LARGEST: usize = 64 << 20;

/// The middleware.
pub(super) struct Hmac {
    keys: BTreeMap<String, SecretString>,
    /// Computed with for ids that nobody has.
    decoy: [u8; 32],
    validates_digest: bool,
    enforced: Vec<String>,
    challenge: HeaderValue,
    clock: Arc<dyn Clock>,
    room: Arc<Room>,
}

/// Why a request is refused: a sentence for the log, without anything of the request.
type Refusal = &'static str;

impl Hmac {
    /// The error is one sentence.
    pub(super) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let mut decoy = [0; 32];
        supplies.random.fill(&mut decoy);
        let challenge = format!("Hmac headers=\"{}\"", options.enforced_headers.join(" "));
        Ok(Self {
            keys: options.keys.clone(),
            decoy,
            validates_digest: options.validate_digest,
            enforced: options.enforced_headers.clone(),
            challenge: HeaderValue::try_from(challenge)
                .map_err(|_| "`enforcedHeaders` has characters that no header may have")?,
            clock: Arc::clone(&supplies.clock),
            room: Arc::clone(&supplies.room),
        })
    }

    /// Judges the head.
    fn judge(&self, shown: &Shown, request: &Request) -> Result<(), Refusal> {
        let covers = |name: &String| shown.headers.contains(name);
        if !self.enforced.iter().all(covers) {
            return Err("the signature does not cover what it must");
        }
        let now = self.clock.now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        if shown.created.is_some_and(|created| created > now) {
            return Err("the signature was made in the future");
        }
        if shown.expires.is_some_and(|expires| expires < now) {
            return Err("the signature has expired");
        }
        let text = signed::text(shown, request).ok_or("the signature covers what is not there")?;
        let known = self.keys.get(&shown.key_id);
        let key = known.map_or(&self.decoy[..], |key| key.expose_secret().as_bytes());
        let key = mac::Key::new(shown.algorithm, key);
        let is_right = mac::verify(&key, &text, &shown.signature).is_ok();
        match (known, is_right) {
            (None, _) => Err("nobody has this key"),
            (_, false) => Err("the signature is another's"),
            (Some(_), true) => Ok(()),
        }
    }

    /// Whether the body is to be judged, too.
    fn wants_body(&self, shown: &Shown, request: &Request) -> Result<bool, Refusal> {
        let has_digest = request.headers().contains_key(DIGEST);
        if !self.validates_digest || request.body().is_end_stream() && !has_digest {
            return Ok(false);
        }
        if !has_digest || !shown.headers.iter().any(|name| name == DIGEST.as_str()) {
            return Err("the body has no digest that is signed");
        }
        Ok(true)
    }

    /// Lets a request pass whose body is the signed one. What was read takes memory until the end.
    async fn pass_whole(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Result<Response, Fault> {
        let whole = match collect(request, LARGEST, &self.room).await? {
            Collected::Whole(whole) => whole,
            Collected::Streamed(_, fault) => return Err(fault),
        };
        let is_its_own = digest::is_of(whole.request()).await;
        let (request, _share) = whole.last();
        match is_its_own {
            true => Ok(next.run(request).await),
            false => Ok(self.refusal("the digest is another body's", exchange)),
        }
    }

    fn refusal(&self, why: Refusal, exchange: &Exchange) -> Response {
        refused(self.kind(), why, &self.challenge, exchange)
    }
}

impl fmt::Debug for Hmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hmac").finish_non_exhaustive()
    }
}

impl Middleware for Hmac {
    fn kind(&self) -> &'static str {
        "hmac"
    }

    fn handle<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let refused = |why| decided(Ok(self.refusal(why, exchange)));
        let shown = match Shown::by(request.headers()) {
            Ok(shown) => shown,
            Err(why) => return refused(why),
        };
        exchange.identify(Identity {
            username: Some(shown.key_id.clone()),
            client_id: None,
        });
        let judged = self.judge(&shown, &request);
        match judged.and_then(|()| self.wants_body(&shown, &request)) {
            Err(why) => refused(why),
            Ok(false) => next.pass(request),
            Ok(true) => Box::pin(self.pass_whole(request, exchange, next)),
        }
    }
}
