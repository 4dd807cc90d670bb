//! `retry`: sends requests again that no server answered.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;
use crate::duration;
use crate::routing::Statuses;

/// Traefik's.
const MAX_REQUEST_BODY_BYTES: u64 = 2 << 20;

/// `retry`, Traefik's: sends requests again that no server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// How often a request is sent at most, see [what is sent again](#what-is-sent-again). Required.
    pub attempts: u32,
    /// The wait before the second attempt; later ones are up to twice as long. Default 0.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub initial_interval: Duration,
    /// After so long nothing is sent again. Default 0: without end.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub timeout: Duration,
    /// Requests with a larger body are not sent again for the sake of a status; -1: none is too large. Default 2097152.
    pub max_request_body_bytes: Option<u64>,
    /// Answers after which a request is sent again. Default none.
    #[serde(skip_serializing_if = "Statuses::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub status: Statuses,
    /// Requests that reached no server are not sent again. Default false.
    pub disable_retry_on_network_error: bool,
    /// `POST`, `PATCH` and `LOCK` are sent again for the sake of a status, too. Default false.
    pub retry_non_idempotent_method: bool,
}

impl Retry {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let given = fields.has("attempts");
        let attempts: Option<u32> = fields.number("attempts");
        let initial_interval = fields.duration("initialInterval").unwrap_or_default();
        let timeout = fields.duration("timeout").unwrap_or_default();
        let limit = fields.integer("maxRequestBodyBytes");
        let status = Statuses::read(fields, "status");
        let disabled = fields.boolean("disableRetryOnNetworkError");
        let disable_retry_on_network_error = disabled.unwrap_or(false);
        let all = fields.boolean("retryNonIdempotentMethod").unwrap_or(false);
        // What is no number was told of.
        if attempts == Some(0) || !given {
            fields.error(
                "attempts",
                "expects how often a request is sent, at least 1",
            );
        }
        if disable_retry_on_network_error && status.is_empty() {
            let message = "without `status` nothing would ever be sent again";
            fields.error("disableRetryOnNetworkError", message);
        }
        Some(Self {
            attempts: attempts.unwrap_or(0),
            initial_interval,
            timeout,
            max_request_body_bytes: match limit {
                None => Some(MAX_REQUEST_BODY_BYTES),
                Some(limit) => limit.try_into().ok(),
            },
            status,
            disable_retry_on_network_error,
            retry_non_idempotent_method: all,
        })
    }
}
