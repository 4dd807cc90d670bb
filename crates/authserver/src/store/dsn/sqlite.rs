//! `sqlite://PATH?_fk=true`.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::{Dsn, Result, refused, unknown_option};

/// A SQLite file and what the address says about its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct SqliteFile {
    /// The file; relative paths start at the working directory.
    pub path: PathBuf,
    /// How long a statement waits while another process writes.
    pub busy_timeout: Duration,
}

/// Short enough for an answer within two seconds, see `store/sqlite`.
const BUSY_TIMEOUT: Duration = Duration::from_millis(900);

/// Options of Hydra and of its SQLite driver that change nothing here: foreign keys, WAL, full
/// synchronisation and the numbers of connections are fixed.
const FIXED: &[&str] = &[
    "_fk",
    "_foreign_keys",
    "_journal",
    "_journal_mode",
    "_loc",
    "_mutex",
    "_sync",
    "_synchronous",
    "_txlock",
    "cache",
    "max_conn_idle_time",
    "max_conn_lifetime",
    "max_conns",
    "max_idle_conns",
];
const READ: &[&str] = &["_busy_timeout", "_timeout", "mode"];

/// Reads what follows the scheme.
pub(super) fn parse(rest: &str) -> Result<Dsn> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Hydra hands this form to its driver, which takes both `PATH` and SQLite's own `file:PATH`.
    let path = path.strip_prefix("file:").unwrap_or(path);
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| refused("the path of the SQLite DSN is no UTF-8 text"))?;
    let mut busy_timeout = BUSY_TIMEOUT;
    let mut in_memory = path == ":memory:";
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "_busy_timeout" | "_timeout" => {
                busy_timeout = value.parse().map(Duration::from_millis).map_err(|_| {
                    refused(format!(
                        "`{name}` of the SQLite DSN is no number of milliseconds"
                    ))
                })?;
            }
            "mode" => match &*value {
                "memory" => in_memory = true,
                "rw" | "rwc" => {}
                _ => {
                    return Err(refused(
                        "`mode` of the SQLite DSN is none of `rw`, `rwc`, `memory`",
                    ));
                }
            },
            fixed if FIXED.contains(&fixed) => {}
            unknown => {
                return Err(unknown_option("SQLite", unknown, &[FIXED, READ].concat()));
            }
        }
    }
    if in_memory {
        return Ok(Dsn::Memory);
    }
    if path.is_empty() {
        return Err(refused(
            "the SQLite DSN names no file: write `sqlite:///absolute/path` or `sqlite://relative/path`",
        ));
    }
    Ok(Dsn::Sqlite(SqliteFile {
        path: PathBuf::from(&*path),
        busy_timeout,
    }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn path(dsn: &str) -> PathBuf {
        match Dsn::parse(dsn).unwrap() {
            Dsn::Sqlite(file) => file.path,
            Dsn::Memory => PathBuf::from("memory"),
            Dsn::Postgres(_) => unreachable!(),
        }
    }

    #[test]
    fn addresses_are_read_as_hydra_reads_them() {
        for (dsn, expected) in [
            ("memory", "memory"),
            ("sqlite:///var/lib/db.sqlite?_fk=true", "/var/lib/db.sqlite"),
            ("sqlite://db.sqlite", "db.sqlite"),
            (
                "sqlite://./a/db.sqlite?mode=rwc&max_conns=4",
                "./a/db.sqlite",
            ),
            ("sqlite:///a%20b/c.sqlite", "/a b/c.sqlite"),
            ("sqlite://file:db.sqlite?_fk=true&cache=shared", "db.sqlite"),
            ("sqlite://:memory:?_fk=true", "memory"),
            ("sqlite://file::memory:?_fk=true", "memory"),
            ("sqlite://x?mode=memory", "memory"),
        ] {
            assert_eq!(path(dsn), PathBuf::from(expected), "{dsn}");
        }
    }

    #[test]
    fn the_address_says_how_long_to_wait_for_another_writer() {
        let Dsn::Sqlite(file) = Dsn::parse("sqlite://a?_busy_timeout=50").unwrap() else {
            unreachable!()
        };
        assert_eq!(file.busy_timeout, Duration::from_millis(50));
    }

    #[test]
    fn a_wrong_option_gets_one_sentence_with_the_nearest_word() {
        for (dsn, expected) in [
            ("sqlite://", "names no file"),
            ("sqlite://a?_fkk=true", "did you mean `_fk`?"),
            ("sqlite://a?mode=ro", "`mode` of the SQLite DSN"),
            ("sqlite://a?_timeout=soon", "milliseconds"),
        ] {
            let sentence = Dsn::parse(dsn).unwrap_err().to_string();
            assert!(sentence.contains(expected), "{dsn}: {sentence}");
        }
    }
}
