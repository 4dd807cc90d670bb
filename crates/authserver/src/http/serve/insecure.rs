//! Requests that come in plain HTTP to a port with TLS: refused, as Hydra refuses them, unless they
//! are for probes or come from a proxy that was named and says that it ended TLS.
//!
//! Hydra believes `X-Forwarded-For` when it looks for the proxy; here the other end of the
//! connection counts alone.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use ipnet::IpNet;
use serde_json::json;

use super::Connected;
use crate::http::answer;

/// What probes ask for, on both ports.
const FOR_PROBES: [&str; 6] = [
    "/health/alive",
    "/health/ready",
    "/admin/health/alive",
    "/admin/health/ready",
    "/metrics/prometheus",
    "/admin/metrics/prometheus",
];

/// A router that answers over TLS, and in plain HTTP to those who may.
pub(crate) fn guarded(router: Router, proxies: &[IpNet]) -> Router {
    let proxies: Arc<[IpNet]> = proxies.into();
    router.layer(from_fn_with_state(proxies, guard))
}

async fn guard(State(proxies): State<Arc<[IpNet]>>, request: Request, next: Next) -> Response {
    let connected = request.extensions().get::<Connected>().copied();
    let is_secure = connected.is_some_and(|connected| connected.is_secure);
    let path = request.uri().path();
    if is_secure || FOR_PROBES.contains(&path.strip_suffix('/').unwrap_or(path)) {
        return next.run(request).await;
    }
    let peer = connected.and_then(|connected| connected.peer);
    match refusal(peer.map(|peer| peer.ip()), request.headers(), &proxies) {
        None => next.run(request).await,
        Some(why) => {
            tracing::warn!(peer.address = ?peer, why, "a request in plain HTTP was refused");
            let body = json!({
                "error": "can not serve request over insecure http",
                "error_description": why,
            });
            answer::json(StatusCode::BAD_GATEWAY, answer::ERROR_JSON, &body)
        }
    }
}

/// Why a request is not taken.
fn refusal(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Option<&'static str> {
    let is_proxy = |peer: IpAddr| proxies.iter().any(|range| range.contains(&peer));
    if !peer.is_some_and(is_proxy) {
        return Some("This port speaks TLS; use https.");
    }
    let mut values = headers.get_all("x-forwarded-proto").iter();
    match (values.next(), values.next()) {
        (Some(value), None) if value.as_bytes().eq_ignore_ascii_case(b"https") => None,
        _ => Some("The proxy does not say X-Forwarded-Proto: https."),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_that_was_named_may_say_that_it_ended_tls() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, protos, is_taken) in [
            (Some("10.1.2.3"), &["https"][..], true),
            (Some("fd00::1"), &["HTTPS"], true),
            (Some("10.1.2.3"), &["http"], false),
            (Some("10.1.2.3"), &["https", "http"], false),
            (Some("10.1.2.3"), &["https, http"], false),
            (Some("10.1.2.3"), &[], false),
            (Some("192.0.2.1"), &["https"], false),
            (None, &["https"], false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", "10.1.2.3".parse().unwrap());
            for proto in protos {
                headers.append("x-forwarded-proto", proto.parse().unwrap());
            }
            let peer = peer.map(|peer| peer.parse().unwrap());
            let refused = refusal(peer, &headers, &proxies);
            assert_eq!(refused.is_none(), is_taken, "{peer:?} {protos:?}");
        }
    }
}
