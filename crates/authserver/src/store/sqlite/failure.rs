//! What SQLite reports, as one sentence that says what to do.

use crate::store::StoreError;

/// A failure before the store was open.
pub(super) fn of_opening(name: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Dsn(sentence(name, error))
}

/// Whether somebody else holds the file.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::BUSY | code::LOCKED))
}

/// Primary result codes of SQLite (its documentation, "Result and Error Codes").
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
}

/// A failure of a call.
pub(super) fn sentence(name: &str, error: &sqlx::Error) -> String {
    let what = match primary_code(error) {
        _ if is_locked(error) => {
            "is locked by another process: end what holds it (a backup, a database shell) and try again"
        }
        Some(code::READONLY) => {
            "cannot be written: give this user the right to write the file and its folder"
        }
        Some(code::CANTOPEN) => {
            "cannot be opened: see that its folder exists and that this user may write there"
        }
        Some(code::IOERR) => "cannot be read or written: check the disk",
        Some(code::FULL) => "cannot grow: its disk is full",
        Some(code::CORRUPT) => "is damaged: restore it from a backup",
        Some(code::NOTADB) => {
            "is no SQLite database: name another file, or restore this one from a backup"
        }
        _ if matches!(error, sqlx::Error::PoolTimedOut) => {
            "is busier than it can bear: try again later"
        }
        // SQLite's messages name tables and columns, never values.
        _ => return format!("database `{name}`: {error}"),
    };
    format!("database `{name}` {what}")
}

/// The result code without what SQLite adds in its upper bits.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
