//! The threads that serve connections: one a processor that the process may use, each with a
//! runtime of its own.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Threads that run until this is dropped.
pub(crate) struct Threads {
    handles: Vec<Handle>,
    end: CancellationToken,
}

impl Threads {
    /// Starts them.
    pub(crate) fn start() -> io::Result<Self> {
        let mut threads = Self {
            handles: Vec::new(),
            end: CancellationToken::new(),
        };
        let count = thread::available_parallelism().map_or(1, usize::from);
        for number in 1..=count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            threads.handles.push(runtime.handle().clone());
            let end = threads.end.clone();
            let name = format!("serve-{number}");
            let run = move || runtime.block_on(end.cancelled());
            thread::Builder::new().name(name).spawn(run)?;
        }
        Ok(threads)
    }

    /// Their runtimes.
    pub(crate) fn handles(&self) -> &[Handle] {
        &self.handles
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end.cancel();
    }
}
