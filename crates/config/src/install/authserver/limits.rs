//! `limits` (ours): who gets how much.

use std::time::Duration;

use crate::document::Fields;

/// `limits`: each process counts for itself, in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// `tokens`: of each client that has no limits of its own. Default none.
    pub tokens: TokenLimits,
    /// `guesses`: at secrets.
    pub guesses: Guesses,
}

/// `limits.tokens`. 0 is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenLimits {
    /// `rate`: tokens a second.
    pub rate: Option<u32>,
    /// `burst`: tokens at once. Default: as many as a second's.
    pub burst: Option<u32>,
    /// `quota`: tokens in a period.
    pub quota: Option<u32>,
    /// `period`: of the quota. Default 24h.
    pub period: Option<Duration>,
    /// `enforce`: whether tokens beyond a limit are refused; else they are counted and given.
    /// Default false.
    pub enforce: Option<bool>,
}

/// `limits.guesses`: attempts with secrets that are not known to be right, for each client id and
/// each address that asks for it. Beyond that, 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guesses {
    /// `rate`: a second; 0: as many as there are. Default 10.
    pub rate: u32,
    /// `burst`: at once. Default 100.
    pub burst: u32,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            rate: 10,
            burst: 100,
        }
    }
}

/// Reads the section.
pub(super) fn read(fields: &mut Fields<'_>) -> Limits {
    Limits {
        tokens: fields.map("tokens", tokens).unwrap_or_default(),
        guesses: fields.map("guesses", guesses).unwrap_or_default(),
    }
}

fn tokens(fields: &mut Fields<'_>) -> TokenLimits {
    let limits = TokenLimits {
        rate: fields.number("rate"),
        burst: fields.number("burst"),
        quota: fields.number("quota"),
        period: fields.duration("period"),
        enforce: fields.boolean("enforce"),
    };
    if limits.burst == Some(0) {
        fields.error("burst", "at least one token at once");
    }
    let second = Duration::from_secs(1);
    if limits.period.is_some_and(|period| period < second) {
        fields.error("period", "a second or more");
    }
    limits
}

fn guesses(fields: &mut Fields<'_>) -> Guesses {
    let default = Guesses::default();
    let guesses = Guesses {
        rate: fields.number("rate").unwrap_or(default.rate),
        burst: fields.number("burst").unwrap_or(default.burst),
    };
    if guesses.burst == 0 {
        fields.error(
            "burst",
            "at least one guess at once; a `rate` of 0 counts none",
        );
    }
    guesses
}
