//! Proofs of keys (RFC 9449) that were used, so that each counts once: in the memory of this process,
//! whatever its configuration is meanwhile, and in a store where several gateways note them. Knows the
//! names of proofs and when they end; refuses to know requests and tokens, which
//! `middleware/bearer/proofs.rs` does. `used.rs` remembers, `shared.rs` asks the store.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::hmac;
use carnet_config::routing::middleware::oauth_client_credentials::Secrets;
use carnet_oauth::Random;
use carnet_oauth::dpop::{Nonces, Proven};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

mod shared;
mod used;

pub(crate) use shared::Shared;

use used::Used;

/// What a secret of the configuration makes nonces with: none of what else it may be good for.
const PURPOSE: &[u8] = b"carnet gateway dpop nonce 1";

/// What a process knows of proofs.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    used: Used,
    /// Nonces of middlewares that were told no secret.
    own: OnceLock<Arc<Nonces>>,
}

/// Why a proof does not count that is right otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It counted before.
    Used,
    /// There is no memory left to know it again.
    Full,
    /// The store cannot say whether it was used elsewhere.
    NoStore,
}

impl Proofs {
    /// Uses a proof up, here and then in a store.
    ///
    /// # Errors
    /// When it was used before, or nobody could tell the next time.
    pub(crate) async fn use_up(
        &self,
        proven: &Proven,
        shared: Option<&Shared>,
        now: i64,
    ) -> Result<(), Refusal> {
        self.used.note(&proven.name, proven.until, now)?;
        match shared {
            Some(shared) => shared.note(proven, now).await,
            None => Ok(()),
        }
    }

    /// Nonces of these secrets, or of this process alone where there are none.
    pub(crate) fn nonces(&self, secrets: &Secrets, random: &dyn Random) -> Arc<Nonces> {
        if secrets.0.is_empty() {
            return Arc::clone(self.own.get_or_init(|| Arc::new(own(random))));
        }
        let keys = secrets.0.iter().map(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
            hmac::sign(&key, PURPOSE)
        });
        Arc::new(Nonces::new(keys))
    }
}

fn own(random: &dyn Random) -> Nonces {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill(&mut *secret);
    Nonces::new([secret.as_slice()])
}

#[cfg(test)]
mod tests {
    use super::*;

    use carnet_testkit::SeededRandom;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets(texts.iter().map(|text| (*text).into()).collect())
    }

    // Holds DP-03.
    #[test]
    fn gateways_of_one_secret_take_the_nonces_of_each_other_and_of_the_secret_before() {
        let random = SeededRandom::new(1);
        let of = |texts: &[&str]| Proofs::default().nonces(&secrets(texts), &random);
        let made = of(&["one"]).at(0);
        for (known, counts) in [
            (&["one"][..], true),
            (&["two", "one"], true),
            (&["two"], false),
            (&[], false),
        ] {
            assert_eq!(of(known).accepts(&made, 0), counts, "{known:?}");
        }
        // The secret itself makes others.
        assert!(!Nonces::new([b"one"]).accepts(&made, 0));
    }

    #[test]
    fn a_process_without_a_secret_makes_one_up_and_stays_with_it() {
        let (random, proofs) = (SeededRandom::new(1), Proofs::default());
        let nonces = || proofs.nonces(&Secrets::default(), &random);
        assert_eq!(nonces().at(0), nonces().at(0));
        let other = Proofs::default().nonces(&Secrets::default(), &random);
        assert!(!other.accepts(&nonces().at(0), 0));
    }
}
