//! Verifies secrets, and remembers those that were right: a right secret costs one slow hash in
//! the life of the process, not one a request.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use carnet_oauth::Random;
use quick_cache::sync::Cache;
use secrecy::SecretString;

use crate::{
    domain::{
        secret::{
            Busy,
            hash::{self, Cost, KeyedHash, Said, SlowHash, StoredHash},
            queue::HashQueue,
        },
        system_keys::SystemKeys,
    },
    options::Options,
};

/// So many right secrets are remembered.
const REMEMBERED: usize = 100_000;

/// The outcome of a verification.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::domain) enum Verdict {
    /// The secret is right; when there is a text, the stored hash should become it.
    Right(Option<String>),
    /// One that a rotation replaced is right: the hash at this place, which should become the text
    /// when there is one.
    Rotated(usize, Option<String>),
    /// It is not.
    Wrong,
}

/// Slow hashes, with their places, that a secret has not been held against yet.
#[derive(Debug)]
pub(in crate::domain) struct Unsure(Vec<(usize, SlowHash)>);

/// Where a secret comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Origin {
    /// It was made here.
    Generated,
    /// Somebody chose it.
    Supplied,
}

/// Verifies and hashes secrets. Clones share the queue and what is remembered.
#[derive(Debug, Clone)]
pub(in crate::domain) struct SecretVerifier {
    system: Arc<SystemKeys>,
    random: Arc<dyn Random>,
    cost: Cost,
    queue: Arc<HashQueue>,
    /// Keyed digests of client, stored hash and secret. The key lives as long as the process.
    remembered: Arc<Cache<[u8; 32], ()>>,
    remember_key: hmac::Key,
    /// The names of system secrets that are missing, each said once.
    missing: Arc<Mutex<BTreeSet<String>>>,
}

impl SecretVerifier {
    pub(in crate::domain) fn new(
        system: Arc<SystemKeys>,
        random: Arc<dyn Random>,
        options: &Options,
    ) -> Self {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        random.fill(&mut *key);
        Self {
            system,
            random,
            cost: cost(options),
            queue: Arc::new(HashQueue::new(options.hashing_threads)),
            remembered: Arc::new(Cache::new(REMEMBERED)),
            remember_key: hmac::Key::new(hmac::HMAC_SHA256, &*key),
            missing: Arc::default(),
        }
    }

    /// The same verifier, which hashes from now on as these options say.
    pub(in crate::domain) fn with(&self, options: &Options) -> Self {
        Self {
            cost: cost(options),
            ..self.clone()
        }
    }

    /// The longest that a hash took lately.
    pub(in crate::domain) fn slowest(&self) -> Duration {
        self.queue.slowest()
    }

    /// Learns how long a hash takes here, so that the first failure is answered like all others.
    pub(in crate::domain) async fn calibrate(&self) {
        let cost = self.cost;
        let random = Arc::clone(&self.random);
        let job = move || {
            let secret = SecretString::from("calibration");
            Some(hash::slow(&secret, cost, &*random))
        };
        // A queue that is full already has nothing to learn.
        let _ = self.queue.run(job).await;
    }

    /// Hashes a new secret for its client.
    pub(in crate::domain) async fn hash(
        &self,
        client_id: &str,
        secret: &SecretString,
        origin: Origin,
    ) -> Option<String> {
        if origin == Origin::Generated {
            return hash::keyed(&self.system, client_id, secret);
        }
        let (secret, random) = (secret.clone(), Arc::clone(&self.random));
        let cost = self.cost;
        // Not through the queue: a flood of wrong secrets must not stop the administrator.
        tokio::task::spawn_blocking(move || hash::slow(&secret, cost, &*random))
            .await
            .ok()
    }

    /// What can be said at once of a client's secret, whose current hash is the first: that it is
    /// right by a fast hash, or was right before. Otherwise the slow hashes that remain to be asked.
    pub(in crate::domain) fn recall(
        &self,
        client_id: &str,
        stored: &[&str],
        secret: &SecretString,
    ) -> Result<Verdict, Unsure> {
        let mut slow = Vec::new();
        for (at, text) in stored.iter().enumerate() {
            match StoredHash::parse(text) {
                Some(StoredHash::Keyed(hash)) => {
                    match hash::verify_keyed(&self.system, client_id, secret, &hash) {
                        Said::Right(0) => return Ok(right(at, None)),
                        Said::Right(_) => {
                            let renewed = hash::keyed(&self.system, client_id, secret);
                            return Ok(right(at, renewed));
                        }
                        Said::Wrong => {}
                        Said::Nothing => self.tell_missing(client_id, &hash),
                    }
                }
                Some(StoredHash::Slow(hash)) => {
                    let key = self.digest(client_id, text, secret);
                    if self.remembered.get(&key).is_some() {
                        return Ok(right(at, None));
                    }
                    slow.push((at, hash));
                }
                None => tracing::error!(
                    client.id = client_id,
                    "a hash of the client's secrets is damaged"
                ),
            }
        }
        Err(Unsure(slow))
    }

    /// Asks the slow hashes, all of them in one turn, so that a failure waits in the queue once.
    /// Where there is none, a place in the queue is taken all the same before the answer is no.
    pub(in crate::domain) async fn verify(
        &self,
        client_id: &str,
        stored: &[&str],
        Unsure(slow): Unsure,
        secret: &SecretString,
    ) -> Result<Verdict, Busy> {
        if slow.is_empty() {
            return self.pretend().await;
        }
        let candidate = secret.clone();
        let found = self
            .queue
            .run(move || slow.into_iter().find(|(_, hash)| hash.verifies(&candidate)))
            .await?;
        let Some((at, hash)) = found else {
            return Ok(Verdict::Wrong);
        };
        // An old secret that a rotation replaced is on its way out: its hash stays as it is.
        let renewed = match at == 0 && !hash.is_current(self.cost, secret) {
            true => self.hash(client_id, secret, Origin::Supplied).await,
            false => None,
        };
        if let Some(kept) = renewed.as_deref().or(stored.get(at).copied()) {
            self.remembered
                .insert(self.digest(client_id, kept, secret), ());
        }
        Ok(right(at, renewed))
    }

    /// Takes the place of a verification that cannot be right.
    pub(in crate::domain) async fn pretend(&self) -> Result<Verdict, Busy> {
        self.queue.idle().await?;
        Ok(Verdict::Wrong)
    }

    /// Says once for each system secret that it is missing, in the sentence that helps.
    fn tell_missing(&self, client_id: &str, hash: &KeyedHash) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.insert(hash.system.clone()) {
            tracing::error!(
                client.id = client_id,
                "a client's secret cannot be verified: none of secrets.system is the one that it was \
                 hashed with; put that one back behind the others, or give the client a new secret"
            );
        }
    }

    /// Everything that the verdict depends on, each part with its length.
    fn digest(&self, client_id: &str, stored: &str, secret: &SecretString) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.remember_key);
        context.update(&(stored.len() as u64).to_be_bytes());
        context.update(stored.as_bytes());
        context.update(&hash::message(client_id, secret));
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

fn cost(options: &Options) -> Cost {
    Cost {
        iterations: NonZeroU32::new(options.pbkdf2_iterations).unwrap_or(NonZeroU32::MIN),
        bcrypt: options.bcrypt_cost,
    }
}

fn right(at: usize, renewed: Option<String>) -> Verdict {
    match at {
        0 => Verdict::Right(renewed),
        at => Verdict::Rotated(at, renewed),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn verifier(secrets: &[&str]) -> SecretVerifier {
        let secrets: Vec<SecretString> = secrets.iter().map(|&text| text.into()).collect();
        let system = Arc::new(SystemKeys::new(&secrets, &Zeros));
        let options = Options {
            pbkdf2_iterations: 2,
            ..Options::default()
        };
        SecretVerifier::new(system, Arc::new(Zeros), &options)
    }

    /// What becomes of a secret of the client `a`, with or without a slow hash.
    async fn verdict(verifier: &SecretVerifier, stored: &[&str], secret: &str) -> Verdict {
        let secret = secret.into();
        match verifier.recall("a", stored, &secret) {
            Ok(verdict) => verdict,
            Err(slow) => verifier.verify("a", stored, slow, &secret).await.unwrap(),
        }
    }

    // Holds SE-01.
    #[tokio::test]
    async fn a_secret_is_right_for_its_client_alone() {
        let verifier = verifier(&["system"]);
        for origin in [Origin::Generated, Origin::Supplied] {
            let stored = verifier.hash("a", &"secret".into(), origin).await.unwrap();
            assert!(!stored.contains("secret"));
            for (secret, expected) in [
                ("secret", Verdict::Right(None)),
                ("secret", Verdict::Right(None)),
                ("secreT", Verdict::Wrong),
            ] {
                assert_eq!(verdict(&verifier, &[&stored], secret).await, expected);
            }
        }
    }

    #[tokio::test]
    async fn a_right_secret_is_hashed_once() {
        let verifier = verifier(&["system"]);
        let stored = verifier
            .hash("a", &"secret".into(), Origin::Supplied)
            .await
            .unwrap();
        verdict(&verifier, &[&stored], "secret").await;
        let key = verifier.digest("a", &stored, &"secret".into());
        assert!(verifier.remembered.get(&key).is_some());
        assert!(
            verifier
                .remembered
                .get(&verifier.digest("a", &stored, &"x".into()))
                .is_none()
        );
    }

    #[tokio::test]
    async fn an_imported_hash_is_renewed_at_its_first_success() {
        let verifier = verifier(&["system"]);
        let imported = bcrypt::hash("secret", 4).unwrap();
        let Verdict::Right(Some(renewed)) = verdict(&verifier, &[&imported], "secret").await else {
            unreachable!()
        };
        assert!(renewed.starts_with("$pbkdf2-sha256$i=2,l=32$"), "{renewed}");
        assert_eq!(
            verdict(&verifier, &[&renewed], "secret").await,
            Verdict::Right(None)
        );
    }

    #[tokio::test]
    async fn an_old_system_secret_still_verifies_and_is_replaced() {
        let stored = verifier(&["old"])
            .hash("a", &"s".into(), Origin::Generated)
            .await
            .unwrap();
        let both = verifier(&["new", "old"]);
        let Verdict::Right(Some(renewed)) = verdict(&both, &[&stored], "s").await else {
            unreachable!()
        };
        let new = verifier(&["new"]);
        assert_eq!(verdict(&new, &[&renewed], "s").await, Verdict::Right(None));
        assert_eq!(verdict(&new, &[&stored], "s").await, Verdict::Wrong);
        let rotated = verdict(&both, &["$2x", &stored], "s").await;
        let Verdict::Rotated(1, Some(renewed)) = rotated else {
            unreachable!()
        };
        assert_eq!(
            verdict(&new, &["$2x", &renewed], "s").await,
            Verdict::Rotated(1, None)
        );
    }
}
