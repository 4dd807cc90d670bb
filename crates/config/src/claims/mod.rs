//! The language of `claims` and the paths of `forwardHeaders` and `usernameClaim`.
//!
//! Evaluation is total: whatever a token holds, an [`Expression`] is true or false and a
//! [`ClaimPath`] finds something or nothing.

use serde_json::Value;

pub use crate::syntax::SyntaxError as ExpressionError;

mod expression;
mod path;

pub use expression::Expression;
pub use path::ClaimPath;

/// The text of a claim, for headers, logs and comparisons: strings as they are, numbers without
/// exponent, `true` and `false`, lists and objects as compact JSON, null as nothing.
pub fn text(claim: &Value) -> String {
    match claim {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.is_f64(), number.as_f64()) {
            // Unlike JSON's, the standard library's form of a float never has an exponent.
            (true, Some(float)) => float.to_string(),
            _ => number.to_string(),
        },
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => claim.to_string(),
    }
}
