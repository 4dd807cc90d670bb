//! `postgres://user:password@host:5432/database?sslmode=verify-full&max_conns=20`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use carnet_oauth::client::Lifespan;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::{Dsn, Result, nearest, refused, unknown_option};

/// A database on a PostgreSQL server, and how many connections to it there may be.
#[derive(Clone)]
pub(in crate::store) struct PostgresServer {
    /// Where it is, without user and password.
    pub name: String,
    /// How to connect.
    pub connect: PgConnectOptions,
    /// So many connections at most.
    pub max_conns: u32,
    /// A connection is replaced at this age.
    pub max_lifetime: Option<Duration>,
    /// A connection that nobody used for so long is closed.
    pub max_idle_time: Option<Duration>,
}

/// Without the password, which the connection's options would show.
impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresServer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Hydra takes twice the number of processors, which a container seldom knows.
const MAX_CONNS: u32 = 10;

/// What the connection itself reads, as `libpq` names it.
const CONNECTION: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];
/// Settings of the session that may be given a value.
const SESSION: &[&str] = &["search_path", "timezone"];
const POOL: &[&str] = &[
    "max_conn_idle_time",
    "max_conn_lifetime",
    "max_conns",
    "max_idle_conns",
];
/// Options of Hydra's driver that change nothing here: how long a call waits and how statements are
/// prepared is fixed.
const FIXED: &[&str] = &[
    "connect_timeout",
    "default_query_exec_mode",
    "description_cache_capacity",
    "statement_cache_capacity",
    "target_session_attrs",
];
const MODES: &[&str] = &[
    "allow",
    "disable",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Reads what follows the scheme.
pub(super) fn parse(rest: &str) -> Result<Dsn> {
    let (authority, _) = rest.split_once(['/', '?']).unwrap_or((rest, ""));
    if authority
        .rsplit('@')
        .next()
        .is_some_and(|hosts| hosts.contains(','))
    {
        return Err(refused(
            "the PostgreSQL DSN names several hosts: name one, which leads to the server that may \
             be written, such as a proxy",
        ));
    }
    // The kind of URL does not matter to the reader; an empty host does, and means a default.
    let mut url = Url::parse(&format!("postgres://{rest}")).map_err(|error| {
        refused(format!(
            "the PostgreSQL DSN is no URL ({error}): write \
             `postgres://user:password@host:5432/database`, with `%40` for a `@` in the password, \
             `%2F` for a `/`, `%3F` for a `?` and `%23` for a `#`"
        ))
    })?;
    if url.fragment().is_some() {
        return Err(refused(
            "the PostgreSQL DSN ends in a fragment: write `%23` for a `#` in the password",
        ));
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    let mut pool = Pool::default();
    let mut session = Vec::new();
    for (name, value) in pairs {
        match name.as_str() {
            known if POOL.contains(&known) => pool.set(known, &value)?,
            known if SESSION.contains(&known) => session.push((name, value)),
            known if CONNECTION.contains(&known) => {
                check(known, &value)?;
                url.query_pairs_mut().append_pair(&name, &value);
            }
            known if FIXED.contains(&known) => {}
            unknown => {
                let known = [CONNECTION, FIXED, POOL, SESSION].concat();
                return Err(unknown_option("PostgreSQL", unknown, &known));
            }
        }
    }
    server(&url, pool, session)
}

fn server(url: &Url, pool: Pool, session: Vec<(String, String)>) -> Result<Dsn> {
    let connect = PgConnectOptions::from_str(url.as_str()).map_err(|error| match error {
        sqlx::Error::Configuration(problem) => {
            refused(format!("the PostgreSQL DSN cannot be used: {problem}"))
        }
        _ => refused("the PostgreSQL DSN cannot be used"),
    })?;
    let Some(database) = connect.get_database() else {
        return Err(refused(
            "the PostgreSQL DSN names no database: write `postgres://user:password@host:5432/database`",
        ));
    };
    let place = match connect.get_socket() {
        Some(folder) => format!("{}:{}", folder.display(), connect.get_port()),
        None => format!("{}:{}", connect.get_host(), connect.get_port()),
    };
    let has_root = url.query_pairs().any(|(name, _)| name == "sslrootcert");
    // As `libpq` has it: who names an authority wants it asked.
    let mode = match connect.get_ssl_mode() {
        PgSslMode::Require if has_root => PgSslMode::VerifyCa,
        mode => mode,
    };
    let name = format!("{database} at {place}");
    let connect = connect
        .ssl_mode(mode)
        // Poolers in between refuse it, and there is no floating point here.
        .extra_float_digits(None)
        .options(session);
    Ok(Dsn::Postgres(Box::new(PostgresServer {
        name,
        connect,
        max_conns: pool.max_conns.unwrap_or(MAX_CONNS),
        max_lifetime: pool.max_lifetime,
        max_idle_time: pool.max_idle_time,
    })))
}

fn check(name: &str, value: &str) -> Result<()> {
    match name {
        "sslmode" if !MODES.contains(&value) => Err(refused(format!(
            "`sslmode` of the PostgreSQL DSN is none of {}{}",
            MODES.join(", "),
            nearest(value, MODES)
        ))),
        "port" if value.parse::<u16>().is_err() => {
            Err(refused("`port` of the PostgreSQL DSN is no port"))
        }
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Pool {
    max_conns: Option<u32>,
    max_lifetime: Option<Duration>,
    max_idle_time: Option<Duration>,
}

impl Pool {
    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "max_conns" => self.max_conns = Some(number(name, value)?).filter(|many| *many > 0),
            "max_conn_lifetime" => self.max_lifetime = duration(name, value)?,
            "max_conn_idle_time" => self.max_idle_time = duration(name, value)?,
            // Idle connections are kept until their time is over, whatever their number.
            _ => drop(number(name, value)?),
        }
        Ok(())
    }
}

fn number(name: &str, value: &str) -> Result<u32> {
    value.parse().map_err(|_| {
        refused(format!(
            "`{name}` of the PostgreSQL DSN is no number of connections"
        ))
    })
}

/// A duration as Go writes it; 0 is none.
fn duration(name: &str, value: &str) -> Result<Option<Duration>> {
    let seconds = Lifespan::parse(value)
        .ok()
        .and_then(|span| u64::try_from(span.as_seconds()).ok())
        .ok_or_else(|| {
            refused(format!(
                "`{name}` of the PostgreSQL DSN is no duration: write it as 30m or 1h"
            ))
        })?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(dsn: &str) -> PostgresServer {
        match Dsn::parse(dsn).unwrap() {
            Dsn::Postgres(server) => *server,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn addresses_are_read_as_hydra_reads_them() {
        let server = read(
            "postgres://hydra:s%40crt@db.example:5433/hydra?sslmode=disable&max_conns=20\
             &max_idle_conns=4&max_conn_lifetime=1h&max_conn_idle_time=90s&search_path=auth",
        );
        assert_eq!(server.name, "hydra at db.example:5433");
        assert_eq!(server.max_conns, 20);
        assert_eq!(server.max_lifetime, Some(Duration::from_secs(3600)));
        assert_eq!(server.max_idle_time, Some(Duration::from_secs(90)));
        assert_eq!(server.connect.get_username(), "hydra");
        assert_eq!(server.connect.get_options(), Some("-c search_path=auth"));
        let local = read("postgresql:///hydra?host=/var/run/postgresql&port=5444&user=u");
        assert_eq!(local.name, "hydra at /var/run/postgresql:5444");
        assert_eq!((local.max_conns, local.max_lifetime), (MAX_CONNS, None));
    }

    #[test]
    fn who_names_an_authority_wants_it_asked() {
        let mode = |dsn| format!("{:?}", read(dsn).connect.get_ssl_mode());
        assert_eq!(mode("postgres://h/d?sslmode=require"), "Require");
        let named = "postgres://h/d?sslmode=require&sslrootcert=/ca.pem";
        assert_eq!(mode(named), "VerifyCa");
    }

    #[test]
    fn a_wrong_address_gets_one_sentence_with_the_nearest_word_and_without_the_password() {
        for (dsn, expected) in [
            ("postgres://u:canary@h", "names no database"),
            ("postgres://u:canary@h:port/d", "is no URL"),
            ("postgres://u:can#ary@h/d", "`%23` for a `#`"),
            ("postgres://u:canary@h,i/d", "names several hosts"),
            (
                "postgres://u:canary@h/d?sslmod=disable",
                "did you mean `sslmode`?",
            ),
            (
                "postgres://u:canary@h/d?sslmode=verify",
                "did you mean `verify-ca`?",
            ),
            (
                "postgres://u:canary@h/d?max_con=3",
                "did you mean `max_conns`?",
            ),
            (
                "postgres://u:canary@h/d?max_conns=many",
                "no number of connections",
            ),
            (
                "postgres://u:canary@h/d?max_conn_lifetime=9",
                "write it as 30m",
            ),
            ("postgres://u:canary@h/d?port=x", "no port"),
        ] {
            let sentence = Dsn::parse(dsn).unwrap_err().to_string();
            assert!(sentence.contains(expected), "{dsn}: {sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
        let shown = format!("{:?}", Dsn::parse("postgres://u:canary@h/d").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
