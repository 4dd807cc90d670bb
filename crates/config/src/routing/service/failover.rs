//! `failover`: one service, and another for when it fails.

use std::ops::RangeInclusive;

use super::weighted::is_health_checked;
use crate::document::Fields;

/// `failover`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failover {
    /// Name of the service that is asked first.
    pub service: String,
    /// Name of the service that is asked while the first is down.
    pub fallback: String,
    /// `healthCheck: {}`: a service that this one is part of hears when both are down. Default
    /// false.
    pub health_check: bool,
    /// Answers that count as failures too. Default: none.
    pub errors: Option<ErrorStatuses>,
}

/// `failover.errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorStatuses {
    /// Statuses after which the fallback is asked.
    pub status: Vec<RangeInclusive<u16>>,
    /// Largest body of a request that is kept for the fallback, in bytes; larger ones are answered
    /// 413. Default: no limit.
    pub max_request_body_bytes: Option<u64>,
}

impl Failover {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (service, fallback) = (
            fields.required_text("service"),
            fields.required_text("fallback"),
        );
        let health_check = is_health_checked(fields);
        let errors = ErrorStatuses::read(fields);
        Some(Self {
            service: service?,
            fallback: fallback?,
            health_check,
            errors,
        })
    }
}

impl ErrorStatuses {
    /// Reads `errors`; `None` where it names no status.
    pub fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let errors = fields.map("errors", |errors| {
            let mut status = Vec::new();
            for text in errors.texts("status") {
                match range(&text) {
                    Some(range) => status.push(range),
                    None => errors.error(
                        "status",
                        format!("`{text}` is no status; write `503` or `500-599`"),
                    ),
                }
            }
            let limit = errors.integer("maxRequestBodyBytes");
            Self {
                status,
                // Below zero means none, as in Traefik.
                max_request_body_bytes: limit.and_then(|limit| limit.try_into().ok()),
            }
        });
        errors.filter(|errors| !errors.status.is_empty())
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let are_statuses = (100..=599).contains(&first) && (100..=599).contains(&last);
    (are_statuses && first <= last).then_some(first..=last)
}
