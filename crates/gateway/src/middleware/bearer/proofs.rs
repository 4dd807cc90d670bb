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

#[cfg(test)]
mod tests {
    use super::*;

    /// The life of a proof, with the margin of whoever made it.
    const LIFE: i64 = dpop::PAST + dpop::AHEAD;

    fn reason(outcome: Result<(), Fault>) -> Option<Reason> {
        outcome.err().map(|fault| fault.reason())
    }

    fn remembered(proofs: &Proofs) -> usize {
        let used = proofs.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(used.names.len(), used.ends.len());
        used.names.len()
    }

    /// As long as the name of a proof is.
    fn name(n: i64) -> String {
        format!("{n:043}")
    }

    // Holds DP-03.
    #[test]
    fn of_a_million_proofs_those_that_still_count_are_remembered() {
        let (proofs, a_second) = (Proofs::default(), 1000);
        for n in 0..1_000_000 {
            let now = n / a_second;
            assert_eq!(reason(proofs.use_once(name(n), now + LIFE, now)), None);
            if n % 10_007 == 0 {
                let oldest = (n - LIFE * a_second).max(0);
                for again in [n, n - n % a_second, oldest] {
                    let outcome = proofs.use_once(name(again), now + LIFE, now);
                    assert_eq!(reason(outcome), Some(Reason::ProofInvalid), "{again}");
                }
                let at_most = usize::try_from((LIFE + 1) * a_second).unwrap_or_default();
                assert!(remembered(&proofs) <= at_most, "{n}");
            }
        }
    }

    // Holds DP-03.
    #[test]
    fn of_a_million_proofs_at_once_no_more_are_taken_than_can_be_remembered() {
        let proofs = Proofs::default();
        let mut taken = 0;
        for n in 0..1_000_000 {
            match reason(proofs.use_once(name(n), LIFE, 0)) {
                None => taken += 1,
                other => assert_eq!(other, Some(Reason::TokenUnverifiable)),
            }
        }
        assert_eq!((taken, remembered(&proofs)), (REMEMBERED, REMEMBERED));
        let again = proofs.use_once(name(0), LIFE, LIFE);
        assert_eq!(reason(again), Some(Reason::ProofInvalid));
        assert_eq!(
            reason(proofs.use_once(name(0), 2 * LIFE + 1, LIFE + 1)),
            None
        );
        assert_eq!(remembered(&proofs), 1);
    }
}
