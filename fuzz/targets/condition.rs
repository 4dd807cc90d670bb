//! A condition of a circuit breaker or of `retryExpression`: it is one, or it is told.
#![no_main]

use carnet_config::condition::Condition;
use carnet_config::routing::middleware::buffering::Attempt;
use carnet_config::routing::middleware::circuit_breaker::Measure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    if let Ok(condition) = Condition::<Measure>::parse(input) {
        let _ = condition.holds(&|_| 0.5);
    }
    if let Ok(condition) = Condition::<Attempt>::parse(input) {
        let _ = condition.holds(&|_| 1.0);
    }
});
