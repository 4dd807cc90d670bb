//! `failover`: one service, and another for when it fails.

use super::weighted::is_health_checked;
use crate::document::Fields;
use crate::routing::Statuses;

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
    pub status: Statuses,
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
            let status = Statuses::read(errors, "status");
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
