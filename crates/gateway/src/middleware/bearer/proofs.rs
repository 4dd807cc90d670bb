//! Proofs of keys (RFC 9449) beside tokens that are bound to them: judged by `carnet_oauth::dpop`,
//! for the address and the method of the request, and each counted once.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use carnet_oauth::dpop::{self, DpopError, Expected};
use http::header::HOST;
use http::{HeaderMap, HeaderValue};

use crate::body::Request;
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::middleware::redirect::told_scheme;
use crate::token_source::seconds;

/// Proofs that are remembered for as long as they count. Beyond so many none is taken.
const REMEMBERED: usize = 1 << 18;

/// The proofs that were used.
#[derive(Debug, Default)]
pub(in crate::middleware) struct Proofs(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    names: BTreeSet<String>,
    /// By when they came, which is nearly by when they end.
    ends: VecDeque<(i64, String)>,
}

/// What the proof of a request is about, taken before its head is changed.
#[derive(Debug)]
pub(in crate::middleware) struct Sent {
    proofs: HeaderMap,
    method: String,
    address: String,
}

impl Sent {
    pub(in crate::middleware) fn of(request: &Request, exchange: &Exchange) -> Self {
        let mut proofs = HeaderMap::new();
        for value in request.headers().get_all(dpop::HEADER) {
            proofs.append(dpop::HEADER, value.clone());
        }
        let host = request.headers().get(HOST).map(HeaderValue::to_str);
        let host = host.and_then(Result::ok).unwrap_or_default();
        let (scheme, path) = (told_scheme(request, exchange), request.uri().path());
        Self {
            proofs,
            method: request.method().as_str().to_owned(),
            address: format!("{scheme}://{host}{path}"),
        }
    }
}

impl Proofs {
    /// Whether the request proves the key with this thumbprint, for this token.
    ///
    /// # Errors
    /// When it does not, or did so before.
    pub(in crate::middleware) fn check(
        &self,
        sent: &Sent,
        (thumbprint, token): (&str, &str),
        now: SystemTime,
    ) -> Result<(), Fault> {
        let now = seconds(now);
        let values = sent.proofs.get_all(dpop::HEADER).iter();
        let proof = dpop::only(values.map(HeaderValue::as_bytes)).map_err(refused)?;
        let missing = "the token is bound to a key, and there is no proof of it";
        let proof = proof.ok_or_else(|| Fault::new(Reason::ProofInvalid).because(missing))?;
        let expected = Expected {
            method: &sent.method,
            uris: std::slice::from_ref(&sent.address),
            access_token: Some(token),
            nonces: None,
            needs_nonce: false,
            now,
        };
        let proven = dpop::verify(proof, &expected).map_err(refused)?;
        let is_its_key = proven.thumbprint == thumbprint;
        if !is_its_key {
            return Err(
                Fault::new(Reason::TokenInvalid).because("the token is bound to another key")
            );
        }
        self.use_once(proven.name, proven.until, now)
    }

    fn use_once(&self, name: String, until: i64, now: i64) -> Result<(), Fault> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Used { names, ends } = &mut *used;
        while let Some((end, name)) = ends.front()
            && *end < now
        {
            names.remove(name);
            ends.pop_front();
        }
        if names.contains(&name) {
            return Err(Fault::new(Reason::ProofInvalid).because("the proof was used before"));
        }
        if names.len() >= REMEMBERED {
            let cause = "there are too many proofs to remember";
            return Err(Fault::new(Reason::TokenUnverifiable).because(cause));
        }
        names.insert(name.clone());
        ends.push_back((until, name));
        Ok(())
    }
}

/// Two headers are a mistake of the request, everything else of the proof.
fn refused(error: DpopError) -> Fault {
    let reason = match error {
        DpopError::Several => Reason::BadRequest,
        _ => Reason::ProofInvalid,
    };
    Fault::new(reason).because(error)
}
