//! Secrets of which only hashes are known, as `htpasswd` writes them: `hash.rs` computes, `right.rs`
//! remembers. Knows nothing of where secrets stand in requests.

use std::net::IpAddr;
use std::sync::Arc;

use carnet_oauth::Random;
use secrecy::{ExposeSecret as _, SecretString};

use super::digests::Digests;
use crate::error::Fault;

mod hash;
mod right;

pub(super) use hash::Hash;
pub(super) use right::Right;

/// Hashes of secrets, each of which may pass.
pub(super) struct Hashed {
    hashes: Vec<Arc<Hash>>,
    digests: Digests,
    right: Right,
}

impl Hashed {
    /// The error is one sentence; it tells which, and not the hash.
    pub(super) fn new(hashes: &[SecretString], random: &dyn Random) -> Result<Self, String> {
        let parsed = hashes.iter().enumerate().map(|(at, hash)| {
            let hash = Hash::parse(hash.expose_secret());
            hash.map(Arc::new)
                .ok_or_else(|| format!("hash {} cannot be read", at + 1))
        });
        Ok(Self {
            hashes: parsed.collect::<Result<_, _>>()?,
            digests: Digests::new(random)?,
            right: Right::new(),
        })
    }

    /// Whether the secret was right before.
    pub(super) fn remember(&self, secret: &SecretString) -> bool {
        let digest = self.digests.of(secret.expose_secret());
        digest.is_ok_and(|digest| self.right.has(&digest))
    }

    /// Whether one of the hashes is the secret's. A secret that is not remembered costs all of them,
    /// whichever is its own: how long it takes tells nothing.
    pub(super) async fn is_one_of(
        &self,
        secret: &SecretString,
        from: IpAddr,
    ) -> Result<bool, Fault> {
        let digest = self.digests.of(secret.expose_secret())?;
        if self.right.has(&digest) {
            return Ok(true);
        }
        let (secret, hashes) = (secret.clone(), self.hashes.clone());
        let compute = move || {
            let secret = secret.expose_secret();
            hashes.iter().filter(|hash| hash.is_of(secret)).count() > 0
        };
        self.right.or_computed((digest, from), compute).await
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

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

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
                    hashed.is_one_of(&secret.into(), HERE).await.unwrap(),
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
        let turns = hashed.right.0.turns.acquire_many(2).await.unwrap();
        let mut waiting = pin!(hashed.is_one_of(&secret, HERE));
        assert!(matches!(poll!(waiting.as_mut()), Poll::Pending));
        let digest = hashed.digests.of(secret.expose_secret()).unwrap();
        hashed.right.0.remembered.insert(digest, ());
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
