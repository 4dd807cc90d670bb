//! The connection of HTTP/2 to one server, which all requests share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::dial::Stream;
use super::{Failure, Transport};
use crate::body::Body;

/// The connection, while there is one.
pub(super) struct Shared {
    sender: Mutex<Option<SendRequest<Body>>>,
    /// Held by who makes the connection; others wait for it.
    pub(super) making: tokio::sync::Mutex<()>,
    /// The server chose HTTP/1.1 the last time it was asked.
    is_refused: AtomicBool,
    /// Zero: never.
    read_idle_timeout: Duration,
    ping_timeout: Duration,
}

impl Shared {
    pub(super) fn new(transport: &Transport) -> Self {
        Self {
            sender: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            is_refused: AtomicBool::new(false),
            read_idle_timeout: transport.read_idle_timeout,
            ping_timeout: transport.ping_timeout,
        }
    }

    /// The connection, if there is one.
    pub(super) fn sender(&self) -> Option<SendRequest<Body>> {
        let sender = self.lock();
        sender
            .as_ref()
            .filter(|sender| !sender.is_closed())
            .cloned()
    }

    /// Whether the server did not want HTTP/2.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    /// Notes what the server chose in a handshake.
    pub(super) fn is_chosen(&self, chosen: bool) {
        self.is_refused.store(!chosen, Ordering::Relaxed);
    }

    /// Begins HTTP/2 over a stream, for all.
    pub(super) async fn begin(&self, stream: Stream) -> Result<SendRequest<Body>, Failure> {
        let asks = !self.read_idle_timeout.is_zero();
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(asks.then_some(self.read_idle_timeout))
            .keep_alive_timeout(self.ping_timeout)
            .keep_alive_while_idle(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Failure::of_connection(error, false))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection to a server ended");
            }
        });
        *self.lock() = Some(sender.clone());
        Ok(sender)
    }

    fn lock(&self) -> MutexGuard<'_, Option<SendRequest<Body>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
