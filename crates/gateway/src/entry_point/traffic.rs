//! What the bytes of a connection and its requests must know of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use carnet_config::install::entry_points::Transport;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The state of one connection.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    in_flight: AtomicUsize,
    /// Whether it has become a tunnel of bytes that are no HTTP.
    pub(super) is_raw: Arc<AtomicBool>,
    is_http2: AtomicBool,
    /// Whether its last request found no room.
    lacks_room: AtomicBool,
    /// Whether it may rest until the next request.
    rests: AtomicBool,
    /// Where connections have a limit.
    life: Option<Life>,
}

/// How long a connection may be used.
#[derive(Debug)]
struct Life {
    /// Zero: for as many as there are.
    max_requests: u64,
    requests: AtomicU64,
    /// `None`: for ever.
    end: Option<Instant>,
    /// Told when it is over.
    is_over: Notify,
}

impl Traffic {
    /// A connection that begins now.
    pub(super) fn new(options: &Transport) -> Self {
        let (requests, time) = (options.keep_alive_max_requests, options.keep_alive_max_time);
        let life = (requests > 0 || !time.is_zero()).then(|| Life {
            max_requests: requests,
            requests: AtomicU64::new(0),
            end: (!time.is_zero()).then(|| Instant::now() + time),
            is_over: Notify::new(),
        });
        Self {
            life,
            ..Self::default()
        }
    }

    /// Waits until the connection has been used for as long as it may.
    pub(super) async fn is_over(&self) {
        match &self.life {
            Some(life) => life.is_over.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    /// The client speaks HTTP/2.
    pub(super) fn speaks_http2(&self) {
        self.is_http2.store(true, Ordering::Release);
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Acquire)
    }

    /// There is no room for the head that came.
    pub(super) fn lacks_room(&self) {
        self.lacks_room.store(true, Ordering::Release);
    }

    /// Notes whether the connection may rest.
    pub(super) fn rests(&self, may: bool) {
        self.rests.store(may, Ordering::Relaxed);
    }

    /// Whether the connection may rest; told once.
    pub(super) fn takes_rest(&self) -> bool {
        self.rests.load(Ordering::Relaxed) && self.rests.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_raw(&self) -> bool {
        self.is_raw.load(Ordering::Acquire)
    }
}

/// A request that is not answered to its last byte.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Traffic>);

impl InFlight {
    /// Whether all of the request's head is there.
    pub(super) fn has_room(&self) -> bool {
        !self.0.lacks_room.load(Ordering::Acquire)
    }

    /// Counts the request; whether it is the last one of its connection.
    pub(super) fn is_last(&self) -> bool {
        self.0.life.as_ref().is_some_and(|life| {
            let count = life.requests.fetch_add(1, Ordering::Relaxed) + 1;
            let is_last = life.max_requests > 0 && count >= life.max_requests
                || life.end.is_some_and(|end| Instant::now() >= end);
            if is_last {
                life.is_over.notify_one();
            }
            is_last
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
