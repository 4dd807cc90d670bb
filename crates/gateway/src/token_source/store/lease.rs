//! The right to ask the provider for all. It ends by itself soon after its holder does.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::sleep;

use super::{Store, Trouble};

/// A lease ends so long after its holder was last heard of.
const LIFE: Duration = Duration::from_secs(2);

/// Its holder is heard so often.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// A lease that was taken.
pub(crate) struct Lease {
    store: Arc<dyn Store>,
    name: String,
    holder: [u8; 16],
}

impl Lease {
    /// Takes the lease of this name; `None`: another has it.
    pub(super) async fn take(
        store: &Arc<dyn Store>,
        name: &str,
        holder: [u8; 16],
    ) -> Result<Option<Self>, Trouble> {
        let is_taken = store.take(name, &holder, LIFE).await?;
        Ok(is_taken.then(|| Self {
            store: Arc::clone(store),
            name: name.to_owned(),
            holder,
        }))
    }

    /// Stays the holder until the work is done. Losing the lease does not end the work: the worst
    /// of it is that another asks too.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        match select(pin!(work), pin!(self.beat())).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => work.await,
        }
    }

    /// Says again and again that the holder lives, until the lease is lost.
    async fn beat(&self) {
        loop {
            sleep(HEARTBEAT).await;
            let is_kept = self.store.prolong(&self.name, &self.holder, LIFE).await;
            if is_kept == Ok(false) {
                return;
            }
        }
    }

    /// Lets the next one ask.
    pub(super) async fn give_back(self) {
        // What cannot be given back ends by itself.
        let _ = self.store.give_back(&self.name, &self.holder).await;
    }
}
