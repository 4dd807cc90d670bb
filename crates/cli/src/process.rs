//! What a command may know of the world: handed in, so that `up` can run a container's command
//! inside this process with its own environment, addresses and output.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use carnet_oauth::{Clock, Random};
use tokio_util::sync::CancellationToken;

use crate::boot::log::LogFiles;

/// Somewhere to write text for people or scripts.
pub(crate) type Output = Arc<Mutex<dyn Write + Send>>;

/// Somewhere to read what is piped in.
pub(crate) type Input = Arc<Mutex<dyn Read + Send>>;

/// Opens the listener for an address as the user wrote it (`:4444`, `0.0.0.0:80`).
pub(crate) type Listen = Arc<dyn Fn(&str) -> io::Result<TcpListener> + Send + Sync>;

/// Names this process knows by itself (cluster DNS names under `up`); `None`: ask the system.
pub(crate) type Resolve = Arc<dyn Fn(&str, u16) -> Option<SocketAddr> + Send + Sync>;

/// The surroundings of one command.
#[derive(Clone)]
pub(crate) struct Process {
    /// Environment variables.
    pub(crate) env: Arc<BTreeMap<String, String>>,
    /// Standard output: what scripts read.
    pub(crate) out: Output,
    /// Standard error: what people read.
    pub(crate) err: Output,
    /// Whether somebody watches standard error on a terminal.
    pub(crate) is_watched: bool,
    /// Files that logs are written to.
    pub(crate) logs: LogFiles,
    /// Standard input.
    pub(crate) input: Input,
    /// Time of day.
    pub(crate) clock: Arc<dyn Clock>,
    /// Random bytes.
    pub(crate) random: Arc<dyn Random>,
    /// How addresses are bound.
    pub(crate) listen: Listen,
    /// The same, at addresses that processes share on purpose.
    pub(crate) listen_beside: Listen,
    /// How names are resolved before the system is asked.
    pub(crate) resolve: Resolve,
    /// Bytes of memory that the process may have, where the system tells.
    pub(crate) memory: Option<u64>,
    /// Cancelled when the command shall end (SIGTERM, SIGINT, or the container is stopped).
    pub(crate) shutdown: CancellationToken,
    /// The name of this machine.
    pub(crate) hostname: Arc<str>,
    /// When the process began.
    pub(crate) started: Instant,
}
