//! An expression in the first line, claims in the rest: it is true or false, whatever they are.
#![no_main]

use carnet_config::claims::{ClaimPath, Expression};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (expression, claims) = input.split_once('\n').unwrap_or((input, "{}"));
    let claims = serde_json::from_str(claims).unwrap_or_default();
    if let Ok(expression) = Expression::parse(expression) {
        let _ = expression.holds(&claims);
    }
    if let Ok(path) = ClaimPath::parse(expression) {
        let _ = path.find(&claims);
    }
});
