//! Clients that were read lately, so that a token costs no query. What is here is what the database
//! has: whoever writes a client forgets it before the call returns, and a store that others can
//! write to forgets everything when they did.

use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};

use super::{ClientRow, Result};

/// So many clients are expected.
const CLIENTS: usize = 100_000;

/// So many bytes are used at most, as [`ByBytes`] counts them.
const BYTES: u64 = 256 * 1024 * 1024;

/// What is remembered of a store's clients.
#[derive(Debug)]
pub(super) struct ClientMemory {
    rows: Cache<String, (Arc<ClientRow>, usize), ByBytes>,
}

/// A row, and the length of the text that it was read from.
pub(super) type SizedRow = (ClientRow, usize);

/// Forgets a client when it goes: at the end of a change, also of one that failed or that nobody
/// waits for any more.
#[derive(Debug)]
pub(super) struct Forgetting<'a> {
    memory: &'a ClientMemory,
    id: &'a str,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<String, (Arc<ClientRow>, usize)> for ByBytes {
    fn weight(&self, id: &String, (_, length): &(Arc<ClientRow>, usize)) -> u64 {
        (size_of::<ClientRow>() + id.len() + length) as u64
    }
}

impl Default for ClientMemory {
    fn default() -> Self {
        Self {
            rows: Cache::with_weighter(CLIENTS, BYTES, ByBytes),
        }
    }
}

impl ClientMemory {
    /// The client of an id, remembered or read. What is forgotten while it is read is not
    /// remembered: the row may be from before the change. Nor is it remembered that there is none.
    pub(super) async fn find(
        &self,
        id: &str,
        read: impl Future<Output = Result<Option<SizedRow>>>,
    ) -> Result<Option<Arc<ClientRow>>> {
        // Nobody waits for another's reading: it could take long, or fail.
        let place = match self.rows.get_value_or_guard(id, Some(Duration::ZERO)) {
            GuardResult::Value((row, _)) => return Ok(Some(row)),
            GuardResult::Guard(place) => Some(place),
            GuardResult::Timeout => None,
        };
        let Some((row, length)) = read.await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        if let Some(place) = place {
            // Refused when the client was forgotten meanwhile.
            let _ = place.insert((Arc::clone(&row), length));
        }
        Ok(Some(row))
    }

    /// Whoever changes a client holds this until the change is done.
    pub(super) const fn forgetting<'a>(&'a self, id: &'a str) -> Forgetting<'a> {
        Forgetting { memory: self, id }
    }

    /// Forgets all of them.
    pub(super) fn forget_all(&self) {
        self.rows.clear();
    }
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.memory.rows.remove(self.id);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_oauth::client::Client;
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;
    use crate::store::StoreError;

    fn read(hash: &str, length: usize) -> Result<Option<SizedRow>> {
        let row = ClientRow {
            client: Client::default(),
            secret_hash: hash.to_owned(),
            rotated: Vec::new(),
        };
        Ok(Some((row, length)))
    }

    async fn hash(
        memory: &ClientMemory,
        reading: impl Future<Output = Result<Option<SizedRow>>>,
    ) -> String {
        let row = memory.find("a", reading).await.unwrap().unwrap();
        row.secret_hash.clone()
    }

    #[tokio::test]
    async fn a_client_is_read_once_until_it_is_forgotten() {
        let memory = ClientMemory::default();
        assert_eq!(hash(&memory, async { read("1", 9) }).await, "1");
        assert_eq!(hash(&memory, async { read("2", 9) }).await, "1");
        drop(memory.forgetting("b"));
        assert_eq!(hash(&memory, async { read("3", 9) }).await, "1");
        drop(memory.forgetting("a"));
        assert_eq!(hash(&memory, async { read("4", 9) }).await, "4");
        memory.forget_all();
        assert_eq!(hash(&memory, async { read("5", 9) }).await, "5");
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_not_remembered() {
        let forgets: [fn(&ClientMemory); 2] = [
            |memory| drop(memory.forgetting("a")),
            ClientMemory::forget_all,
        ];
        for forget in forgets {
            let memory = ClientMemory::default();
            let (old, answer) = oneshot::channel();
            let mut slow = Box::pin(hash(&memory, async { answer.await.unwrap() }));
            assert!(slow.as_mut().now_or_never().is_none());
            // Who asks meanwhile reads for himself.
            assert_eq!(hash(&memory, async { read("2", 9) }).await, "2");
            forget(&memory);
            old.send(read("1", 9)).unwrap();
            assert_eq!(slow.await, "1");
            assert_eq!(hash(&memory, async { read("3", 9) }).await, "3");
        }
    }

    #[tokio::test]
    async fn failures_and_absence_are_not_remembered() {
        let memory = ClientMemory::default();
        let failed = async { Err(StoreError::Unavailable("down".to_owned())) };
        assert!(memory.find("a", failed).await.is_err());
        assert!(
            memory
                .find("a", async { Ok(None) })
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(hash(&memory, async { read("1", 9) }).await, "1");
    }

    #[tokio::test]
    async fn the_memory_is_bounded_by_bytes() {
        let memory = ClientMemory::default();
        for id in 0..1_000 {
            let megabyte = async { read("1", 1024 * 1024) };
            memory.find(&id.to_string(), megabyte).await.unwrap();
        }
        assert!(memory.rows.weight() <= BYTES);
        assert!(memory.rows.len() > 100, "{}", memory.rows.len());
    }
}
