//! The address of a store, as Hydra's users write it: `memory`, `sqlite://PATH?_fk=true`,
//! `postgres://user:password@host:5432/database?sslmode=verify-full`.

mod postgres;
mod sqlite;

pub(super) use postgres::PostgresServer;
pub(super) use sqlite::SqliteFile;

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;

use super::{Result, StoreError};

/// A store's address, understood.
#[derive(Debug, Clone)]
pub(super) enum Dsn {
    /// Private to one opening; gone with the process.
    Memory,
    /// A SQLite file.
    Sqlite(SqliteFile),
    /// A database on a PostgreSQL server.
    Postgres(Box<PostgresServer>),
}

/// A database that is only read, of another server.
pub(crate) enum Foreign {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// Reads the address of a database of another server; `None` when it is in that server's memory.
pub(crate) fn foreign(text: &str) -> Result<Option<Foreign>> {
    Ok(match Dsn::parse(text)? {
        Dsn::Memory => None,
        Dsn::Sqlite(file) => Some(Foreign::Sqlite(file.path)),
        Dsn::Postgres(server) => Some(Foreign::Postgres(Box::new(server.connect))),
    })
}

const KNOWN: &[&str] = &["memory", "sqlite", "postgres"];
const EXAMPLES: &str = "`memory`, `sqlite://PATH` or `postgres://user:password@host:5432/database`";

impl Dsn {
    /// Reads an address. No error repeats it: it may carry a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if text.is_empty() {
            return Err(refused(format!(
                "no database is named: set `dsn` (DSN) to {EXAMPLES}"
            )));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(refused(format!(
                "the DSN has no scheme: write {EXAMPLES}{}",
                nearest(text, KNOWN)
            )));
        };
        match scheme {
            "sqlite" | "sqlite3" => sqlite::parse(rest),
            "postgres" | "postgresql" => postgres::parse(rest),
            "mysql" => Err(unsupported("MySQL")),
            "cockroach" | "cockroachdb" | "crdb" => Err(unsupported("CockroachDB")),
            unknown => Err(refused(format!(
                "the DSN's scheme `{}` is unknown: write {EXAMPLES}{}",
                unknown.escape_default(),
                nearest(unknown, KNOWN)
            ))),
        }
    }
}

fn unsupported(database: &str) -> StoreError {
    refused(format!(
        "{database} is not supported: use PostgreSQL (`postgres://user:password@host:5432/database`) \
         or SQLite (`sqlite://PATH`)"
    ))
}

pub(super) fn refused(sentence: impl Into<String>) -> StoreError {
    StoreError::Dsn(sentence.into())
}

fn unknown_option(database: &str, name: &str, known: &[&str]) -> StoreError {
    refused(format!(
        "the option `{}` of the {database} DSN is unknown{}",
        name.escape_default(),
        nearest(name, known)
    ))
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

    #[test]
    fn a_wrong_address_gets_one_sentence_with_the_nearest_word() {
        for (dsn, expected) in [
            ("", "`memory`, `sqlite://PATH` or `postgres://"),
            ("memroy", "did you mean `memory`?"),
            ("sqllite://a", "did you mean `sqlite`?"),
            ("postgre://u:canary@h/d", "did you mean `postgres`?"),
            ("mysql://u:canary@tcp(h)/d", "MySQL is not supported: use"),
            (
                "cockroach://u:canary@h/d",
                "CockroachDB is not supported: use",
            ),
            ("redis://u:canary@h", "`redis` is unknown: write `memory`"),
            ("/var/lib/db.sqlite", "`sqlite://PATH`"),
        ] {
            let sentence = Dsn::parse(dsn).unwrap_err().to_string();
            assert!(sentence.contains(expected), "{dsn}: {sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
    }
}
