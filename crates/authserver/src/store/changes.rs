//! What other processes change in a store: whoever keeps something of it in memory follows.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::memory::Memories;

/// So many changes may wait for a slow follower, who hears of [`Change::Everything`] instead.
const WAITING: usize = 256;

/// What was changed. It may be somebody's own change, and it may be told more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The client of this id.
    Client(String),
    /// Keys.
    Keys,
    /// Revocations.
    Revocations,
    /// Nobody knows what; all that is kept in memory may be old.
    Everything,
}

/// The changes of a store, as they happen. They are told within a second, save while the store is
/// out of reach; once it is back, everything may have changed.
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Change>,
    is_new: bool,
}

/// Where changes are told. What is remembered of them is forgotten first.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    followers: broadcast::Sender<Change>,
    /// What the store remembers.
    pub(super) memories: Arc<Memories>,
}

impl Changes {
    /// Nothing changes after the first word.
    pub(super) fn none() -> Self {
        Teller::default().follow()
    }

    /// The next change. The first one is always everything: who follows does not know what
    /// happened before.
    pub async fn next(&mut self) -> Change {
        if std::mem::take(&mut self.is_new) {
            return Change::Everything;
        }
        match self.receiver.recv().await {
            Ok(change) => change,
            Err(RecvError::Lagged(_)) => Change::Everything,
            // The store is gone, and nothing changes any more.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Default for Teller {
    fn default() -> Self {
        Self {
            followers: broadcast::channel(WAITING).0,
            memories: Arc::default(),
        }
    }
}

impl Teller {
    /// A follower.
    pub(super) fn follow(&self) -> Changes {
        Changes {
            receiver: self.followers.subscribe(),
            is_new: true,
        }
    }

    /// Tells all followers, if there are any.
    pub(super) fn tell(&self, change: Change) {
        self.memories.forget(&change);
        let _ = self.followers.send(change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_follower_hears_of_every_change_after_the_first_word() {
        let teller = Teller::default();
        teller.tell(Change::Keys);
        let mut changes = teller.follow();
        teller.tell(Change::Client("a".to_owned()));
        assert_eq!(changes.next().await, Change::Everything);
        assert_eq!(changes.next().await, Change::Client("a".to_owned()));
    }

    #[tokio::test]
    async fn a_follower_who_is_too_slow_hears_that_everything_changed() {
        let teller = Teller::default();
        let mut changes = teller.follow();
        assert_eq!(changes.next().await, Change::Everything);
        for _ in 0..=WAITING {
            teller.tell(Change::Keys);
        }
        assert_eq!(changes.next().await, Change::Everything);
        assert_eq!(changes.next().await, Change::Keys);
    }
}
