//! The time of day of the machine.

use std::time::SystemTime;

use carnet_oauth::Clock;

/// The clock of the machine.
#[derive(Debug)]
pub(super) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
