//! A place for each thread, so that what every request touches is touched by one thread alone.

use std::sync::atomic::{AtomicUsize, Ordering};

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
