//! What a station may know of the request besides its head and body.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::bearer::Vouched;
use crate::body::Request;
use crate::error::Reason;
use crate::metrics::Series;
use crate::shard::Held;
use crate::snapshot::Route;
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

/// A service, as it is told of.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Qualified.
    pub(crate) name: Arc<str>,
    /// What its requests are counted in.
    pub(crate) series: Option<Arc<Series>>,
}

/// What the stations learned, for the access log.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The service that was asked last.
    pub(crate) service: Option<Held<Service>>,
    /// URL of the server that was chosen last.
    pub(crate) server: Option<Held<Arc<str>>>,
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

/// What of a request is a secret, besides what always is.
#[derive(Debug, Clone)]
enum Concealed {
    /// A parameter of the query.
    Parameter(Arc<str>),
    Header(HeaderName),
}

/// The companion of one request: read-only facts, and lists that only grow.
#[derive(Debug)]
pub struct Exchange {
    connection: Arc<Connection>,
    route: OnceLock<Held<Arc<Route>>>,
    trace: OnceLock<Trace>,
    concealed: Mutex<Vec<Concealed>>,
    asked_for: OnceLock<PathAndQuery>,
    proof: OnceLock<String>,
    vouched: Mutex<Option<Vouched>>,
    count: u64,
    started_at: SystemTime,
    started: Instant,
    wants_origin_headers: bool,
    identities: Mutex<Vec<Identity>>,
    record: Mutex<Record>,
}

impl Exchange {
    /// Begins an exchange now, which is `started_at` by the clock; `count` is the number of the
    /// request since the start.
    pub fn new(connection: Arc<Connection>, count: u64, started_at: SystemTime) -> Self {
        Self {
            connection,
            route: OnceLock::new(),
            trace: OnceLock::new(),
            concealed: Mutex::default(),
            asked_for: OnceLock::new(),
            proof: OnceLock::new(),
            vouched: Mutex::default(),
            count,
            started_at,
            started: Instant::now(),
            wants_origin_headers: false,
            identities: Mutex::default(),
            record: Mutex::default(),
        }
    }

    /// A companion for a copy of the request. Nobody reads what is noted there.
    pub(crate) fn apart(&self) -> Self {
        Self::new(Arc::clone(&self.connection), self.count, self.started_at)
    }

    /// Asks for the headers of the server's answer.
    pub(crate) fn want_origin_headers(&mut self) {
        self.wants_origin_headers = true;
    }

    /// Whether somebody wants the headers of the server's answer.
    pub(crate) fn wants_origin_headers(&self) -> bool {
        self.wants_origin_headers
    }

    /// Tells the route that was found, once.
    pub(crate) fn routed(&self, route: Held<Arc<Route>>) {
        let _ = self.route.set(route);
    }

    /// The route, once found.
    pub(crate) fn route(&self) -> Option<&Route> {
        self.route.get().map(|route| &*route.0)
    }

    /// Begins the trace of the request, once.
    pub(crate) fn traced(&self, trace: Trace) {
        let _ = self.trace.set(trace);
    }

    /// The trace of the request, where it has one.
    pub(crate) fn trace(&self) -> Option<&Trace> {
        self.trace.get()
    }

    /// Keeps a parameter of the query out of the access log.
    pub(crate) fn conceal(&self, parameter: &Arc<str>) {
        let parameter = Concealed::Parameter(Arc::clone(parameter));
        locked(&self.concealed).push(parameter);
    }

    /// The parameters of the query that are secrets.
    pub(crate) fn concealed(&self) -> Vec<Arc<str>> {
        let concealed = locked(&self.concealed);
        let parameters = concealed.iter().filter_map(|it| match it {
            Concealed::Parameter(name) => Some(Arc::clone(name)),
            Concealed::Header(_) => None,
        });
        parameters.collect()
    }

    /// Keeps a header of the request out of the access log.
    pub(crate) fn conceal_header(&self, name: &HeaderName) {
        locked(&self.concealed).push(Concealed::Header(name.clone()));
    }

    /// The headers that are secrets.
    pub(crate) fn concealed_headers(&self) -> Vec<HeaderName> {
        let concealed = locked(&self.concealed);
        let headers = concealed.iter().filter_map(|it| match it {
            Concealed::Header(name) => Some(name.clone()),
            Concealed::Parameter(_) => None,
        });
        headers.collect()
    }

    /// Keeps what the client asked for, before the first middleware changes it.
    pub(crate) fn keep_target(&self, request: &Request) {
        if let Some(target) = request.uri().path_and_query() {
            self.asked_for.get_or_init(|| target.clone());
        }
    }

    /// The path that the client asked for, of a request that may have another by now.
    pub(crate) fn asked_path<'a>(&'a self, request: &'a Request) -> &'a str {
        let kept = self.asked_for.get().map(PathAndQuery::path);
        kept.unwrap_or_else(|| request.uri().path())
    }

    /// The name of the proof that this request used up, if it did.
    pub(crate) fn proof(&self) -> Option<&str> {
        self.proof.get().map(String::as_str)
    }

    /// Tells which proof it used up, once.
    pub(crate) fn used_up(&self, proof: String) {
        let _ = self.proof.set(proof);
    }

    /// The token of the request that was judged last, and is right.
    pub(super) fn vouched(&self) -> Option<Vouched> {
        locked(&self.vouched).clone()
    }

    /// Tells that its token was judged and is right.
    pub(super) fn vouch(&self, vouched: Vouched) {
        *locked(&self.vouched) = Some(vouched);
    }

    /// Where the request came in.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Qualified name of the router, once found.
    pub fn router(&self) -> Option<&str> {
        self.route().map(|route| &*route.name)
    }

    /// Number of the request since the start, from 1.
    pub fn count(&self) -> u64 {
        self.count
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

    /// The last name that an authentication found out.
    pub(crate) fn username(&self) -> Option<String> {
        let identities = locked(&self.identities);
        let mut names = identities.iter().rev().filter_map(|identity| {
            let name = identity.username.as_ref()?;
            (!name.is_empty()).then_some(name)
        });
        names.next().cloned()
    }

    /// Writes into the record.
    pub fn note(&self, write: impl FnOnce(&mut Record)) {
        write(&mut locked(&self.record));
    }

    /// Reads in the record.
    pub fn noted<T>(&self, read: impl FnOnce(&Record) -> T) -> T {
        read(&locked(&self.record))
    }

    /// The record, at the end of the exchange.
    pub(crate) fn take_record(&mut self) -> Record {
        let record = self.record.get_mut();
        std::mem::take(record.unwrap_or_else(PoisonError::into_inner))
    }
}

/// A panic elsewhere leaves such lists whole, so they stay readable.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
