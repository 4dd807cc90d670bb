//! What middlewares that take tokens of callers have in common: where a token stands, whom it is
//! bound to, what a refusal says and what the service gets. Knows not who judges tokens.
//! `place.rs` finds, `binding.rs` compares, `challenge.rs` answers, `claimed.rs` stamps, `resource.rs`
//! tells, `proofs.rs` counts.

mod binding;
mod challenge;
mod claimed;
mod place;
mod proofs;
mod resource;

pub(super) use binding::Binding;
pub(super) use challenge::Challenge;
pub(super) use claimed::{Claimed, Stamped};
pub(super) use place::{Place, Scheme, Shown};
pub(super) use resource::Resource;

use proofs::{Proofs, Sent};

use std::sync::Arc;

use aws_lc_rs::hmac;
use carnet_oauth::{Clock, Random};
use secrecy::ExposeSecret as _;

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

/// Says who may use a token that is right.
pub(super) struct Guard {
    proofs: Proofs,
    clock: Arc<dyn Clock>,
}

impl Guard {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            proofs: Proofs::default(),
            clock: Arc::clone(clock),
        }
    }

    /// Whether a request may use the token here.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(
        &self,
        known: &Known,
        shown: &Shown,
        exchange: &Exchange,
    ) -> Result<(), Fault> {
        if let Some(sentence) = known.binding.refusal(shown.scheme, exchange) {
            return Err(Fault::new(Reason::TokenInvalid).because(sentence));
        }
        if let (Binding::Key(thumbprint), Some(sent)) = (&known.binding, &shown.sent) {
            let token = shown.token.expose_secret();
            self.proofs
                .check(sent, (thumbprint, token), self.clock.now())?;
        }
        match known.stamped.is_admitted {
            true => Ok(()),
            false => Err(Fault::new(Reason::ClaimsUnsatisfied)),
        }
    }
}

/// An extension of a request whose token was judged and is right, with what refusals of it say.
#[derive(Debug, Clone)]
pub(super) struct Vouched(pub(super) Arc<Known>, pub(super) Arc<Challenge>);

/// Names of tokens that say nothing of them: an HMAC by a key of this middleware alone.
pub(super) struct Digests(hmac::Key);

/// The name of a token.
pub(super) type Digest = [u8; 32];

impl Digests {
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    pub(super) fn of(&self, token: &str) -> Digest {
        let mut digest = [0; 32];
        digest.copy_from_slice(hmac::sign(&self.0, token.as_bytes()).as_ref());
        digest
    }
}
