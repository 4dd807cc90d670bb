//! The address of Hydra's database, as Hydra takes it.

use std::path::Path;

use percent_encoding::percent_decode_str;
use sqlx::sqlite::SqliteConnectOptions;
use url::Url;

use super::ImportError;

/// Options that Hydra itself reads and takes off before it connects.
const HYDRAS_OWN: [&str; 4] = [
    "max_conns",
    "max_idle_conns",
    "max_conn_lifetime",
    "max_conn_idle_time",
];

/// An address, understood.
#[derive(Debug)]
pub(super) enum Dsn {
    /// A file, to be opened read only.
    Sqlite(Box<SqliteConnectOptions>),
    /// An address for PostgreSQL.
    Postgres(String),
}

/// Reads an address. No error repeats it: it may carry a password.
pub(super) fn parse(text: &str) -> Result<Dsn, ImportError> {
    match text.split_once("://") {
        Some(("sqlite", rest)) => sqlite(rest),
        Some(("postgres" | "postgresql", _)) => postgres(text),
        Some((other @ ("mysql" | "cockroach" | "cockroachdb" | "crdb"), _)) => refused(format!(
            "a {other} database cannot be read: copy it to PostgreSQL or SQLite first, with \
             Hydra's own tables, and name the copy"
        )),
        None if text == "memory" => refused(
            "what Hydra has in memory cannot be read from outside; export its clients \
                     with `hydra list oauth2-clients` and import them with `import oauth2-client`",
        ),
        _ => refused(
            "the DSN of Hydra's database is not understood: write \
             postgres://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///PATH",
        ),
    }
}

fn sqlite(rest: &str) -> Result<Dsn, ImportError> {
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    let path = path.strip_prefix("file:").unwrap_or(path);
    let path = percent_decode_str(path).decode_utf8_lossy();
    if !Path::new(&*path).is_file() {
        return refused(format!(
            "there is no file `{path}` to read Hydra's database from"
        ));
    }
    let options = SqliteConnectOptions::new().filename(Path::new(&*path));
    Ok(Dsn::Sqlite(Box::new(options.read_only(true))))
}

fn postgres(text: &str) -> Result<Dsn, ImportError> {
    let Ok(mut url) = Url::parse(text) else {
        return refused(
            "the DSN of Hydra's database is no URL: a password with special characters must be \
             percent-encoded",
        );
    };
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !HYDRAS_OWN.contains(&&**name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Ok(Dsn::Postgres(url.into()))
}

fn refused<T>(sentence: impl Into<String>) -> Result<T, ImportError> {
    Err(ImportError::Source(sentence.into()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hydras_own_options_are_taken_off() {
        let dsn = "postgres://u:p@h:5432/d?sslmode=disable&max_conns=20&max_idle_conns=4";
        let Dsn::Postgres(url) = parse(dsn).unwrap() else {
            unreachable!()
        };
        assert_eq!(url, "postgres://u:p@h:5432/d?sslmode=disable");
    }

    #[test]
    fn an_address_that_cannot_be_read_gets_one_sentence_without_its_password() {
        for (dsn, part) in [
            ("mysql://u:canary@h/d", "copy it to PostgreSQL"),
            ("cockroach://u:canary@h/d", "copy it to PostgreSQL"),
            ("memory", "import oauth2-client"),
            ("sqlite:///nowhere/at/all", "there is no file"),
            ("postgres://u:canary@h:port/d", "percent-encoded"),
            ("canary", "is not understood"),
        ] {
            let sentence = parse(dsn).unwrap_err().to_string();
            assert!(sentence.contains(part), "{dsn}: {sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
    }
}
