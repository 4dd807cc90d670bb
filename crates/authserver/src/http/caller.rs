//! Who calls: the address at the other end of the connection or, where that is a proxy that was
//! named as trusted, the one that the proxies vouch for.

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, request::Parts},
};
use carnet_oauth::dpop;
use ipnet::IpNet;
use tokio::time::Instant;

use crate::{
    domain::{Authority, client_auth::Arrival},
    http::{client_certificate, serve::Connected},
};

/// Where proxies write who called them.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// When and from which address a request came, and with what.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Arrival);

impl Caller {
    /// Who sent a request that is handled now.
    pub(super) fn of(parts: &Parts, authority: &Authority) -> Self {
        let connected = parts.extensions.get::<Connected>();
        let peer = connected.and_then(|connected| connected.peer);
        let proxies = &authority.options.trusted_proxies;
        let from = peer.map(|peer| vouched_for(peer.ip(), &parts.headers, proxies));
        let proofs = parts.headers.get_all(dpop::HEADER).iter();
        let text = |proof: &HeaderValue| String::from_utf8_lossy(proof.as_bytes()).into_owned();
        Self(Arrival {
            at: Instant::now(),
            from,
            certificate: client_certificate::of(parts, &authority.options),
            proofs: proofs.map(|proof| text(proof).into()).collect(),
        })
    }
}

impl FromRequestParts<Arc<Authority>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        authority: &Arc<Authority>,
    ) -> Result<Self, Infallible> {
        Ok(Self::of(parts, authority))
    }
}

/// From the right, the first address that is no trusted proxy. A text that is no address ends the
/// chain: what stands before it was written by anybody.
fn vouched_for(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|range| range.contains(address));
    let mut caller = peer.to_canonical();
    let fields = headers.get_all(FORWARDED_FOR).iter().rev();
    let hops = fields.flat_map(|field| field.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !is_proxy(&caller) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => caller = address.to_canonical(),
            Err(_) => break,
        }
    }
    caller
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, fields, expected) in [
            ("192.0.2.1", &["198.51.100.1"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["6.6.6.6, 198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["6.6.6.6", "198.51.100.1,fd00::2"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["6.6.6.6, junk"], "10.0.0.1"),
            ("10.0.0.1", &["6.6.6.6, junk, 10.0.0.3"], "10.0.0.3"),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(FORWARDED_FOR, field.parse().unwrap());
            }
            let found = vouched_for(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{peer} {fields:?}");
        }
    }
}
