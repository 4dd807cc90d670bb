//! `ipStrategy`: which address is a client's.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `ipStrategy`, Traefik's: which address is a client's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpStrategy {
    /// The address at this place of `X-Forwarded-For`, counted from the right; 1 is the last.
    /// Default 0: not looked at.
    #[serde(skip_serializing_if = "is_zero")]
    pub depth: usize,
    /// The last address of `X-Forwarded-For` that is in none of these. Default: not looked at. Only
    /// without `depth`.
    #[serde(rename = "excludedIPs", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub excluded_ips: Vec<IpNet>,
    /// IPv6 addresses count as equal when so many first bits are. Default: all 128.
    #[serde(rename = "ipv6Subnet", skip_serializing_if = "Option::is_none")]
    pub ipv6_subnet: Option<u8>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(depth: &usize) -> bool {
    *depth == 0
}

impl IpStrategy {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let depth = fields.number("depth").unwrap_or(0);
        let excluded_ips = ranges(fields, "excludedIPs");
        let ipv6_subnet = fields.number("ipv6Subnet");
        if ipv6_subnet.is_some_and(|bits: u8| !(1..=128).contains(&bits)) {
            fields.error("ipv6Subnet", "expects a number of bits from 1 to 128");
        }
        Self {
            depth,
            excluded_ips,
            ipv6_subnet,
        }
    }
}

/// Ranges of addresses; one address is a range, too.
pub(super) fn ranges(fields: &mut Fields<'_>, key: &'static str) -> Vec<IpNet> {
    let mut ranges = Vec::new();
    for text in fields.texts(key) {
        let range = text.parse().ok();
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        match range.or_else(address) {
            Some(range) => ranges.push(range),
            None => fields.error(
                key,
                format!("`{text}` is no address and no range; write `10.0.0.1` or `10.0.0.0/8`"),
            ),
        }
    }
    ranges
}
