//! Hydra's database, read only and as of one moment. Every value is read as a text, so that both
//! kinds of database and all versions of the schema are read by the same statements.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::ImportError;
use super::row::Row;
use crate::store::dsn::{self, Foreign};

/// A table of Hydra's, and what of it is read.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The columns that name a row to people.
    pub(super) name_columns: &'static [&'static str],
    /// The columns that are read; those that a version does not have are `NULL`.
    pub(super) columns: &'static [&'static str],
    /// In which order.
    pub(super) order: &'static str,
}

enum Connection {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// The same words with whichever connection it is.
macro_rules! on {
    ($connection:expr, |$name:ident| $body:expr) => {
        match $connection {
            Connection::Sqlite($name) => $body,
            Connection::Postgres($name) => $body,
        }
    };
}

/// The database.
pub(super) struct Source {
    connection: Connection,
    /// The columns of each table.
    tables: BTreeMap<String, BTreeSet<String>>,
    /// Hydra serves the oldest of its networks.
    network: String,
}

const SQLITE_COLUMNS: &str = "SELECT tables.name, columns.name FROM sqlite_schema AS tables \
                              JOIN pragma_table_info(tables.name) AS columns \
                              WHERE tables.type = 'table'";
const POSTGRES_COLUMNS: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) \
                                FROM information_schema.columns \
                                WHERE table_schema = current_schema()";

impl Source {
    /// Connects and looks what is there.
    pub(super) async fn open(dsn: &SecretString) -> Result<Self, ImportError> {
        let mut connection = connect(dsn.expose_secret()).await?;
        let (begin, columns) = match connection {
            Connection::Sqlite(_) => ("BEGIN", SQLITE_COLUMNS),
            Connection::Postgres(_) => (
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                POSTGRES_COLUMNS,
            ),
        };
        let columns: Vec<(String, String)> = on!(&mut connection, |open| {
            sqlx::query(begin)
                .execute(&mut **open)
                .await
                .map_err(unreadable)?;
            let all = sqlx::query_as(columns).fetch_all(&mut **open).await;
            all.map_err(unreadable)?
        });
        let mut tables = BTreeMap::<String, BTreeSet<String>>::new();
        for (table, column) in columns {
            tables.entry(table).or_default().insert(column);
        }
        require_hydra(&tables)?;
        let network = "SELECT CAST(id AS TEXT) FROM networks ORDER BY created_at, id LIMIT 1";
        let network: Option<String> = on!(&mut connection, |open| {
            sqlx::query_scalar(network)
                .fetch_optional(&mut **open)
                .await
        })
        .map_err(unreadable)?;
        Ok(Self {
            connection,
            tables,
            network: network.unwrap_or_default(),
        })
    }

    /// The rows of the served network; none when there is no such table.
    pub(super) fn rows(
        &mut self,
        table: &'static Table,
    ) -> BoxStream<'_, Result<Row, ImportError>> {
        let Some(columns) = self.tables.get(table.name) else {
            return stream::empty().boxed();
        };
        let listed = table
            .columns
            .iter()
            .map(|column| match columns.contains(*column) {
                true => format!("CAST({column} AS TEXT)"),
                false => "CAST(NULL AS TEXT)".to_owned(),
            });
        let sql = format!(
            "SELECT {} FROM {} WHERE CAST(nid AS TEXT) = $1 ORDER BY {}",
            listed.collect::<Vec<_>>().join(", "),
            table.name,
            table.order
        );
        let network = self.network.clone();
        on!(&mut self.connection, |open| {
            let rows = sqlx::query(AssertSqlSafe(sql))
                .bind(network)
                .fetch(&mut **open);
            rows.map(move |row| {
                let row = row.map_err(unreadable)?;
                let values = (0..table.columns.len()).map(|at| row.try_get(at));
                let values = values.collect::<Result<_, _>>().map_err(unreadable)?;
                Ok(Row { table, values })
            })
            .boxed()
        })
    }

    /// How many rows [`Self::rows`] will have.
    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, ImportError> {
        self.number(table.name, "WHERE CAST(nid AS TEXT) = $1")
            .await
    }

    /// How many rows a table has that are not read.
    pub(super) async fn count_left(
        &mut self,
        table: &str,
        is_taken: bool,
    ) -> Result<u64, ImportError> {
        let which = match is_taken {
            true => "WHERE CAST(nid AS TEXT) <> $1",
            // Whatever its network, and also where it has none.
            false => "WHERE $1 = $1",
        };
        self.number(table, which).await
    }

    /// The names of all tables.
    pub(super) fn tables(&self) -> Vec<String> {
        let is_plain = |name: &&String| {
            name.bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        self.tables.keys().filter(is_plain).cloned().collect()
    }

    async fn number(&mut self, table: &str, which: &str) -> Result<u64, ImportError> {
        if !self.tables.contains_key(table) {
            return Ok(0);
        }
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table} {which}"));
        let network = self.network.as_str();
        let number: i64 = on!(&mut self.connection, |open| {
            let query = sqlx::query_scalar(sql).bind(network);
            query.fetch_one(&mut **open).await
        })
        .map_err(unreadable)?;
        Ok(u64::try_from(number).unwrap_or_default())
    }
}

async fn connect(dsn: &str) -> Result<Connection, ImportError> {
    let refused = |sentence: String| ImportError::Source(format!("--from: {sentence}"));
    let foreign = dsn::foreign(dsn).map_err(|error| refused(error.to_string()))?;
    Ok(match foreign {
        Some(Foreign::Sqlite(path)) if !path.is_file() => {
            return Err(refused(format!("there is no file `{}`", path.display())));
        }
        Some(Foreign::Sqlite(path)) => {
            let options = SqliteConnectOptions::new().filename(path).read_only(true);
            Connection::Sqlite(Box::new(options.connect().await.map_err(unreadable)?))
        }
        Some(Foreign::Postgres(options)) => {
            Connection::Postgres(Box::new(options.connect().await.map_err(unreadable)?))
        }
        None => {
            let sentence = "what Hydra has in memory cannot be read from outside; export its \
                            clients with `hydra list oauth2-clients` and import them with `import \
                            oauth2-client`, with new secrets";
            return Err(refused(sentence.to_owned()));
        }
    })
}

fn require_hydra(tables: &BTreeMap<String, BTreeSet<String>>) -> Result<(), ImportError> {
    let refused = |text: &str| Err(ImportError::Source(text.to_owned()));
    let Some(client) = tables.get("hydra_client") else {
        return refused(
            "this database is none of Ory Hydra: it has no table hydra_client; name Hydra's own \
             DSN with --from",
        );
    };
    if !client.contains("nid") || !tables.contains_key("networks") {
        return refused(
            "this database was written by Ory Hydra 1: bring it up to date with `hydra migrate \
             sql` of version 2.2 or later first",
        );
    }
    Ok(())
}

fn unreadable(error: sqlx::Error) -> ImportError {
    ImportError::Source(format!("Hydra's database cannot be read: {error}"))
}
