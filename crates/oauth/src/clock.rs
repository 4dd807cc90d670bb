//! Time, handed in.

use std::time::SystemTime;

/// The time of day. Implemented by the binary over the system clock and by tests over a fixed one.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> SystemTime;
}
