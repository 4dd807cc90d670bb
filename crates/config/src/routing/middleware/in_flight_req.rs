//! `inFlightReq`: how many requests may be under way at once.

use schemars::JsonSchema;
use serde::Serialize;

use super::source_criterion::SourceCriterion;
use crate::document::Fields;

/// `inFlightReq`, Traefik's: how many requests may be under way at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InFlightReq {
    /// So many of one source at once; more are answered 429.
    pub amount: u64,
    /// Whose requests are counted together. Default: those for one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
}

impl InFlightReq {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let amount = fields.number("amount").unwrap_or(0);
        let source_criterion = SourceCriterion::read(fields);
        Some(Self {
            amount,
            source_criterion,
        })
    }
}
