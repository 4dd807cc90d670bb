//! What a port listens at: an address, or a file that goes with the process.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use carnet_authserver as authserver;
use carnet_config::install::authserver::Listener;

use super::configuration;
use crate::boot;
use crate::commands::listen;
use crate::output::Failure;
use crate::process::Process;

/// A socket that listens.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

/// The file of a socket, removed with it.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Socket {
    /// Listens as the configuration says.
    pub(super) fn open(listener: &Listener, process: &Process) -> Result<Self, Failure> {
        let Some(path) = listener.unix_path() else {
            let address = configuration::address(listener);
            return listen(&address, process).map(Self::Tcp);
        };
        let told = &listener.socket;
        let (owner, group) = (told.owner.as_deref(), told.group.as_deref());
        let socket = boot::bind_unix(path.as_ref(), owner, group, told.mode);
        socket
            .map(|listener| Self::Unix {
                listener,
                _file: SocketFile(path.into()),
            })
            .map_err(|error| Failure::new(format!("cannot listen at unix:{path}: {error}")))
    }

    /// The socket for the server; the file stays as long as this.
    pub(super) fn listener(&self) -> io::Result<authserver::Listener> {
        match self {
            Self::Tcp(listener) => listener.try_clone().map(Into::into),
            Self::Unix { listener, .. } => listener.try_clone().map(Into::into),
        }
    }

    /// The address, where it is one.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix { .. } => None,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever starts next removes what stayed.
        let _ = std::fs::remove_file(&self.0);
    }
}
