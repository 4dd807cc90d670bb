//! How many tokens one client gets.

use serde::{Deserialize, Serialize};

use super::Lifespan;

/// The limits of one client; an absent one is the server's, and 0 is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TokenLimits {
    /// Tokens a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Tokens at once; as many as a second's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Tokens in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<u32>,
    /// The period of the quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Lifespan>,
    /// Whether tokens beyond a limit are refused, or counted and given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce: Option<bool>,
}

impl TokenLimits {
    /// Whether there is nothing to differ from the server's limits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These limits, with what is absent taken from others.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        Self {
            rate: self.rate.or(others.rate),
            // A rate brings its own burst.
            burst: match self.rate {
                Some(_) => self.burst,
                None => self.burst.or(others.burst),
            },
            quota: self.quota.or(others.quota),
            period: self.period.or(others.period),
            enforce: self.enforce.or(others.enforce),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_the_servers() {
        let read = |text: &str| serde_json::from_str::<TokenLimits>(text).unwrap();
        let server = read(r#"{"rate":5,"burst":9,"quota":100,"period":"1h","enforce":true}"#);
        let own = read(r#"{"rate":7,"quota":0}"#).or(&server);
        assert_eq!((own.rate, own.burst, own.quota), (Some(7), None, Some(0)));
        assert_eq!(own.period, Some(Lifespan::from_seconds(3600)));
        assert_eq!(own.enforce, Some(true));
        assert_eq!(read("{}").or(&server), server);
        assert!(serde_json::from_str::<TokenLimits>(r#"{"rates":1}"#).is_err());
    }
}
