//! `circuitBreaker`: asks nobody who fails.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::condition::{Condition, Figure};
use crate::document::Fields;
use crate::duration;

/// `circuitBreaker`, Traefik's: asks nobody who fails.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// When nobody is asked any more: a [condition](#conditions). Required.
    #[schemars(with = "String")]
    pub expression: Expression,
    /// So often the condition is looked at. Default 100 ms.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub check_period: Duration,
    /// So long nobody is asked. Default 10 s.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub fallback_duration: Duration,
    /// So long more and more are asked then. Default 10 s.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub recovery_duration: Duration,
    /// The answer meanwhile. Default 503.
    pub response_code: u16,
}

/// A condition, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    /// What it says.
    pub condition: Condition<Measure>,
}

/// What a circuit breaker knows of the answers of late.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// The share of 502 and 504.
    NetworkErrorRatio,
    /// Answers from the first to the second status, the second excluded, in relation to those from
    /// the third to the fourth.
    ResponseCodeRatio([f64; 4]),
    /// So many of a hundred were answered in so many milliseconds.
    LatencyAtQuantileMs(f64),
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Figure for Measure {
    const NAMES: &'static [&'static str] = &[
        "LatencyAtQuantileMS",
        "NetworkErrorRatio",
        "ResponseCodeRatio",
    ];

    fn read(name: &str, arguments: &[f64]) -> Result<Self, String> {
        match (name, arguments) {
            ("NetworkErrorRatio", []) => Ok(Self::NetworkErrorRatio),
            ("NetworkErrorRatio", _) => Err("`NetworkErrorRatio` takes no arguments".to_owned()),
            ("ResponseCodeRatio", [a, b, c, d]) => Ok(Self::ResponseCodeRatio([*a, *b, *c, *d])),
            ("ResponseCodeRatio", _) => Err(
                "`ResponseCodeRatio` takes four statuses, like `ResponseCodeRatio(500, 600, 0, 600)`"
                    .to_owned(),
            ),
            (_, [quantile]) if (0.0..=100.0).contains(quantile) => {
                Ok(Self::LatencyAtQuantileMs(*quantile))
            }
            _ => Err("`LatencyAtQuantileMS` takes a number from 0 to 100, like `50.0`".to_owned()),
        }
    }

    fn is_statement(&self) -> bool {
        false
    }
}

impl CircuitBreaker {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let text = fields.required_text("expression");
        let mut duration = |key, default| {
            let given = fields.duration(key).filter(|given| !given.is_zero());
            given.unwrap_or(default)
        };
        let check_period = duration("checkPeriod", Duration::from_millis(100));
        let fallback_duration = duration("fallbackDuration", Duration::from_secs(10));
        let recovery_duration = duration("recoveryDuration", Duration::from_secs(10));
        let response_code = fields.number("responseCode").unwrap_or(503);
        if !(100..=599).contains(&response_code) {
            fields.error("responseCode", "expects a status from 100 to 599");
        }
        let text = text?;
        let parsed = Condition::parse(&text);
        let condition = parsed.map_err(|error| fields.error("expression", error.to_string()));
        Some(Self {
            expression: Expression {
                condition: condition.ok()?,
                text,
            },
            check_period,
            fallback_duration,
            recovery_duration,
            response_code,
        })
    }
}
