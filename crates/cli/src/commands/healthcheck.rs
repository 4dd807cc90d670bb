//! `healthcheck`: asks a running gateway for `/ping`, as Traefik's does, from the same
//! configuration sources; `--ready` asks `/readyz`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use super::install;
use crate::args::TraefikFlags;
use crate::output::{self, Failure};
use crate::process::Process;

/// A gateway that takes longer is not healthy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks, and fails unless the answer is 200.
pub(super) async fn run(mut typed: TraefikFlags, process: &Process) -> Result<(), Failure> {
    let before = typed.flags.len();
    typed.flags.retain(|flag| flag != "--ready");
    let path = if typed.flags.len() < before {
        "readyz"
    } else {
        "ping"
    };
    let config = install::load(&typed.flags, process)?;
    let ping = config.ping.ok_or_else(|| {
        Failure::new("ping is not enabled, so there is nothing to ask; add --ping or `ping: {}`")
    })?;
    let entry_point = config.entry_points.get(&ping.entry_point).ok_or_else(|| {
        Failure::new(format!(
            "ping.entryPoint: there is no entry point {}",
            ping.entry_point
        ))
    })?;
    let address = reachable(&entry_point.address).ok_or_else(|| {
        let address = &entry_point.address;
        Failure::new(format!(
            "{address} is no address to ask at; write it as HOST:PORT or :PORT"
        ))
    })?;
    let url = format!("http://{address}/{path}");
    let unhealthy = |why: String| Failure::new(format!("{url}: {why}"));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .map_err(|error| unhealthy(error.to_string()))?;
    let answer = client.get(&url).send().await;
    let answer = answer.map_err(|_| unhealthy("no answer; is the gateway running?".to_owned()))?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(unhealthy(format!("answered {}", answer.status())));
    }
    output::print(process, &format!("OK: {url}\n"));
    Ok(())
}

/// Where somebody on this machine finds who listens at an address; the wildcard is loopback.
fn reachable(address: &str) -> Option<SocketAddr> {
    let address = address.trim_end_matches("/tcp");
    let address = match address.strip_prefix(':') {
        Some(port) => format!("127.0.0.1:{port}"),
        None => address.to_owned(),
    };
    let mut found = address.to_socket_addrs().ok()?.next()?;
    if found.ip().is_unspecified() {
        found.set_ip(match found.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_asked_at_loopback() {
        for (listening, asked) in [
            (":8080", "127.0.0.1:8080"),
            ("0.0.0.0:8080/tcp", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.2:1", "127.0.0.2:1"),
        ] {
            assert_eq!(reachable(listening), asked.parse().ok(), "{listening}");
        }
        assert_eq!(reachable("8080"), None);
    }
}
