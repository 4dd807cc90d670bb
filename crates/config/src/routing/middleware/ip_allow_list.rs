//! `ipAllowList`: who may pass, by address.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Serialize;

use super::ip_strategy::{IpStrategy, ranges};
use crate::document::Fields;

/// `ipAllowList`, Traefik's: who may pass, by address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpAllowList {
    /// Addresses that may pass. Required.
    #[schemars(with = "Vec<String>")]
    pub source_range: Vec<IpNet>,
    /// Which address is the client's. Default: the one that the connection comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_strategy: Option<IpStrategy>,
    /// What others are answered. Default 403.
    pub reject_status_code: u16,
}

impl IpAllowList {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let list = Self::old(fields);
        let reject_status_code = match fields.number("rejectStatusCode") {
            None | Some(0) => list.reject_status_code,
            Some(code) => code,
        };
        if !(100..=599).contains(&reject_status_code) {
            fields.error("rejectStatusCode", "expects a status from 100 to 599");
        }
        Some(Self {
            reject_status_code,
            ..list
        })
    }

    /// `ipWhiteList`: the old name, and fewer options.
    pub(super) fn read_old(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self::old(fields))
    }

    fn old(fields: &mut Fields<'_>) -> Self {
        let source_range = ranges(fields, "sourceRange");
        if fields.texts("sourceRange").is_empty() {
            let message = "`sourceRange` names no address: nobody could pass; list who may";
            fields.error("sourceRange", message);
        }
        Self {
            source_range,
            ip_strategy: fields.section("ipStrategy", IpStrategy::read),
            reject_status_code: 403,
        }
    }
}
