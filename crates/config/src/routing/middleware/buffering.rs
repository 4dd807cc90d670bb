//! `buffering`: reads bodies to their end before they go on, up to a size.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::condition::{Condition, Figure};
use crate::document::Fields;

/// From here on Traefik writes a body to a disk.
const MEMORY: u64 = 1 << 20;

/// `buffering`, Traefik's: reads bodies to their end before they go on, up to a size.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Buffering {
    /// Requests with a larger body are answered 413. Default 0: none is too large.
    pub max_request_body_bytes: u64,
    /// Without effect: bodies stay in memory. Default 1 MiB.
    pub mem_request_body_bytes: u64,
    /// An answer with a larger body becomes a 500. Default 0: none is too large.
    pub max_response_body_bytes: u64,
    /// Without effect: bodies stay in memory. Default 1 MiB.
    pub mem_response_body_bytes: u64,
    /// When a request is sent again, ten times at most: a [condition](#conditions). Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub retry_expression: Option<RetryExpression>,
    /// Bodies of requests are streamed. Default false.
    pub disable_request_buffer: bool,
    /// Bodies of answers are streamed. Default false.
    pub disable_response_buffer: bool,
}

/// A condition, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryExpression {
    text: String,
    /// What it says.
    pub condition: Condition<Attempt>,
}

/// What `retryExpression` may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// How often the request was sent.
    Attempts,
    /// The status of the answer.
    ResponseCode,
    /// Whether the status is 502 or 504.
    IsNetworkError,
}

impl Serialize for RetryExpression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Figure for Attempt {
    const NAMES: &'static [&'static str] = &["Attempts", "IsNetworkError", "ResponseCode"];

    fn read(name: &str, arguments: &[f64]) -> Result<Self, String> {
        match (name, arguments) {
            ("Attempts", []) => Ok(Self::Attempts),
            ("ResponseCode", []) => Ok(Self::ResponseCode),
            (_, []) => Ok(Self::IsNetworkError),
            (name, _) => Err(format!("`{name}` takes no arguments")),
        }
    }

    fn is_statement(&self) -> bool {
        matches!(self, Self::IsNetworkError)
    }
}

impl Buffering {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mut bytes = |key, default| fields.number(key).unwrap_or(default);
        let max_request_body_bytes = bytes("maxRequestBodyBytes", 0);
        let mem_request_body_bytes = bytes("memRequestBodyBytes", MEMORY);
        let max_response_body_bytes = bytes("maxResponseBodyBytes", 0);
        let mem_response_body_bytes = bytes("memResponseBodyBytes", MEMORY);
        let text = fields.text("retryExpression");
        let text = text.filter(|text| !text.trim().is_empty());
        let retry_expression = match text {
            None => None,
            Some(text) => match Condition::parse(&text) {
                Ok(condition) => Some(RetryExpression { text, condition }),
                Err(error) => {
                    fields.error("retryExpression", error.to_string());
                    None
                }
            },
        };
        Some(Self {
            max_request_body_bytes,
            mem_request_body_bytes,
            max_response_body_bytes,
            mem_response_body_bytes,
            retry_expression,
            disable_request_buffer: fields.boolean("disableRequestBuffer").unwrap_or(false),
            disable_response_buffer: fields.boolean("disableResponseBuffer").unwrap_or(false),
        })
    }
}
