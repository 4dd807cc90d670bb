//! Sessions in Redis: the browser has an id that nobody guesses, Redis a value that nobody else reads.
//! Without Redis nobody is known: every gateway of a fleet would otherwise know other people.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use carnet_oauth::Random;
use secrecy::zeroize::Zeroizing;

use crate::error::{Fault, Reason};
use crate::token_source::{Store, Trouble};

/// What a browser shows for its session: 256 bits.
pub(super) type Id = Zeroizing<[u8; 32]>;

/// Where sessions are.
pub(super) struct Stored {
    /// Of the cookie, for the log.
    cookie: String,
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    is_said: AtomicBool,
}

impl Stored {
    pub(super) fn new(cookie: &str, store: Arc<dyn Store>, random: Arc<dyn Random>) -> Self {
        Self {
            cookie: cookie.to_owned(),
            store,
            random,
            is_said: AtomicBool::new(false),
        }
    }

    /// An id that nobody had before.
    pub(super) fn id(&self) -> Id {
        let mut id = Zeroizing::new([0; 32]);
        self.random.fill(&mut *id);
        id
    }

    /// What is kept for an id.
    pub(super) async fn get(&self, id: &Id) -> Result<Option<Vec<u8>>, Fault> {
        let stored = self.store.get(&name(id)).await;
        Ok(self.told(stored)?.map(|stored| stored.value))
    }

    /// Keeps a value for so long, in the place of the one before.
    pub(super) async fn put(&self, id: &Id, value: Vec<u8>, life: Duration) -> Result<(), Fault> {
        let put = self.store.put(&name(id), value, life).await;
        self.told(put)
    }

    /// Forgets it.
    pub(super) async fn remove(&self, id: &Id) -> Result<(), Fault> {
        let removed = self.store.remove(&name(id)).await;
        self.told(removed)
    }

    /// What stands under a name that is no session's.
    pub(super) async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let stored = self.store.get(name).await;
        Ok(self.told(stored)?.map(|stored| stored.value))
    }

    /// Writes there.
    pub(super) async fn write(
        &self,
        name: &str,
        value: Vec<u8>,
        life: Duration,
    ) -> Result<(), Fault> {
        let put = self.store.put(name, value, life).await;
        self.told(put)
    }

    /// The same, with a fault for a trouble, which is told of once.
    fn told<T>(&self, result: Result<T, Trouble>) -> Result<T, Fault> {
        let is_well = result.is_ok();
        let was_said = self.is_said.swap(!is_well, Ordering::Relaxed);
        if !is_well && !was_said {
            tracing::error!(
                cookie = self.cookie,
                "the store of sessions cannot be used: nobody is known to be logged in, requests are answered with 503"
            );
        } else if is_well && was_said {
            tracing::info!(cookie = self.cookie, "the store of sessions works again");
        }
        result.map_err(|Trouble| {
            Fault::new(Reason::TokenUnverifiable)
                .retry_after(Duration::from_secs(1))
                .because("the store of sessions cannot be used")
        })
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").finish_non_exhaustive()
    }
}

/// A digest: whoever lists what Redis has learns no id.
fn name(id: &Id) -> String {
    format!(
        "carnet:session:{}",
        base64url::encode(digest(&SHA256, id.as_slice()))
    )
}
