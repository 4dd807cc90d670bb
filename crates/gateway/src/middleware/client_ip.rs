//! `ipStrategy` and `sourceCriterion`: which address is a client's, and whose requests are counted
//! together.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr as _;

use carnet_config::routing::middleware::{IpStrategy, SourceCriterion};
use http::header::{HOST, HeaderName};
use http::{HeaderMap, HeaderValue};

use super::Exchange;
use crate::body::Request;

/// The address of a request's client. `None`: what should hold one does not, so nobody is known.
pub(super) fn client_ip(
    strategy: Option<&IpStrategy>,
    request: &Request,
    exchange: &Exchange,
) -> Option<IpAddr> {
    let peer = || Some(exchange.connection().peer.ip());
    let Some(strategy) = strategy else {
        return peer();
    };
    let address = match asks_proxies(strategy) {
        true => told(strategy, request.headers())?.parse().ok()?,
        false => peer()?,
    };
    Some(match (address.to_canonical(), strategy.ipv6_subnet) {
        (IpAddr::V6(address), Some(bits)) => IpAddr::V6(masked(address, bits)),
        (address, _) => address,
    })
}

fn asks_proxies(strategy: &IpStrategy) -> bool {
    strategy.depth > 0 || !strategy.excluded_ips.is_empty()
}

/// What proxies tell of the client, whether it is an address or not.
fn told<'a>(strategy: &IpStrategy, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut told = forwarded_for(headers).into_iter().rev();
    if strategy.depth > 0 {
        return told.nth(strategy.depth - 1);
    }
    let is_excluded = |text: &&str| {
        let address = IpAddr::from_str(text);
        address.is_ok_and(|ip| strategy.excluded_ips.iter().any(|r| r.contains(&ip)))
    };
    told.filter(|text| !text.is_empty())
        .find(|text| !is_excluded(text))
}

/// The addresses that proxies in front tell, the nearest last. The entry point took out what nobody
/// may believe, and made one line of several.
fn forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    let line = headers.get("x-forwarded-for").map(HeaderValue::to_str);
    let line = line.and_then(Result::ok);
    line.into_iter()
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect()
}

fn masked(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    Ipv6Addr::from(u128::from(address) & mask)
}

/// Whose requests are counted together.
#[derive(Debug)]
pub(super) enum Source {
    Address(IpStrategy),
    Header(HeaderName),
    Host,
}

impl Source {
    /// The error is one sentence.
    pub(super) fn new(criterion: &SourceCriterion) -> Result<Self, String> {
        Ok(match criterion {
            SourceCriterion::IpStrategy(strategy) => Self::Address(strategy.clone()),
            SourceCriterion::RequestHeaderName(name) => {
                let name = HeaderName::from_str(name);
                Self::Header(name.map_err(|_| "`requestHeaderName` is no name of a header")?)
            }
            SourceCriterion::RequestHost(_) => Self::Host,
        })
    }

    /// The source of a request; empty where nobody is known.
    pub(super) fn of(&self, request: &Request, exchange: &Exchange) -> Vec<u8> {
        let header = |name: &HeaderName| {
            let value = request.headers().get(name);
            value
                .map(|value| value.as_bytes().to_vec())
                .unwrap_or_default()
        };
        match self {
            Self::Address(strategy) => {
                let address = client_ip(Some(strategy), request, exchange);
                let address = address.map(|ip| ip.to_string());
                // What is no address is somebody all the same, as in Traefik.
                let other = || {
                    let told = told(strategy, request.headers());
                    told.filter(|_| asks_proxies(strategy)).map(str::to_owned)
                };
                address.or_else(other).unwrap_or_default().into_bytes()
            }
            Self::Header(name) => header(name),
            Self::Host => header(&HOST),
        }
    }
}
