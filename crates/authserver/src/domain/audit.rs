//! The audit log: each write of an administrator, before and after it, and each failed
//! authentication, one line of JSON each. It never says a secret or a token, nor an id that belongs
//! to no client: that may be a secret in the wrong field.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    net::IpAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::Serialize;

use crate::domain::{AdminError, Error, limits::bucket::Bucket};

/// So many failed authentications are written at once; a tenth of them each second.
const FAILURES: u32 = 100;

/// In so long the allowance of [`FAILURES`] fills up.
const WITHIN: Duration = Duration::from_secs(10);

/// The log.
#[derive(Debug)]
pub(crate) struct AuditLog {
    /// Without a file, lines go to the log of the process.
    file: Option<Arc<AuditFile>>,
    failures: Option<Bucket>,
    suppressed: AtomicU64,
}

/// One line.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Entry {
    /// When (RFC 3339).
    pub(crate) time: String,
    /// What was asked for: a method and a route, or `authentication`.
    pub(crate) event: String,
    /// Which request: the lines of one have the same.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) request: String,
    /// Of what, as a path or a client's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    /// Who: from which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<IpAddr>,
    /// `begun`, then `done`, `refused` or `failed`.
    pub(crate) outcome: &'static str,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// What was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// How many failures before this one were left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) suppressed: u64,
}

/// A file that is opened for each line: whoever renames it gets a new one.
#[derive(Debug)]
struct AuditFile {
    path: PathBuf,
    /// Whether the last line may have been cut.
    is_torn: AtomicBool,
}

impl AuditLog {
    /// A log in a file, or in the log of the process.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = path.map(|path| {
            let (path, is_torn) = (path.to_owned(), AtomicBool::new(false));
            AuditFile { path, is_torn }
        });
        if let Some(file) = &file {
            file.append("").map_err(|problem| Error::Audit {
                path: file.path.clone(),
                problem,
            })?;
        }
        Ok(Self {
            file: file.map(Arc::new),
            failures: NonZeroU32::new(FAILURES).and_then(|most| Bucket::new(most, WITHIN)),
            suppressed: AtomicU64::new(0),
        })
    }

    /// Writes a line about a write of an administrator.
    ///
    /// # Errors
    /// When it cannot be written: then nothing must be changed.
    pub(crate) async fn write(&self, now: SystemTime, mut entry: Entry) -> Result<(), AdminError> {
        entry.time = written(now);
        let Some(file) = self.file.clone() else {
            log(&entry);
            return Ok(());
        };
        let line = line(&entry)?;
        tokio::task::spawn_blocking(move || file.append(&line))
            .await
            .map_err(|_| AdminError::Internal)?
            .map_err(|error| {
                tracing::error!(error = %error, "the audit log cannot be written");
                AdminError::Unavailable
            })
    }

    /// Writes a line about a failed authentication, unless there are too many: then they are
    /// counted in the next one. Nobody waits for it.
    pub(super) fn note_failure(&self, now: SystemTime, mut entry: Entry) {
        let allowance = self.failures.as_ref();
        if allowance.is_some_and(|bucket| bucket.take(NonZeroU32::MIN).is_err()) {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        entry.time = written(now);
        entry.suppressed = self.suppressed.swap(0, Ordering::Relaxed);
        let Some(file) = self.file.clone() else {
            log(&entry);
            return;
        };
        let Ok(line) = line(&entry) else { return };
        tokio::task::spawn_blocking(move || {
            let was_torn = file.is_torn.load(Ordering::Relaxed);
            if let Err(error) = file.append(&line)
                && !was_torn
            {
                tracing::error!(error = %error, "the audit log cannot be written");
            }
        });
    }
}

impl AuditFile {
    fn append(&self, line: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // In one piece, so that lines of several processes do not mix.
        let line = match self.is_torn.load(Ordering::Relaxed) && !line.is_empty() {
            true => format!("\n{line}"),
            false => line.to_owned(),
        };
        let written = options
            .open(&self.path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        self.is_torn.store(written.is_err(), Ordering::Relaxed);
        written
    }
}

fn line(entry: &Entry) -> Result<String, AdminError> {
    let line = serde_json::to_string(entry).map_err(|_| AdminError::Internal)?;
    Ok(line + "\n")
}

fn log(entry: &Entry) {
    tracing::info!(
        target: "carnet::audit",
        event = entry.event,
        request = entry.request,
        object = entry.object,
        from = entry.from.map(tracing::field::display),
        outcome = entry.outcome,
        status = entry.status,
        reason = entry.reason,
        suppressed = entry.suppressed,
        "audit"
    );
}

fn written(now: SystemTime) -> String {
    let now = jiff::Timestamp::try_from(now).unwrap_or_default();
    now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands in a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
