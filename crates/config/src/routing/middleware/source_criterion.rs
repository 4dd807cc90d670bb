//! `sourceCriterion`: whose requests are counted together.

use schemars::JsonSchema;
use serde::Serialize;

use super::ip_strategy::IpStrategy;
use crate::document::Fields;

/// `sourceCriterion`, Traefik's: one of the three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SourceCriterion {
    /// Those of one address.
    IpStrategy(IpStrategy),
    /// Those with one value of a header.
    RequestHeaderName(String),
    /// Those for one host.
    RequestHost(bool),
}

impl SourceCriterion {
    /// `None` where it is not said.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let read = |fields: &mut Fields<'_>| {
            let address = fields.section("ipStrategy", IpStrategy::read);
            let header = fields
                .text("requestHeaderName")
                .filter(|name| !name.is_empty());
            let host = fields.boolean("requestHost").unwrap_or(false);
            match (address, header, host) {
                (None, None, false) => None,
                (Some(strategy), None, false) => Some(Self::IpStrategy(strategy)),
                (None, Some(name), false) => Some(Self::RequestHeaderName(name)),
                (None, None, true) => Some(Self::RequestHost(true)),
                _ => {
                    let message = "expects one of `ipStrategy`, `requestHeaderName` and \
                                   `requestHost`";
                    fields.error("", message);
                    None
                }
            }
        };
        fields.map("sourceCriterion", read).flatten()
    }
}
