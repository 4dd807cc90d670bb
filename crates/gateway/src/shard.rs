//! A place for each thread, so that what every request touches is touched by one thread alone.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Places; threads beyond so many share.
pub(crate) const SHARDS: usize = 16;

static NEXT: AtomicUsize = AtomicUsize::new(0);

std::thread_local! {
    static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
}

/// The place of this thread.
pub(crate) fn mine() -> usize {
    MINE.with(|mine| *mine)
}

/// A value that shares no cache line with others; 128 bytes, because lines are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// A value for each thread, made when the thread first asks for it.
#[derive(Debug)]
pub(crate) struct Each<T>([OnceLock<Arc<Apart<T>>>; SHARDS]);

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; SHARDS])
    }
}

impl<T> Each<T> {
    /// The value of this thread, which may be held on to: only this thread counts who holds it.
    pub(crate) fn mine(&self, make: impl FnOnce() -> T) -> &Arc<Apart<T>> {
        self.0[mine()].get_or_init(|| Arc::new(Apart(make())))
    }
}

/// A value that all read and hold on to. Each thread holds a copy of its own, made when it first
/// asks for it, because who holds a value is counted in the value. What `T` leads to is the same.
#[derive(Debug)]
pub(crate) struct Copied<T> {
    value: T,
    /// Boxed: most values of a large configuration are seldom asked for.
    copies: OnceLock<Box<Each<T>>>,
}

/// A thread's copy.
pub(crate) type Held<T> = Arc<Apart<T>>;

impl<T: Clone> Copied<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value,
            copies: OnceLock::new(),
        }
    }

    /// The copy of this thread, to hold on to.
    pub(crate) fn held(&self) -> Held<T> {
        let copies = self.copies.get_or_init(Box::default);
        Arc::clone(copies.mine(|| self.value.clone()))
    }
}

impl<T> Deref for Copied<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_hold_copies_of_their_own_that_lead_to_the_same() {
        let value = Copied::new(Arc::new(7));
        let here = value.held();
        let there = std::thread::scope(|scope| scope.spawn(|| value.held()).join());
        assert!(there.is_ok_and(|there| Arc::ptr_eq(&there.0, &here.0)));
        assert!(Arc::ptr_eq(&value.held(), &here));
    }
}
