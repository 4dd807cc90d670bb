//! What the parts of a snapshot are built with: handed in, never taken.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use carnet_oauth::{Clock, Random};

use crate::proofs::Proofs;
use crate::room::Room;
use crate::token_source::Providers;
use crate::traces::Tracer;
use crate::upstream::Own;

/// Names this process knows by itself; `None`: ask the system.
pub type Resolve = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

/// Time, randomness, names, and what outlives each configuration.
#[derive(Clone)]
pub(crate) struct Supplies {
    /// The time of day.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) random: Arc<dyn Random>,
    /// Names that are resolved before the system is asked.
    pub(crate) resolve: Resolve,
    /// Where the gateway listens.
    pub(crate) own: Own,
    /// What is known of the servers that give tokens.
    pub(crate) providers: Arc<Providers>,
    /// Proofs of keys that were used.
    pub(crate) proofs: Arc<Proofs>,
    /// Memory that bodies may take which are kept.
    pub(crate) room: Arc<Room>,
    /// Makes spans; `None`: nothing is traced.
    pub(crate) tracer: Option<Arc<Tracer>>,
}

impl fmt::Debug for Supplies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supplies")
            .field("clock", &self.clock)
            .field("random", &self.random)
            .finish_non_exhaustive()
    }
}
