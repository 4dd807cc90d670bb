//! `errors`: pages of another service in the place of failures.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::document::Fields;
use crate::routing::Statuses;
use crate::routing::statuses::{mistake, range, text};

/// `errors`, Traefik's: pages of another service in the place of failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Errors {
    /// Statuses and ranges that get another page: `404`, `500-599`. Default none.
    #[serde(skip_serializing_if = "Statuses::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub status: Statuses,
    /// What such an answer has as its status in the end. Default: what it had.
    #[serde(skip_serializing_if = "StatusRewrites::is_empty")]
    #[schemars(with = "BTreeMap<String, u16>")]
    pub status_rewrites: StatusRewrites,
    /// Name of the service that has the pages; in Kubernetes as in a route. Required.
    pub service: String,
    /// Path and query of a page; `{status}`, `{originalStatus}` and `{url}` stand for those of the
    /// answer and the request. Default `/`.
    pub query: String,
    /// Headers of the request that the service gets. Default: all but those that hold credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_request_headers: Option<Vec<String>>,
}

/// `statusRewrites`: the first range that has a status counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusRewrites(pub Vec<(RangeInclusive<u16>, u16)>);

impl StatusRewrites {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut rewrites = Vec::new();
        for (from, to) in fields.text_map("statusRewrites") {
            let (range, status) = (range(&from), range(&to).filter(|to| to.start() == to.end()));
            match (range, status) {
                (Some(range), Some(status)) => rewrites.push((range, *status.start())),
                (None, _) => fields.error("statusRewrites", mistake(&from)),
                (_, None) => fields.error("statusRewrites", format!("`{to}` is no status")),
            }
        }
        Self(rewrites)
    }

    /// What becomes of a status.
    pub fn of(&self, status: u16) -> Option<u16> {
        let mut rewrites = self.0.iter();
        let found = rewrites.find(|(range, _)| range.contains(&status));
        found.map(|(_, to)| *to)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for StatusRewrites {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rewrites = self.0.iter().map(|(range, to)| (text(range), *to));
        serializer.collect_map(rewrites.collect::<BTreeMap<_, _>>())
    }
}

impl Errors {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let status = Statuses::read(fields, "status");
        let status_rewrites = StatusRewrites::read(fields);
        let service = fields.required_text("service");
        let query = fields.text("query").unwrap_or_default();
        let headers = fields.has("errorRequestHeaders");
        let headers = headers.then(|| fields.texts("errorRequestHeaders"));
        if !fields.has("status") {
            fields.warn("status", "names no status: no answer gets another page");
        }
        Some(Self {
            status,
            status_rewrites,
            service: service?,
            query,
            error_request_headers: headers,
        })
    }
}
