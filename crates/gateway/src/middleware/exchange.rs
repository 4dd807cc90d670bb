//! What a station may know of the request besides its head and body.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use carnet_oauth::Clock;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::Instant;

use crate::error::Reason;
use crate::metrics::Series;
use crate::tls::TlsSession;
use crate::traces::Trace;

/// Where a request came in.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Name of the entry point.
    pub entry_point: Arc<str>,
    /// The TCP peer; an IPv4 address mapped into IPv6 is given as IPv4.
    pub peer: SocketAddr,
    /// What the handshake found out; `None`: the connection is plain.
    pub tls: Option<Arc<TlsSession>>,
    peer_ip: HeaderValue,
}

impl Connection {
    /// A connection of a peer at an entry point.
    pub fn new(entry_point: Arc<str>, peer: SocketAddr, tls: Option<Arc<TlsSession>>) -> Self {
        // An address is written in characters that every header may hold.
        let ip = HeaderValue::try_from(peer.ip().to_string());
        Self {
            entry_point,
            peer,
            tls,
            peer_ip: ip.unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// The peer's address as headers tell it.
    pub(crate) fn peer_ip(&self) -> &HeaderValue {
        &self.peer_ip
    }
}

/// Who the request is from, as far as a middleware found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Written to the access log as `ClientUsername`.
    pub username: Option<String>,
    /// OAuth client that the credentials belong to.
    pub client_id: Option<String>,
}

/// What the stations learned, for the access log.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Qualified name of the service that was asked last.
    pub service: Option<Arc<str>>,
    /// What the requests of that service are counted in.
    pub(crate) series: Option<Arc<Series>>,
    /// URL of the server that was chosen last.
    pub server: Option<Arc<str>>,
    /// Headers that the server gave, where the access log wants them.
    pub origin_headers: HeaderMap,
    /// Status that the server gave.
    pub origin_status: Option<StatusCode>,
    /// Time from sending the request to the head of the server's answer.
    pub origin_duration: Option<Duration>,
    /// Attempts after the first.
    pub retry_attempts: u32,
    /// Why the gateway answered itself.
    pub fault: Option<Reason>,
}

/// The companion of one request: read-only facts, and lists that only grow.
#[derive(Debug)]
pub struct Exchange {
    connection: Arc<Connection>,
    router: OnceLock<Arc<str>>,
    trace: OnceLock<Trace>,
    count: u64,
    clock: Arc<dyn Clock>,
    started_at: SystemTime,
    started: Instant,
    wants_origin_headers: bool,
    identities: Mutex<Vec<Identity>>,
    record: Mutex<Record>,
}

impl Exchange {
    /// Begins an exchange now; `count` is the number of the request since the start.
    pub fn new(connection: Arc<Connection>, count: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            connection,
            router: OnceLock::new(),
            trace: OnceLock::new(),
            count,
            started_at: clock.now(),
            clock,
            started: Instant::now(),
            wants_origin_headers: false,
            identities: Mutex::default(),
            record: Mutex::default(),
        }
    }

    /// Asks for the headers of the server's answer.
    pub(crate) fn want_origin_headers(&mut self) {
        self.wants_origin_headers = true;
    }

    /// Whether somebody wants the headers of the server's answer.
    pub(crate) fn wants_origin_headers(&self) -> bool {
        self.wants_origin_headers
    }

    /// Names the router that was found, once.
    pub(crate) fn routed(&self, router: Arc<str>) {
        let _ = self.router.set(router);
    }

    /// Begins the trace of the request, once.
    pub(crate) fn traced(&self, trace: Trace) {
        let _ = self.trace.set(trace);
    }

    /// The trace of the request, where it has one.
    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.trace.get()
    }

    /// Where the request came in.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Qualified name of the router, once found.
    pub fn router(&self) -> Option<&str> {
        self.router.get().map(AsRef::as_ref)
    }

    /// Number of the request since the start, from 1.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The time of day.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// When the request's head had been read.
    pub fn started_at(&self) -> SystemTime {
        self.started_at
    }

    /// Time since then.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Adds what an authentication found out.
    pub fn identify(&self, identity: Identity) {
        locked(&self.identities).push(identity);
    }

    /// What was found out so far, in the order of the chain.
    pub fn identities(&self) -> Vec<Identity> {
        locked(&self.identities).clone()
    }

    /// Writes into the record.
    pub fn note(&self, write: impl FnOnce(&mut Record)) {
        write(&mut locked(&self.record));
    }

    /// What is noted so far.
    pub fn record(&self) -> Record {
        locked(&self.record).clone()
    }
}

/// A panic elsewhere leaves such lists whole, so they stay readable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
