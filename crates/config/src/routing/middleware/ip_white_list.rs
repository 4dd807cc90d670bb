//! `ipWhiteList`: the old name of `ipAllowList`.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Serialize;

use super::ip_allow_list::{IpAllowList, source_range};
use super::ip_strategy::IpStrategy;
use crate::document::Fields;

/// `ipWhiteList`, Traefik's: the old name of `ipAllowList`, with fewer options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpWhiteList {
    /// Addresses that may pass. Required.
    #[schemars(with = "Vec<String>")]
    pub source_range: Vec<IpNet>,
    /// Which address is the client's. Default: the one that the connection comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
}

impl IpWhiteList {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            source_range: source_range(fields),
            ip_strategy: fields.section("ipStrategy", IpStrategy::read),
        })
    }
}

impl From<&IpWhiteList> for IpAllowList {
    fn from(old: &IpWhiteList) -> Self {
        Self {
            source_range: old.source_range.clone(),
            ip_strategy: old.ip_strategy.clone(),
            reject_status_code: 403,
        }
    }
}
