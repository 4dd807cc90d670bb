//! Two answers, side by side. Knows nothing of how they were obtained.

mod answer;
mod hook;
mod json;
mod jwt;
mod outcome;
mod pattern;

pub(crate) use answer::{Received, answers};
pub(crate) use hook::{Asked, questions};
pub(crate) use outcome::{Printed, outcomes};
pub(crate) use pattern::{Values, fill};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where: `status`, `header NAME`, `body.a.0.b`, `access_token.claims.aud`, `hook calls`,
    /// `stdout` ...
    pub at: String,
    /// What was expected, in short.
    pub expected: String,
    /// What was there instead.
    pub found: String,
}

impl Finding {
    fn new(at: &str, expected: impl ToString, found: impl ToString) -> Self {
        Self {
            at: at.to_owned(),
            expected: start(&expected.to_string()),
            found: start(&found.to_string()),
        }
    }
}

/// So much of a value that a person sees what it is.
fn start(text: &str) -> String {
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
