//! Who may read the file: its user and, where a container shares a folder so, its group. Others may
//! not: it holds hashes of secrets and sealed keys.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::shown;
use crate::store::dsn::refused;
use crate::store::{Result, StoreError};

/// Takes from others what they may do with a database and its logs; refuses one where that fails. A
/// backup that was copied into place would be open to everybody otherwise.
pub(super) async fn make(path: &Path) -> Result<()> {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        close(&file)
            .await
            .map_err(|problem| open_to_all(&file, &problem))?;
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
async fn close(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    const OTHERS: u32 = 0o007;
    let mode = || async {
        match tokio::fs::metadata(file).await {
            Ok(found) => Ok(found.permissions().mode()),
            // A log comes and goes.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    };
    let before = mode().await?;
    if before & OTHERS == 0 {
        return Ok(());
    }
    let closed = std::fs::Permissions::from_mode(before & 0o777 & !OTHERS);
    tokio::fs::set_permissions(file, closed).await?;
    // Some file systems nod and change nothing.
    match mode().await? & OTHERS {
        0 => Ok(()),
        _ => Err(io::Error::other("the file system keeps no permissions")),
    }
}

#[cfg(not(unix))]
async fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

fn open_to_all(file: &Path, problem: &io::Error) -> StoreError {
    let name = shown(file);
    refused(format!(
        "database `{name}` may be read by everybody: `chmod o= {name}` ({problem})"
    ))
}
