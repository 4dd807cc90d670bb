//! `--upgrade-socket`: a newer process takes over the listening sockets of the running one.
//!
//! The newer one connects and is sent the sockets with their addresses. When it has a configuration
//! that it can serve it says [`READY`]; the older one stops accepting and says [`YOURS`]. Until then
//! the newer one may fail, and nothing has changed. Both are of one user, or of root.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::sockets::Sockets;
use crate::boot;
use crate::output::Failure;

/// The newer process can serve.
const READY: &str = "ready";
/// The older process accepts no more.
const YOURS: &str = "yours";
/// How long the older one waits for the newer one's first configuration.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the newer one waits for an answer, which needs no work.
const ANSWER: Duration = Duration::from_secs(10);
/// Of the words of this page.
const VERSION: u32 = 1;

/// What is sent with the sockets.
#[derive(Debug, Serialize, Deserialize)]
struct Offer {
    version: u32,
    /// In the order of the sockets.
    addresses: Vec<String>,
}

/// The running process that is to be replaced.
#[derive(Debug)]
pub(super) struct Predecessor {
    stream: UnixStream,
    path: PathBuf,
}

impl Predecessor {
    /// Asks whoever listens at the path for its sockets. `None`: nobody does.
    pub(super) async fn meet(path: &Path) -> Result<Option<(Self, Sockets)>, Failure> {
        let Some(stream) = connect(path).await.map_err(|error| failed(path, &error))? else {
            return Ok(None);
        };
        let offered = timeout(ANSWER, async {
            refuse_strangers(&stream)?;
            boot::receive_sockets(&stream).await
        });
        let offered = offered.await.map_err(io::Error::from).flatten();
        let (line, sockets) = offered.map_err(|error| failed(path, &error))?;
        let offer: Offer = serde_json::from_str(&line).map_err(|error| failed(path, &error))?;
        if offer.version != VERSION || offer.addresses.len() != sockets.len() {
            let reason = "it is of a version that hands over in another way; stop it and start \
                          this one";
            return Err(failed(path, &reason));
        }
        let sockets = Sockets::inherited(offer.addresses.into_iter().zip(sockets));
        let path = path.to_owned();
        Ok(Some((Self { stream, path }, sockets)))
    }

    /// Tells it that this process can serve; afterwards this one alone accepts.
    pub(super) async fn replace(self) -> Result<(), Failure> {
        let Self { mut stream, path } = self;
        let answer = timeout(ANSWER, async {
            say(&mut stream, READY).await?;
            hear(&mut stream).await
        });
        let answer = answer.await.map_err(io::Error::from).flatten();
        match answer.as_deref() {
            Ok(YOURS) => Ok(()),
            // Crashed meanwhile: its sockets are ours alone.
            _ if matches!(connect(&path).await, Ok(None)) => Ok(()),
            Ok(other) => Err(failed(&path, &format!("it said `{other}`"))),
            Err(error) => Err(failed(&path, error)),
        }
    }
}

/// Where newer processes ask for the sockets.
#[derive(Debug)]
pub(super) struct Successors(UnixListener);

impl Successors {
    /// Listens at the path, for this user alone.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let opened = boot::bind_unix(path, None, None, 0o600).and_then(UnixListener::from_std);
        opened.map(Self).map_err(|error| {
            let path = path.display();
            Failure::new(format!(
                "--upgrade-socket: cannot listen at {path}: {error}"
            ))
        })
    }

    /// Waits until a newer process is ready, then lets go of the path. From then on nobody may
    /// accept from the sockets any more.
    pub(super) async fn handed_over(self, sockets: &Sockets) {
        loop {
            let stream = match self.0.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "no newer process can be met");
                    tokio::time::sleep(ANSWER).await;
                    continue;
                }
            };
            match timeout(PATIENCE, offer(stream, sockets)).await {
                Ok(Ok(mut stream)) => {
                    drop(self.0);
                    tracing::info!("a newer process takes over");
                    // It finds out by itself where this does not reach it.
                    let _ = say(&mut stream, YOURS).await;
                    return sockets.close();
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "a newer process did not take over; this one goes on");
                }
                Err(_) => tracing::error!(
                    "a newer process was not ready after {} s; this one goes on",
                    PATIENCE.as_secs()
                ),
            }
        }
    }

    /// Removes the path, which nobody has taken.
    pub(super) fn remove(path: &Path) {
        let is_socket = |found: fs::Metadata| found.file_type().is_socket();
        if fs::symlink_metadata(path).is_ok_and(is_socket) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Sends the sockets to a newer process and waits until it can serve.
async fn offer(mut stream: UnixStream, sockets: &Sockets) -> io::Result<UnixStream> {
    refuse_strangers(&stream)?;
    let (addresses, copies) = sockets.copies()?;
    let offer = Offer {
        version: VERSION,
        addresses,
    };
    let line = serde_json::to_string(&offer)?;
    boot::send_sockets(&stream, &line, &copies).await?;
    drop(copies);
    match hear(&mut stream).await?.as_str() {
        READY => Ok(stream),
        "" => Err(io::Error::other("it ended before it was ready")),
        other => Err(io::Error::other(format!("it said `{other}`"))),
    }
}

/// `None`: nobody listens there.
async fn connect(path: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
            _ => Err(error),
        },
    }
}

/// The kernel says whose process the other end is.
fn refuse_strangers(stream: &UnixStream) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    match is_trusted(user, geteuid().as_raw()) {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "the process at the other end is of another user ({user})"
        ))),
    }
}

fn is_trusted(user: u32, own: u32) -> bool {
    user == own || user == 0
}

async fn say(stream: &mut UnixStream, word: &str) -> io::Result<()> {
    stream.write_all(format!("{word}\n").as_bytes()).await
}

/// A word, or nothing when the other side is gone.
async fn hear(stream: &mut UnixStream) -> io::Result<String> {
    let mut word = String::new();
    BufReader::new(stream).read_line(&mut word).await?;
    Ok(word.trim_end().to_owned())
}

fn failed(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!(
        "cannot take over from the process at {}: {reason}; it goes on",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_user_and_root_are_trusted_and_nobody_else() {
        let trusted = [(1000, 1000), (0, 1000), (0, 0)].map(|(user, own)| is_trusted(user, own));
        assert_eq!(trusted, [true; 3]);
        assert!(!is_trusted(1000, 1001));
        assert!(!is_trusted(1000, 0));
    }
}
