//! What middlewares that take tokens of callers have in common: where a token stands, whom it is
//! bound to, what a refusal says and what the service gets. Knows not who judges tokens.
//! `passage.rs` is the whole way; `place.rs` finds, `binding.rs` compares, `challenge.rs` answers,
//! `claimed.rs` stamps what `told.rs` holds, `resource.rs` tells, `proofs.rs` counts.

mod binding;
mod challenge;
mod claimed;
mod passage;
mod place;
mod proofs;
mod resource;
mod told;

pub(super) use binding::Binding;
pub(super) use challenge::Challenge;
pub(super) use claimed::{Claimed, Stamped};
pub(super) use passage::{Judged, Judges, Passage};
pub(super) use place::{Place, Scheme, Shown, is_form};
pub(super) use told::Told;

use proofs::{NextNonce, Proofs, Sent};
use resource::Resource;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Exchange;
use crate::error::{Fault, Reason};
use crate::jwks::Strength;

/// A token that was judged and is right, with what the options make of it; the same for each request
/// that carries it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) stamped: Stamped,
    pub(super) binding: Binding,
    /// What it was signed with; `None`: its server vouched for it.
    pub(super) strength: Option<Strength>,
}

impl Known {
    /// Whether a request may use the token here, as far as proofs do not say.
    ///
    /// # Errors
    /// Why not.
    fn check_binding(&self, scheme: Scheme, exchange: &Exchange) -> Result<(), Fault> {
        match self.binding.refusal(scheme, exchange) {
            Some(sentence) => Err(Fault::new(Reason::TokenInvalid).because(sentence)),
            None => Ok(()),
        }
    }

    /// Whether the claims are what they have to be.
    ///
    /// # Errors
    /// When they are not.
    fn check_claims(&self) -> Result<(), Fault> {
        match self.stamped.is_admitted {
            true => Ok(()),
            false => Err(Fault::new(Reason::ClaimsUnsatisfied)),
        }
    }
}

/// A token that was judged and is right, with what refusals of it say.
#[derive(Debug, Clone)]
pub(super) struct Vouched(pub(super) Arc<Known>, pub(super) Arc<Challenge>);

/// When a token ends whose claims say this; `None`: they do not, or too late for any clock.
pub(super) fn end(seconds: Option<i64>) -> Option<SystemTime> {
    let seconds = seconds?;
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    SystemTime::UNIX_EPOCH.checked_add(since)
}
