//! Secrets of which only hashes are known, as `htpasswd` writes them. Hashes are computed off the threads
//! that serve requests, few at once; a secret that was right is remembered, by a keyed digest, as long as
//! the options stay the same. Knows nothing of where secrets stand in requests.

use std::sync::Arc;

use aws_lc_rs::hmac;
use carnet_oauth::Random;
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::error::{Fault, Reason};

mod hash;

pub(super) use hash::Hash;

/// So many hashes are computed at once; others wait.
const AT_ONCE: usize = 2;
/// So many right secrets are remembered.
const REMEMBERED: usize = 4096;

/// Hashes of secrets, each of which may pass.
pub(super) struct Hashed {
    hashes: Vec<Arc<Hash>>,
    digests: hmac::Key,
    right: Cache<[u8; 32], ()>,
    turns: Semaphore,
}

impl Hashed {
    /// The error is one sentence; it tells which, and not the hash.
    pub(super) fn new(hashes: &[SecretString], random: &dyn Random) -> Result<Self, String> {
        let parsed = hashes.iter().enumerate().map(|(at, hash)| {
            let hash = Hash::parse(hash.expose_secret());
            hash.map(Arc::new)
                .ok_or_else(|| format!("hash {} cannot be read", at + 1))
        });
        let mut key = [0; 32];
        random.fill(&mut key);
        Ok(Self {
            hashes: parsed.collect::<Result<_, _>>()?,
            digests: hmac::Key::new(hmac::HMAC_SHA256, &key),
            right: Cache::new(REMEMBERED),
            turns: Semaphore::new(AT_ONCE),
        })
    }

    /// Whether one of the hashes is the secret's. A secret that is not remembered costs all of them,
    /// whichever is its own: how long it takes tells nothing.
    pub(super) async fn is_one_of(&self, secret: &SecretString) -> Result<bool, Fault> {
        let digest = self.digest(secret);
        if self.right.get(&digest).is_some() {
            return Ok(true);
        }
        let internal = || Fault::new(Reason::Internal);
        let turn = self.turns.acquire().await.map_err(|_| internal())?;
        // Of many that come with one secret, the first is computed for all.
        if self.right.get(&digest).is_some() {
            return Ok(true);
        }
        let (secret, hashes) = (secret.clone(), self.hashes.clone());
        let computed = tokio::task::spawn_blocking(move || {
            let secret = secret.expose_secret();
            hashes.iter().filter(|hash| hash.is_of(secret)).count() > 0
        });
        let is_right = computed.await.map_err(|error| internal().because(error))?;
        drop(turn);
        if is_right {
            self.right.insert(digest, ());
        }
        Ok(is_right)
    }

    fn digest(&self, secret: &SecretString) -> [u8; 32] {
        let digest = hmac::sign(&self.digests, secret.expose_secret().as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(digest.as_ref());
        out
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::pin::pin;
    use std::task::Poll;

    use carnet_testkit::SeededRandom;
    use futures_util::poll;

    use super::*;

    /// Of `test`, and of `U*U`.
    const HASHES: [&str; 2] = [
        "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    ];

    fn hashed() -> Hashed {
        let hashes = HASHES.map(SecretString::from);
        Hashed::new(&hashes, &SeededRandom::default()).unwrap()
    }

    #[tokio::test]
    async fn each_secret_is_right_and_no_other() {
        let hashed = hashed();
        for (secret, is_right) in [
            ("test", true),
            ("U*U", true),
            ("", false),
            ("tes", false),
            (HASHES[0], false),
        ] {
            for _ in 0..2 {
                assert_eq!(
                    hashed.is_one_of(&secret.into()).await.unwrap(),
                    is_right,
                    "{secret}"
                );
            }
        }
    }

    #[tokio::test]
    async fn who_waits_while_the_same_secret_turns_out_right_computes_nothing() {
        let hashed = hashed();
        // None of the hashes is its own: only what is remembered can say yes.
        let secret = SecretString::from("remembered");
        let turns = hashed.turns.acquire_many(2).await.unwrap();
        let mut waiting = pin!(hashed.is_one_of(&secret));
        assert!(matches!(poll!(waiting.as_mut()), Poll::Pending));
        hashed.right.insert(hashed.digest(&secret), ());
        drop(turns);
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn a_hash_that_cannot_be_read_is_told_of_by_its_place() {
        let hashes = [HASHES[0].into(), "CANARY".into()];
        let outcome = Hashed::new(&hashes, &SeededRandom::default());
        assert_eq!(outcome.err().unwrap(), "hash 2 cannot be read");
    }
}
