//! The address of a store, as Hydra's users write it: `memory`, `sqlite://PATH?_fk=true`.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::{Result, StoreError};

/// A store's address, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dsn {
    /// Private to one opening; gone with the process.
    Memory,
    /// A SQLite file.
    Sqlite(SqliteFile),
}

/// A SQLite file and what the address says about its use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SqliteFile {
    /// The file; relative paths start at the working directory.
    pub path: PathBuf,
    /// How long a statement waits while another process writes.
    pub busy_timeout: Duration,
}

/// Short enough for an answer within two seconds, see [`super::sqlite`].
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(900);

const KNOWN: &[&str] = &["memory", "sqlite"];
const PLANNED: &[&str] = &["postgres", "postgresql", "cockroach", "mysql"];
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

impl Dsn {
    /// Reads an address. No error repeats it: it may carry a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if text.is_empty() {
            return Err(refused(
                "no database is named: set `dsn` (DSN) to `memory` or `sqlite://PATH`",
            ));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(refused(format!(
                "the DSN has no scheme: write `memory`, or `sqlite://PATH` for a file{}",
                nearest(text, KNOWN)
            )));
        };
        match scheme {
            "sqlite" => sqlite(rest),
            planned if PLANNED.contains(&planned) => Err(refused(format!(
                "a `{planned}` database is not supported yet: use `memory` or `sqlite://PATH`"
            ))),
            unknown => Err(refused(format!(
                "the DSN's scheme `{}` is unknown: `memory` and `sqlite://PATH` are known{}",
                unknown.escape_default(),
                nearest(unknown, KNOWN)
            ))),
        }
    }
}

fn sqlite(rest: &str) -> Result<Dsn> {
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
                return Err(refused(format!(
                    "the option `{}` of the SQLite DSN is unknown{}",
                    unknown.escape_default(),
                    nearest(unknown, &[FIXED, READ].concat())
                )));
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

pub(super) fn refused(sentence: impl Into<String>) -> StoreError {
    StoreError::Dsn(sentence.into())
}

/// `; did you mean X?`, or nothing.
fn nearest(word: &str, known: &[&str]) -> String {
    let likeness =
        |candidate: &&&str| strsim::normalized_damerau_levenshtein(&word.to_lowercase(), candidate);
    known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|best| likeness(best) >= 0.5)
        .map(|best| format!("; did you mean `{best}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn path(dsn: &str) -> PathBuf {
        match Dsn::parse(dsn).unwrap() {
            Dsn::Sqlite(file) => file.path,
            Dsn::Memory => PathBuf::from("memory"),
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
    fn a_wrong_address_gets_one_sentence_with_the_nearest_word() {
        for (dsn, expected) in [
            ("", "`memory` or `sqlite://PATH`"),
            ("memroy", "did you mean `memory`?"),
            ("sqllite://a", "did you mean `sqlite`?"),
            (
                "postgres://u:canary@h/d",
                "`postgres` database is not supported yet",
            ),
            (
                "mysql://u:canary@h/d",
                "`mysql` database is not supported yet",
            ),
            (
                "redis://u:canary@h",
                "`memory` and `sqlite://PATH` are known",
            ),
            ("/var/lib/db.sqlite", "`sqlite://PATH` for a file"),
            ("sqlite://", "names no file"),
            ("sqlite://a?_fkk=true", "did you mean `_fk`?"),
            ("sqlite://a?mode=ro", "`mode` of the SQLite DSN"),
            ("sqlite://a?_timeout=soon", "milliseconds"),
        ] {
            let sentence = Dsn::parse(dsn).unwrap_err().to_string();
            assert!(sentence.contains(expected), "{dsn}: {sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
    }
}
