//! What a command may know of the world: handed in, so that `up` can run a container's command
//! inside this process with its own environment, addresses and output.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use carnet_oauth::{Clock, Random};
use tokio_util::sync::CancellationToken;

/// Somewhere to write text for people or scripts.
pub type Output = Arc<Mutex<dyn Write + Send>>;

/// Opens the listener for an address as the user wrote it (`:4444`, `0.0.0.0:80`).
pub type Listen = Arc<dyn Fn(&str) -> io::Result<TcpListener> + Send + Sync>;

/// Names this process knows by itself (cluster DNS names under `up`); `None`: ask the system.
pub type Resolve = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

/// The surroundings of one command.
#[derive(Clone)]
pub struct Process {
    /// Environment variables.
    pub env: Arc<BTreeMap<String, String>>,
    /// Standard output: what scripts read.
    pub out: Output,
    /// Standard error: what people read.
    pub err: Output,
    /// Time of day.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// How addresses are bound.
    pub listen: Listen,
    /// How names are resolved before the system is asked.
    pub resolve: Resolve,
    /// Cancelled when the command shall end (SIGTERM, SIGINT, or the container is stopped).
    pub shutdown: CancellationToken,
}
