//! Published keys, kept while they are good, fetched by one caller at a time, and never often.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::{KeySource, Published};
use crate::token_source::TokenFault;

/// Older keys are fetched anew: one may have been withdrawn.
const FRESH: Duration = Duration::from_secs(300);

/// Older keys are not used, whatever became of their server.
const LAST: Duration = Duration::from_secs(24 * 3600);

/// After a fetch that failed, the next comes so much later.
const PAUSE: Duration = Duration::from_secs(5);

/// After a look for a key that was not there, the next look for any comes so much later.
const IN_VAIN: Duration = Duration::from_secs(30);

/// The keys of one server.
pub(super) struct Keys {
    source: Arc<dyn KeySource>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    published: Option<(Arc<Published>, Instant)>,
    /// No fetch before this moment.
    not_before: Option<Instant>,
    /// No look for a key that is not known before this moment.
    no_look_before: Option<Instant>,
}

impl Keys {
    pub(super) fn new(source: Arc<dyn KeySource>) -> Self {
        Self {
            source,
            held: Mutex::default(),
        }
    }

    /// The keys to verify with.
    pub(super) async fn current(&self) -> Result<Arc<Published>, TokenFault> {
        let mut held = self.held.lock().await;
        if held.age().is_none_or(|age| age >= FRESH) {
            self.fetch(&mut held).await;
        }
        match &held.published {
            Some((published, since)) if since.elapsed() < LAST => Ok(Arc::clone(published)),
            _ => Err(TokenFault::unavailable(
                "the keys to verify tokens cannot be fetched",
                None,
            )),
        }
    }

    /// The keys after those, in which `kid` was not, if there may be newer ones.
    pub(super) async fn newer_than(
        &self,
        known: &Arc<Published>,
        kid: Option<&str>,
    ) -> Arc<Published> {
        let mut held = self.held.lock().await;
        let is_same = |held: &Held| match &held.published {
            Some((published, _)) => Arc::ptr_eq(published, known),
            None => false,
        };
        if is_same(&held) && is_past(held.no_look_before) {
            self.fetch(&mut held).await;
            let is_found = held.published.as_ref().is_some_and(|(published, _)| {
                let keys = published.keys.keys();
                kid.is_some_and(|kid| keys.iter().any(|key| key.kid() == kid))
            });
            // Keys may change as often as they do; a key that nobody has is not looked for as often.
            held.no_look_before = (!is_found).then(|| Instant::now() + IN_VAIN);
        }
        match &held.published {
            Some((published, _)) => Arc::clone(published),
            None => Arc::clone(known),
        }
    }

    /// Fetches, unless that failed just now. A set without a key that can be used has failed, too.
    async fn fetch(&self, held: &mut Held) {
        if !is_past(held.not_before) {
            return;
        }
        let fetched = timeout(self.source.patience(), self.source.fetch()).await;
        let reason = match fetched {
            Ok(Ok(published)) if !published.keys.keys().is_empty() => {
                held.published = Some((Arc::new(published), Instant::now()));
                held.not_before = None;
                return;
            }
            Ok(Ok(_)) => "there is no key that can be used".to_owned(),
            Ok(Err(reason)) => reason,
            Err(_) => "no answer in time".to_owned(),
        };
        held.not_before = Some(Instant::now() + PAUSE);
        tracing::warn!(reason, "the keys to verify tokens cannot be fetched");
    }
}

impl Held {
    fn age(&self) -> Option<Duration> {
        self.published.as_ref().map(|(_, since)| since.elapsed())
    }
}

fn is_past(moment: Option<Instant>) -> bool {
    moment.is_none_or(|moment| Instant::now() >= moment)
}
