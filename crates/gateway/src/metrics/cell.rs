//! Numbers that many threads count in. Each thread has a place of its own; who reads adds them up.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::shard::{self, Apart, SHARDS};

/// Numbers that lie beside each other.
const NUMBERS: usize = 16;

const REQUEST_BYTES: usize = 0;
const RESPONSE_BYTES: usize = 1;
const NANOSECONDS: usize = 2;
const BUCKETS: usize = 3;

type Line = Apart<[AtomicU64; NUMBERS]>;

/// A few numbers.
#[derive(Debug)]
struct Numbers {
    shards: [OnceLock<Box<[Line]>>; SHARDS],
    lines: usize,
}

impl Numbers {
    fn new(count: usize) -> Self {
        Self {
            shards: [const { OnceLock::new() }; SHARDS],
            lines: count.div_ceil(NUMBERS),
        }
    }

    /// The place of this thread.
    fn mine(&self) -> &[Line] {
        self.shards[shard::mine()]
            .get_or_init(|| (0..self.lines).map(|_| Line::default()).collect())
    }

    fn sum(&self, at: usize) -> u64 {
        let shards = self.shards.iter().filter_map(OnceLock::get);
        shards
            .map(|lines| number(lines, at).load(Ordering::Relaxed))
            .sum()
    }
}

fn number(lines: &[Line], at: usize) -> &AtomicU64 {
    &lines[at / NUMBERS].0[at % NUMBERS]
}

fn add(lines: &[Line], at: usize, amount: u64) {
    number(lines, at).fetch_add(amount, Ordering::Relaxed);
}

/// A number that grows.
#[derive(Debug)]
pub(super) struct Counter(Numbers);

impl Default for Counter {
    fn default() -> Self {
        Self(Numbers::new(1))
    }
}

impl Counter {
    pub(super) fn add(&self, amount: u64) {
        add(self.0.mine(), 0, amount);
    }

    pub(super) fn total(&self) -> u64 {
        self.0.sum(0)
    }
}

/// What is counted of requests of one kind.
#[derive(Debug)]
pub(super) struct Cell {
    numbers: Numbers,
    buckets: usize,
}

/// The sums of a cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) request_bytes: u64,
    pub(super) response_bytes: u64,
    pub(super) seconds: f64,
    /// By bucket, the last without an end.
    pub(super) buckets: Vec<u64>,
}

impl Totals {
    pub(super) fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.request_bytes += other.request_bytes;
        self.response_bytes += other.response_bytes;
        self.seconds += other.seconds;
        self.buckets.resize(other.buckets.len(), 0);
        for (sum, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += more;
        }
    }
}

impl Cell {
    /// `buckets` includes the last, which has no end.
    pub(super) fn new(buckets: usize) -> Self {
        Self {
            numbers: Numbers::new(BUCKETS + buckets),
            buckets,
        }
    }

    /// Counts a request.
    pub(super) fn add(&self, bucket: usize, elapsed: Duration, request: u64, response: u64) {
        let mine = self.numbers.mine();
        add(mine, REQUEST_BYTES, request);
        add(mine, RESPONSE_BYTES, response);
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        add(mine, NANOSECONDS, nanoseconds);
        add(mine, BUCKETS + bucket, 1);
    }

    pub(super) fn totals(&self) -> Totals {
        let sum = |at| self.numbers.sum(at);
        Totals {
            request_bytes: sum(REQUEST_BYTES),
            response_bytes: sum(RESPONSE_BYTES),
            seconds: Duration::from_nanos(sum(NANOSECONDS)).as_secs_f64(),
            buckets: (0..self.buckets).map(|at| sum(BUCKETS + at)).collect(),
        }
    }
}

/// Values by key, in the order of the keys, that are only ever added to. Finding one locks nothing.
#[derive(Debug)]
pub(super) struct Cells<K, V>(ArcSwap<Vec<(K, Arc<V>)>>);

impl<K, V> Default for Cells<K, V> {
    fn default() -> Self {
        Self(ArcSwap::default())
    }
}

impl<K: Ord + Clone, V> Cells<K, V> {
    /// Uses the value whose key is equal by this order; the first use makes it.
    pub(super) fn with(
        &self,
        order: impl Fn(&K) -> Order,
        make: impl FnOnce() -> (K, V),
        run: impl FnOnce(&V),
    ) {
        let all = self.0.load();
        if let Ok(at) = all.binary_search_by(|(key, _)| order(key)) {
            return run(&all[at].1);
        }
        drop(all);
        let (key, value) = make();
        let value = Arc::new(value);
        self.0.rcu(|all| {
            let mut all = Vec::clone(all);
            if let Err(at) = all.binary_search_by(|(known, _)| known.cmp(&key)) {
                all.insert(at, (key.clone(), Arc::clone(&value)));
            }
            all
        });
        // Somebody else may have been first: theirs counts.
        let all = self.0.load();
        if let Ok(at) = all.binary_search_by(|(key, _)| order(key)) {
            run(&all[at].1);
        }
    }

    pub(super) fn all(&self) -> Arc<Vec<(K, Arc<V>)>> {
        self.0.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let (cells, cell) = (Cells::<u8, Counter>::default(), Cell::new(2));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for at in 0..1000 {
                        let key = u8::try_from(at % 7).unwrap_or_default();
                        let make = || (key, Counter::default());
                        cells.with(|known| known.cmp(&key), make, |counter| counter.add(1));
                        cell.add(at % 2, Duration::from_millis(1), 2, 3);
                    }
                });
            }
        });
        let counted: u64 = cells.all().iter().map(|(_, counter)| counter.total()).sum();
        assert_eq!((counted, cells.all().len()), (8000, 7));
        let totals = cell.totals();
        assert_eq!(
            (totals.request_bytes, totals.response_bytes),
            (16_000, 24_000)
        );
        assert_eq!(totals.buckets, [4000, 4000]);
        assert!((totals.seconds - 8.0).abs() < 1e-9, "{}", totals.seconds);
    }
}
