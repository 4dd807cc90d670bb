//! Proofs that several gateways note in one store. It is asked and never trusted: what this process
//! saw it knows by itself, and all that a store can do is to refuse more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use carnet_config::routing::middleware::dpop::ProofStore as Options;
use carnet_oauth::Random;
use carnet_oauth::dpop::Proven;

use super::Refusal;
use crate::supplies::Supplies;
use crate::token_source::{Store, Trouble};

/// The store, as one middleware uses it.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    prefix: String,
    denies_on_error: bool,
    random: Arc<dyn Random>,
    is_said: AtomicBool,
}

impl Shared {
    /// The error is one sentence.
    pub(crate) fn new(options: &Options, supplies: &Supplies) -> Result<Self, String> {
        let stores = &supplies.providers.stores;
        let store = stores.of(&options.redis, &supplies.resolve)?;
        Ok(Self::over(store, options, &supplies.random))
    }

    fn over(store: Arc<dyn Store>, options: &Options, random: &Arc<dyn Random>) -> Self {
        Self {
            store,
            prefix: options.key_prefix.clone(),
            denies_on_error: options.deny_on_error,
            random: Arc::clone(random),
            is_said: AtomicBool::new(false),
        }
    }

    /// Notes a proof until its end, unless another gateway did.
    pub(super) async fn note(&self, proven: &Proven, now: i64) -> Result<(), Refusal> {
        let taken = self.take(proven, now).await;
        self.tell(taken.is_ok());
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Used),
            Err(Trouble) if self.denies_on_error => Err(Refusal::NoStore),
            Err(Trouble) => Ok(()),
        }
    }

    async fn take(&self, proven: &Proven, now: i64) -> Result<bool, Trouble> {
        let name = format!("{}carnet:proof:{}", self.prefix, proven.name);
        // The last second counts, too.
        let life = u64::try_from(proven.until.saturating_sub(now)).unwrap_or_default() + 1;
        let mut holder = [0; 16];
        self.random.fill(&mut holder);
        let life = Duration::from_secs(life);
        if self.store.take(&name, &holder, life).await? {
            return Ok(true);
        }
        // A command whose answer was lost is sent once more, and finds what it did itself.
        let stored = self.store.get(&name).await.unwrap_or_default();
        Ok(stored.is_some_and(|stored| stored.value == holder))
    }

    /// Tells once that it cannot be used, where that refuses requests, and once that it can.
    fn tell(&self, is_well: bool) {
        let was_said = self.is_said.swap(!is_well, Ordering::Relaxed);
        if !self.denies_on_error || is_well != was_said {
            return;
        }
        match is_well {
            true => tracing::info!("the store of proofs works again"),
            false => tracing::error!(
                "the store of proofs cannot be used: tokens that are bound to keys are answered 503"
            ),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use carnet_config::routing::middleware::oauth_client_credentials::{Login, Redis, Topology};
    use carnet_testkit::SeededRandom;
    use tokio::time::advance;

    use crate::proofs::Proofs;
    use crate::token_source::tests::shelf::{Health, Shelf};

    const NOW: i64 = 1000;

    /// A gateway with a store.
    struct Gateway {
        proofs: Proofs,
        shared: Shared,
    }

    impl Gateway {
        fn new(shelf: &Arc<Shelf>, seed: u64, deny_on_error: bool) -> Self {
            let options = Options {
                key_prefix: "gw:".to_owned(),
                redis: Redis {
                    endpoints: Vec::new(),
                    login: Login::default(),
                    topology: Topology::Cluster,
                    tls: None,
                },
                deny_on_error,
            };
            let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
            Self {
                proofs: Proofs::default(),
                shared: Shared::over(shelf.clone(), &options, &random),
            }
        }

        async fn sees(&self, proof: &Proven) -> Result<(), Refusal> {
            self.proofs.use_up(proof, Some(&self.shared), NOW).await
        }
    }

    /// A digest in base64url.
    fn digest(name: &str) -> String {
        format!("{}A", name.repeat(42))
    }

    fn proof(name: &str) -> Proven {
        Proven {
            thumbprint: "key".to_owned(),
            name: digest(name),
            until: NOW + 70,
            next_nonce: None,
        }
    }

    // Holds DP-03.
    #[tokio::test(start_paused = true)]
    async fn a_proof_that_one_gateway_saw_is_refused_by_the_other_until_its_end() {
        let shelf = Shelf::new();
        let (one, other) = (Gateway::new(&shelf, 1, true), Gateway::new(&shelf, 2, true));
        assert_eq!(one.sees(&proof("A")).await, Ok(()));
        assert_eq!(one.sees(&proof("A")).await, Err(Refusal::Used));
        assert_eq!(other.sees(&proof("A")).await, Err(Refusal::Used));
        assert_eq!(other.sees(&proof("B")).await, Ok(()));
        assert_eq!(one.sees(&proof("B")).await, Err(Refusal::Used));
        let names: Vec<String> = shelf.values().into_keys().collect();
        let expected = ["A", "B"].map(|name| format!("gw:carnet:proof:{}", digest(name)));
        assert_eq!(names, expected);
        advance(Duration::from_secs(70)).await;
        assert_eq!(other.sees(&proof("A")).await, Err(Refusal::Used));
        // What the store forgets, whoever saw it does not.
        advance(Duration::from_secs(1)).await;
        assert_eq!(one.sees(&proof("A")).await, Err(Refusal::Used));
        assert_eq!(
            Gateway::new(&shelf, 3, true).sees(&proof("A")).await,
            Ok(())
        );
    }

    // Holds DP-03.
    #[tokio::test(start_paused = true)]
    async fn without_its_store_a_gateway_refuses_proofs_unless_it_is_to_remember_by_itself() {
        let shelf = Shelf::new();
        let (strict, lax) = (
            Gateway::new(&shelf, 1, true),
            Gateway::new(&shelf, 2, false),
        );
        assert_eq!(strict.sees(&proof("A")).await, Ok(()));
        shelf.turn(Health::Hanging);
        assert_eq!(strict.sees(&proof("B")).await, Err(Refusal::NoStore));
        assert_eq!(strict.sees(&proof("A")).await, Err(Refusal::Used));
        assert_eq!(lax.sees(&proof("A")).await, Ok(()));
        assert_eq!(lax.sees(&proof("A")).await, Err(Refusal::Used));
        shelf.turn(Health::Well);
        // It was refused, and not forgotten.
        assert_eq!(strict.sees(&proof("B")).await, Err(Refusal::Used));
        assert_eq!(strict.sees(&proof("C")).await, Ok(()));
        assert_eq!(lax.sees(&proof("C")).await, Err(Refusal::Used));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_lost_answer_left_in_the_store_is_ones_own() {
        let shelf = Shelf::new();
        let mut holder = [0; 16];
        SeededRandom::new(1).fill(&mut holder);
        let name = format!("gw:carnet:proof:{}", digest("A"));
        let life = Duration::from_secs(71);
        shelf.put(&name, holder.to_vec(), life).await.unwrap();
        let (other, one) = (Gateway::new(&shelf, 2, true), Gateway::new(&shelf, 1, true));
        assert_eq!(other.sees(&proof("A")).await, Err(Refusal::Used));
        assert_eq!(one.sees(&proof("A")).await, Ok(()));
    }
}
