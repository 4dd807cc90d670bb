//! The schedule of keys: the next one is published, then signs; the last one stays until no token of
//! its counts any more, then goes. Several servers may do this at once; one of them succeeds.

use std::time::Duration;

use crate::{
    domain::{
        AdminError, Authority,
        authority::within,
        keys::{ACCESS_TOKENS, ring::KeyRing, set},
        uuid,
    },
    store::Insertion,
};

/// Clocks of servers and verifiers may differ by so many seconds.
const MARGIN: i64 = 300;

/// `jwks.rotation` (ours): when keys that sign access tokens change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// `every`: how long a key signs.
    pub every: Duration,
    /// `publish_ahead`: how long a key is published before it signs, at least as long as verifiers
    /// keep the key set.
    pub publish_ahead: Duration,
}

impl Authority {
    /// Does what the schedule says is due.
    pub(crate) async fn rotate_keys(&self) -> Result<(), AdminError> {
        let Some(rotation) = self.options.rotation else {
            return Ok(());
        };
        self.ring.publish_next(ACCESS_TOKENS, rotation).await?;
        self.ring.remove_retired(ACCESS_TOKENS).await
    }
}

impl KeyRing {
    /// Makes the key that signs after the newest one, once it is time to publish it.
    async fn publish_next(&self, set: &str, rotation: Rotation) -> Result<(), AdminError> {
        let (keys, now) = (self.set(set), self.now());
        let Some(newest) = set::able(&keys).next() else {
            return Ok(());
        };
        let turn = newest
            .row
            .life
            .signs_from
            .saturating_add(seconds(rotation.every));
        let publish_ahead = seconds(rotation.publish_ahead);
        if now < turn.saturating_sub(publish_ahead) {
            return Ok(());
        }
        let Some(algorithm) = newest.key.public().algorithm() else {
            return Ok(());
        };
        let kid = uuid::fresh(&*self.means.random);
        let bits = newest.key.public().rsa_bits();
        let key = self
            .generate(algorithm, kid, "sig".to_owned(), bits)
            .await?;
        let signs_from = turn.max(now.saturating_add(publish_ahead));
        let life = self.life(signs_from, Some(newest.key.kid().to_owned()));
        let _writing = self.write().await;
        let row = self.seal(set, life, &key)?;
        if within(self.store().insert_key(&row)).await? == Insertion::Done {
            tracing::info!(
                key.set = set,
                key.id = key.kid(),
                signs_from,
                "the next key is published"
            );
        }
        Ok(self.reload().await?)
    }

    /// Removes keys of which no token can count any more.
    async fn remove_retired(&self, set: &str) -> Result<(), AdminError> {
        let _writing = self.write().await;
        let (keys, now) = (self.set(set), self.now());
        let mut is_changed = false;
        for (held, since) in set::retired(&keys, now) {
            let end = since.saturating_add(held.row.life.lifetime);
            if end.saturating_add(MARGIN) >= now {
                continue;
            }
            let kid = held.key.kid();
            within(self.store().delete_key(set, kid)).await?;
            is_changed = true;
            tracing::info!(key.set = set, key.id = kid, "a retired key was removed");
        }
        match is_changed {
            true => Ok(self.reload().await?),
            false => Ok(()),
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
