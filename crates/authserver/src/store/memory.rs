//! What was read lately, so that a token costs no query. What is here is what the database has:
//! whoever writes forgets before the call returns, and a store that others can write to forgets
//! everything when they did.

use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};

use super::{Change, ClientRow, Result};

/// What is remembered of a store.
#[derive(Debug)]
pub(super) struct Memories {
    /// Clients, by their ids.
    pub(super) clients: Memory<ClientRow>,
    /// Signed tokens that were not revoked, by their `jti`: whose they are and when they were issued.
    pub(super) unrevoked: Memory<(String, i64)>,
}

/// A memory, by name.
#[derive(Debug)]
pub(super) struct Memory<T> {
    values: Cache<String, Sized<T>, ByBytes>,
}

/// A value that was read, and the length of the text that it takes beside its own size.
type Sized<T> = (Arc<T>, usize);

/// Forgets when it goes: at the end of a change, also of one that failed or that nobody waits for
/// any more.
#[derive(Debug)]
pub(super) struct Forgetting<'a, T> {
    memory: &'a Memory<T>,
    /// All names, when it is none.
    name: Option<&'a str>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl<T> Weighter<String, Sized<T>> for ByBytes {
    fn weight(&self, name: &String, (_, length): &Sized<T>) -> u64 {
        (size_of::<T>() + name.len() + length) as u64
    }
}

impl Default for Memories {
    fn default() -> Self {
        Self {
            clients: Memory::new(100_000, 256),
            unrevoked: Memory::new(10_000, 4),
        }
    }
}

impl Memories {
    /// Forgets what a change makes old.
    pub(super) fn forget(&self, change: &Change) {
        match change {
            Change::Client(id) => drop(self.clients.forgetting(id)),
            Change::Revocations => drop(self.unrevoked.forgetting_all()),
            Change::Everything => {
                drop(self.clients.forgetting_all());
                drop(self.unrevoked.forgetting_all());
            }
            Change::Keys => {}
        }
    }
}

impl<T> Memory<T> {
    fn new(expected: usize, megabytes: u64) -> Self {
        Self {
            values: Cache::with_weighter(expected, megabytes * 1024 * 1024, ByBytes),
        }
    }

    /// What has a name, remembered or read. What is forgotten while it is read is not remembered:
    /// it may be from before the change. Nor is it remembered that there is nothing.
    pub(super) async fn find(
        &self,
        name: &str,
        read: impl Future<Output = Result<Option<(T, usize)>>>,
    ) -> Result<Option<Arc<T>>> {
        // Nobody waits for another's reading: it could take long, or fail.
        let place = match self.values.get_value_or_guard(name, Some(Duration::ZERO)) {
            GuardResult::Value((value, _)) => return Ok(Some(value)),
            GuardResult::Guard(place) => Some(place),
            GuardResult::Timeout => None,
        };
        let Some((value, length)) = read.await? else {
            return Ok(None);
        };
        let value = Arc::new(value);
        if let Some(place) = place {
            // Refused when the name was forgotten meanwhile.
            let _ = place.insert((Arc::clone(&value), length));
        }
        Ok(Some(value))
    }

    /// Whoever changes what has a name holds this until the change is done.
    pub(super) const fn forgetting<'a>(&'a self, name: &'a str) -> Forgetting<'a, T> {
        Forgetting {
            memory: self,
            name: Some(name),
        }
    }

    /// Whoever changes more than one holds this.
    pub(super) const fn forgetting_all(&self) -> Forgetting<'_, T> {
        Forgetting {
            memory: self,
            name: None,
        }
    }
}

impl<T> Drop for Forgetting<'_, T> {
    fn drop(&mut self) {
        match self.name {
            Some(name) => drop(self.memory.values.remove(name)),
            None => self.memory.values.clear(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;
    use crate::store::StoreError;

    /// A reading, as a text.
    type Read = Result<Option<(&'static str, usize)>>;

    fn memory() -> Memory<&'static str> {
        Memory::new(1000, 1)
    }

    fn read(text: &'static str) -> Read {
        Ok(Some((text, text.len())))
    }

    async fn found(
        memory: &Memory<&'static str>,
        reading: impl Future<Output = Read>,
    ) -> &'static str {
        *memory.find("a", reading).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_name_is_read_once_until_it_is_forgotten() {
        let memory = memory();
        assert_eq!(found(&memory, async { read("1") }).await, "1");
        assert_eq!(found(&memory, async { read("2") }).await, "1");
        drop(memory.forgetting("b"));
        assert_eq!(found(&memory, async { read("3") }).await, "1");
        drop(memory.forgetting("a"));
        assert_eq!(found(&memory, async { read("4") }).await, "4");
        drop(memory.forgetting_all());
        assert_eq!(found(&memory, async { read("5") }).await, "5");
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_not_remembered() {
        let forgets: [fn(&Memory<&'static str>); 2] = [
            |memory| drop(memory.forgetting("a")),
            |memory| drop(memory.forgetting_all()),
        ];
        for forget in forgets {
            let memory = memory();
            let (old, answer) = oneshot::channel();
            let mut slow = Box::pin(found(&memory, async { answer.await.unwrap() }));
            assert!(slow.as_mut().now_or_never().is_none());
            // Who asks meanwhile reads for himself.
            assert_eq!(found(&memory, async { read("2") }).await, "2");
            forget(&memory);
            old.send(read("1")).unwrap();
            assert_eq!(slow.await, "1");
            assert_eq!(found(&memory, async { read("3") }).await, "3");
        }
    }

    #[tokio::test]
    async fn failures_and_absence_are_not_remembered() {
        let memory = memory();
        let failed = async { Err(StoreError::Unavailable("down".to_owned())) };
        assert!(memory.find("a", failed).await.is_err());
        let absent = memory.find("a", async { Ok(None) }).await;
        assert!(absent.unwrap().is_none());
        assert_eq!(found(&memory, async { read("1") }).await, "1");
    }

    #[tokio::test]
    async fn a_memory_is_bounded_by_bytes() {
        let memory = memory();
        for name in 0..1_000 {
            let long = async { Ok(Some(("", 10_000))) };
            memory.find(&name.to_string(), long).await.unwrap();
        }
        assert!(memory.values.weight() <= 1024 * 1024);
        assert!(memory.values.len() > 50, "{}", memory.values.len());
    }
}
