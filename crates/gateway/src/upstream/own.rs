//! Our own addresses as servers: a route that leads back to the gateway is taken a few times and
//! then refused, or one request would go round until something runs out.
//!
//! The count goes along in a header, over connections to ourselves alone: no backend sees it. A
//! client that sends one makes its own request end sooner.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use http::header::HeaderName;
use tokio::net::TcpStream;

use super::{Failure, FailureKind};
use crate::body::Request;

/// How often a request may pass the gateway.
const LIMIT: u8 = 8;
const HEADER: HeaderName = HeaderName::from_static("x-carnet-hops");

/// Where the gateway listens; known when it does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own(Arc<OnceLock<Here>>);

/// What there is of the gateway.
#[derive(Debug)]
struct Here {
    addresses: Vec<SocketAddr>,
    threads: usize,
}

/// How often a request has passed the gateway before; an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hops(u8);

impl Own {
    /// Notes where the gateway listens, and how many threads serve; the first time counts.
    pub(crate) fn listens(&self, addresses: Vec<SocketAddr>, threads: usize) {
        let _ = self.0.set(Here { addresses, threads });
    }

    /// How many threads serve, which each keep connections: one before that is known.
    pub(super) fn threads(&self) -> usize {
        self.0.get().map_or(1, |here| here.threads.max(1))
    }

    /// Whether this connection, which we have made, leads to ourselves.
    pub(super) fn is_at(&self, socket: &TcpStream) -> bool {
        let (Ok(near), Ok(far)) = (socket.local_addr(), socket.peer_addr()) else {
            return false;
        };
        let here = self.0.get();
        let addresses = here
            .map(|here| here.addresses.as_slice())
            .unwrap_or_default();
        addresses.iter().any(|own| {
            // A connection within a machine has one address at both ends.
            let is_here = own.ip().is_unspecified() && near.ip() == far.ip();
            own.port() == far.port() && (is_here || own.ip() == far.ip())
        })
    }
}

impl Hops {
    /// Takes the count out of a client's request, where there is one.
    pub(crate) fn take(request: &mut http::Request<impl Sized>) {
        let Some(value) = request.headers_mut().remove(HEADER) else {
            return;
        };
        let hops = value.to_str().ok().and_then(|text| text.parse().ok());
        request.extensions_mut().insert(Self(hops.unwrap_or(LIMIT)));
    }
}

/// Counts a request that goes to ourselves.
pub(super) fn count(request: &mut Request) -> Result<(), Failure> {
    let Hops(hops) = request.extensions().get().copied().unwrap_or(Hops(0));
    if hops >= LIMIT {
        return Err(Failure::new(FailureKind::Loop));
    }
    let hops = HeaderValue::from(u16::from(hops + 1));
    request.headers_mut().insert(HEADER, hops);
    Ok(())
}
