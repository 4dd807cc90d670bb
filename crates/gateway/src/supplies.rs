//! What the parts of a snapshot are built with: handed in, never taken.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use carnet_oauth::{Clock, Random};

/// Names this process knows by itself; `None`: ask the system.
pub type Resolve = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

/// Time, randomness and names.
#[derive(Clone)]
pub struct Supplies {
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Names that are resolved before the system is asked.
    pub resolve: Resolve,
}

impl fmt::Debug for Supplies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplies")
            .field("clock", &self.clock)
            .field("random", &self.random)
            .finish_non_exhaustive()
    }
}
