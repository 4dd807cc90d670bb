//! What the gateways of a fleet tell each other through a store: which tokens there are. Whatever a
//! store says is looked at before it is believed, and whatever it does not say is nobody's fault.

use std::sync::Arc;
use std::time::Duration;

use carnet_oauth::Random;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::lease::Lease;
use super::seal::Seal;
use super::{Store, Trouble};
use crate::token_source::token::{Asked, Token};
use crate::token_source::{Asker, Options, Outcome};

/// A store as one source uses it.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    /// Begins every name.
    prefix: String,
    /// The secret of the store, and after it those it had before.
    seals: Vec<Seal>,
    /// What besides credentials makes the gateway a client.
    proof: Vec<Vec<u8>>,
}

/// Where in a store the token of a key is.
pub(crate) struct Place {
    /// Its name by each secret, the newest first.
    tokens: Vec<String>,
    pub(super) lease: String,
}

impl Shared {
    /// A store with its secrets, the newest first. The error is one sentence.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        prefix: &str,
        secrets: &[SecretString],
        proof: Vec<Vec<u8>>,
    ) -> Result<Self, String> {
        let seals: Result<Vec<Seal>, String> = secrets.iter().map(Seal::of_store).collect();
        Ok(Self {
            store,
            prefix: prefix.to_owned(),
            seals: seals?,
            proof,
        })
    }

    /// Where the token for who asks so is; `None` without a secret.
    pub(crate) fn place(&self, options: &Options, asker: &Asker) -> Option<Place> {
        let hashers = self.seals.iter().map(Seal::hasher);
        let keys = hashers.map(|hasher| hasher.shared(options, asker, &self.proof));
        let keys: Option<Vec<String>> = keys.map(|key| Some(key?.text())).collect();
        let keys = keys?;
        let prefix = &self.prefix;
        // A cluster keeps what has the same text in braces in one place.
        let token = |key| format!("{prefix}carnet:token:{{{key}}}");
        let lease = format!("{prefix}carnet:lease:{{{}}}", keys.first()?);
        Some(Place {
            tokens: keys.into_iter().map(token).collect(),
            lease,
        })
    }

    /// The token in a place, if one is there that can be read.
    pub(super) async fn look(
        &self,
        place: &Place,
        now: Asked,
        max_age: Duration,
    ) -> Result<Option<Token>, Trouble> {
        for (seal, name) in self.seals.iter().zip(&place.tokens) {
            let Some(stored) = self.store.get(name).await? else {
                continue;
            };
            let opened = seal.open(name, &stored.value);
            let token = opened.and_then(|text| read(&text, stored.left, now, max_age));
            match token {
                Some(token) => return Ok(Some(token)),
                None => tracing::debug!(name, "what the store has there is no token of ours"),
            }
        }
        Ok(None)
    }

    /// Tries to get the lease of a place; `None`: another gateway has it.
    pub(super) async fn lease(
        &self,
        place: &Place,
        random: &dyn Random,
    ) -> Result<Option<Lease>, Trouble> {
        let mut holder = [0; 16];
        random.fill(&mut holder);
        Lease::take(&self.store, &place.lease, holder).await
    }

    /// Tells the others how an exchange ended.
    pub(super) async fn tell(
        &self,
        place: &Place,
        outcome: &Outcome,
        (now, random): (Asked, &dyn Random),
    ) {
        // The store says itself what it could not do.
        let _ = match outcome {
            Ok(token) => self.put(place, token, now, random).await,
            Err(fault) if fault.is_refusal() => self.remove(place).await,
            Err(_) => Ok(()),
        };
    }

    async fn put(
        &self,
        place: &Place,
        token: &Token,
        now: Asked,
        random: &dyn Random,
    ) -> Result<(), Trouble> {
        let left = token.time_left(now);
        let newest = self.seals.first().zip(place.tokens.first());
        let Some(((seal, name), text)) = newest.zip(write(token)) else {
            return Ok(());
        };
        match seal.seal(name, text.as_bytes(), random) {
            Some(value) if left > Duration::ZERO => self.store.put(name, value, left).await,
            _ => Ok(()),
        }
    }

    /// Forgets the token of a client that the provider refuses.
    async fn remove(&self, place: &Place) -> Result<(), Trouble> {
        for name in &place.tokens {
            self.store.remove(name).await?;
        }
        Ok(())
    }
}

/// A token as it is kept: its text, how long it lives, and when it was asked for, in milliseconds.
fn write(token: &Token) -> Option<String> {
    let asked = token.asked_time().duration_since(std::time::UNIX_EPOCH);
    let millis = |time: Duration| u64::try_from(time.as_millis()).ok();
    Some(
        json!({
            "access_token": token.text(),
            "asked_at": millis(asked.ok()?)?,
            "life": millis(token.life()?)?,
            "usable": millis(token.usable_life())?,
        })
        .to_string(),
    )
}

/// The token as it was kept. It was asked for as long ago as the clocks of both gateways say, or as
/// the store's does, whichever is longer: none of the three is trusted to go right.
fn read(text: &[u8], left: Duration, now: Asked, max_age: Duration) -> Option<Token> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let millis = |name: &str| Some(Duration::from_millis(value.get(name)?.as_u64()?));
    let asked_at = std::time::UNIX_EPOCH.checked_add(millis("asked_at")?)?;
    let by_day = now.time.duration_since(asked_at).unwrap_or_default();
    let by_store = millis("usable")?.saturating_sub(left);
    let age = by_day.max(by_store);
    let asked = Asked {
        at: before(now.at, age)?,
        time: now.time.checked_sub(age)?,
    };
    let text = value.get("access_token")?.as_str()?;
    // Whoever wrote it knew why it is not to be used for longer: the token of a caller ends, too.
    let max_age = max_age.min(millis("usable")?);
    let mut token = Token::new(text, millis("life"), asked, max_age).ok()?;
    token.is_shared = true;
    Some(token)
}

/// A machine may be younger than a token.
fn before(now: Instant, age: Duration) -> Option<Instant> {
    now.checked_sub(age)
}
