//! What PostgreSQL reports, as one sentence that says what to do.

use crate::store::StoreError;

/// A failure before the store was open.
pub(super) fn of_opening(name: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Dsn(sentence(name, error))
}

/// A failure of a call.
pub(super) fn sentence(name: &str, error: &sqlx::Error) -> String {
    let what = match error {
        sqlx::Error::PoolTimedOut => {
            "does not answer in time: see that the server runs, and that its connections and `max_conns` of the DSN suffice".to_owned()
        }
        sqlx::Error::Io(error) => {
            format!("cannot be reached ({error}): see that the server runs and that the DSN names its host and port")
        }
        sqlx::Error::Tls(error) => {
            format!("refuses TLS or is not trusted ({error}): see `sslmode` and `sslrootcert` of the DSN")
        }
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match reason(&code) {
                Some(reason) => reason.to_owned(),
                // Messages name tables and columns; values stand in their details only.
                None => format!("reports {} ({code})", error.message()),
            }
        }
        other => format!("cannot be used: {other}"),
    };
    format!("database `{name}` {what}")
}

/// By the code (PostgreSQL's documentation, appendix A).
fn reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "28P01" | "28000" => {
            "refuses the user or the password of the DSN: correct them, or let the user in (pg_hba.conf)"
        }
        "3D000" => "does not exist: create it first (`createdb`)",
        "42501" => {
            "does not let this user create or change its tables: make the user the owner of the database"
        }
        "53100" => "cannot grow: its disk is full",
        "53300" => {
            "has no connection left: raise its `max_connections`, or lower `max_conns` of the DSN"
        }
        "25006" => "may only be read: let the DSN lead to the primary server",
        "57P01" | "57P02" | "57P03" => "is being shut down or started: try again later",
        "57014" | "55P03" => "is busier than it can bear: try again later",
        _ => return None,
    })
}
