//! Databases that a real Hydra wrote, imported into an empty store and served: `hydra/*.sql` has
//! their rows, `hydra/*.json` what they stand for.

mod refusals;
mod report;
mod served;

use std::sync::Arc;

use carnet_authserver::import::{HydraImport, ImportError, ImportReport};
use carnet_authserver::store::{self, Store};
use carnet_authserver::{AccessTokenStrategy, Options};
use carnet_testkit::postgres::Cluster;
use carnet_testkit::{FixedClock, SeededRandom};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::server::{Room, SYSTEM_SECRET, tutorial};

/// A database of Hydra's.
pub(crate) struct Fixture {
    name: &'static str,
    sql: &'static str,
    facts: &'static str,
}

macro_rules! fixture {
    ($name:literal) => {
        Fixture {
            name: $name,
            sql: include_str!(concat!("hydra/", $name, ".sql")),
            facts: include_str!(concat!("hydra/", $name, ".json")),
        }
    };
}

const FIXTURES: [Fixture; 3] = [
    fixture!("hydra-2.2-pbkdf2"),
    fixture!("hydra-26.2-pbkdf2"),
    fixture!("hydra-26.2-bcrypt"),
];

/// A database of Hydra's, what is in it, and where its import goes.
struct Hydra {
    name: &'static str,
    facts: Value,
    dsn: String,
    to: String,
    _folder: Option<TempDir>,
}

impl Fixture {
    async fn in_sqlite(&self) -> Hydra {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hydra.sqlite");
        write(&file, self.sql).await;
        Hydra {
            name: self.name,
            facts: serde_json::from_str(self.facts).unwrap(),
            dsn: format!("sqlite://{}?_fk=true", file.display()),
            to: "memory".to_owned(),
            _folder: Some(folder),
        }
    }

    async fn in_postgres(&self) -> Hydra {
        let cluster = Cluster::shared().unwrap();
        let dsn = cluster.database().unwrap();
        let options: sqlx::postgres::PgConnectOptions = dsn.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        let rows = sqlx::raw_sql(AssertSqlSafe(self.sql.to_owned()));
        rows.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let to = format!("{}&max_conns=2", cluster.database().unwrap());
        store::migrate(&to).await.unwrap();
        Hydra {
            name: self.name,
            facts: serde_json::from_str(self.facts).unwrap(),
            // As Hydra's users write it.
            dsn: format!("{dsn}&max_conns=20&max_idle_conns=4"),
            to,
            _folder: None,
        }
    }
}

/// All of them, in files and on a server.
async fn everywhere() -> Vec<Hydra> {
    let mut all = Vec::new();
    for fixture in &FIXTURES {
        all.push(fixture.in_sqlite().await);
        all.push(fixture.in_postgres().await);
    }
    all
}

/// Runs statements in a SQLite file.
async fn write(file: &std::path::Path, sql: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

impl Hydra {
    fn secret(&self) -> SecretString {
        self.facts["system_secret"].as_str().unwrap().into()
    }

    /// An import into a server whose newest secret is our own and whose older one is Hydra's.
    fn import(&self) -> HydraImport {
        HydraImport {
            from: self.dsn.as_str().into(),
            hydra_secrets: vec![self.secret()],
            secrets: vec![SYSTEM_SECRET.into(), self.secret()],
            dry_run: false,
            clock: Arc::new(FixedClock::default()),
            random: Arc::new(SeededRandom::new(7)),
        }
    }

    /// The settings of the server after the import.
    fn options(&self) -> Options {
        Options {
            issuer: self.facts["issuer"].as_str().unwrap().to_owned(),
            access_token_strategy: AccessTokenStrategy::Jwt,
            system_secrets: vec![SYSTEM_SECRET.into(), self.secret()],
            ..tutorial()
        }
    }

    /// An empty store.
    async fn store(&self) -> Arc<dyn Store> {
        store::open(&self.to).await.unwrap()
    }

    /// A server over an empty store that took this database in.
    async fn served(&self) -> Room {
        let store = self.store().await;
        run(&self.import(), &*store).await.unwrap();
        Room::over(self.options(), store).await
    }
}

async fn run(import: &HydraImport, store: &dyn Store) -> Result<ImportReport, ImportError> {
    import.run(store, &|_| ()).await
}
