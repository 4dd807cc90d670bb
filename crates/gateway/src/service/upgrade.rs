//! Protocol switches (RFC 9110 section 7.8), WebSocket above all: after both sides agreed, bytes go
//! back and forth untouched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::headers;
use super::websocket::{self, Farewell};
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::upstream::Tunnel;

/// Where tunnels live; an extension of each request that may become one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tunnels {
    /// Waits for them at shutdown.
    pub(crate) tasks: TaskTracker,
    /// Asks them to end.
    pub(crate) last: CancellationToken,
    /// Ends them.
    pub(crate) cut: CancellationToken,
    /// Set when the client's connection has become one.
    pub(crate) is_raw: Arc<AtomicBool>,
}

/// A client's wish to speak another protocol.
#[derive(Debug)]
pub(super) struct Offer {
    protocol: HeaderValue,
    client: OnUpgrade,
    tunnels: Arc<Tunnels>,
}

impl Offer {
    /// Takes the wish out of a request. Only HTTP/1.1 has such; switching to HTTP/2 would lead
    /// around routing and authentication, so `h2c` is no wish.
    pub(super) fn take(request: &mut Request) -> Option<Self> {
        let protocol = headers::upgrade(request.headers())?;
        let is_h2c = protocol.as_bytes().eq_ignore_ascii_case(b"h2c");
        if request.version() != Version::HTTP_11 || is_h2c {
            return None;
        }
        let tunnels = request.extensions_mut().remove().unwrap_or_default();
        Some(Self {
            protocol,
            client: hyper::upgrade::on(request),
            tunnels,
        })
    }

    /// The protocol that is wished for.
    pub(super) fn protocol(&self) -> &HeaderValue {
        &self.protocol
    }

    /// Opens the tunnel after the server's 101, whose head the client gets.
    pub(super) fn accept(self, response: Response) -> Result<Response, Fault> {
        let agreed = headers::upgrade(response.headers()).is_some_and(|protocol| {
            protocol
                .as_bytes()
                .eq_ignore_ascii_case(self.protocol.as_bytes())
        });
        if !agreed {
            return Err(Fault::new(Reason::UpstreamBroken)
                .because("the server switched to another protocol than it was asked for"));
        }
        let (mut head, body) = response.into_parts();
        let Some(server) = body.into_tunnel() else {
            return Err(Fault::new(Reason::UpstreamBroken).because("the server left after all"));
        };
        let Tunnels { tasks, cut, .. } = &*self.tunnels;
        self.tunnels.is_raw.store(true, Ordering::Release);
        let last = websocket::is_meant(&self.protocol).then(|| self.tunnels.last.clone());
        let tunnel = tunnel(self.client, server, last);
        tasks.spawn(cut.clone().run_until_cancelled_owned(tunnel));
        let marks = headers::Marks::of(&head.headers);
        headers::remove_hop_by_hop(&mut head.headers, marks);
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        head.headers.insert(UPGRADE, self.protocol);
        Ok(Response::from_parts(head, Body::empty()))
    }
}

/// Carries bytes until one side is done with both directions. A WebSocket is told when `last` is
/// cancelled.
async fn tunnel(client: OnUpgrade, mut server: Tunnel, last: Option<CancellationToken>) {
    let Ok(client) = client.await else {
        return;
    };
    let mut client = TokioIo::new(client);
    let copied = match last {
        Some(last) => {
            let mut server = Farewell::new(server, last);
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        }
        None => tokio::io::copy_bidirectional(&mut client, &mut server).await,
    };
    if let Err(error) = copied {
        tracing::debug!(%error, "tunnel broke");
    }
}
