//! From each earlier state of the tables, with rows in them, to today's.

use std::path::Path;
use std::sync::Arc;

use carnet_authserver::store::{Revoked, Store, migrate, open, plan};
use carnet_testkit::postgres::Cluster;
use futures_util::future::join_all;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// What servers of the versions may have written.
const ROWS: &[(i64, &str)] = &[
    (
        1,
        "INSERT INTO client (id, name, owner, secret_hash, document)
         VALUES ('c', 'n', 'o', 'hash', '{\"client_id\": \"c\", \"scope\": \"s\"}')",
    ),
    (
        2,
        "INSERT INTO key (key_set, kid, sealed) VALUES ('s', 'older', 'x'), ('s', 'newer', 'y')",
    ),
    (
        3,
        "INSERT INTO token (digest, client_id, scopes, audiences, issued_at, expires_at)
         VALUES ('digest', 'c', '[\"s\"]', '[]', 1000, 2000)",
    ),
    (
        4,
        "INSERT INTO revocation (kind, subject, not_before, expires_at)
         VALUES ('token', 'jti', 1000, 2000), ('client', 'c', 500, 2000)",
    ),
    (5, "INSERT INTO jti VALUES ('used', 2000)"),
    (
        6,
        "UPDATE client SET rotated_secrets =
         '[{\"hash\": \"old\", \"rotated_at\": 900, \"last_used_at\": null}]'",
    ),
    (9, "UPDATE token SET ext = '{\"role\": \"admin\"}'"),
    (
        11,
        "INSERT INTO trusted_issuer VALUES ('i', 'iss', '', 1, '[]', 's', 'k', 1000, 2000);
         INSERT INTO imported_key VALUES ('k', 1000)",
    ),
];

/// Takes the migrations up to a version and writes what servers until then wrote.
async fn grow<C>(mut connection: C, kind: &str, version: i64)
where
    C: Migrate + Connection,
    for<'c> &'c mut C: Executor<'c>,
{
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
    let migrator = Migrator::new(folder.join(kind)).await.unwrap();
    let grown = migrator.run_direct(Some(version), &mut connection, false);
    grown.await.unwrap();
    for (_, row) in ROWS.iter().filter(|(since, _)| *since <= version) {
        connection.execute(AssertSqlSafe(*row)).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Everything that was written is there.
async fn look(store: Arc<dyn Store>, version: i64) {
    let client = store.find_client("c").await.unwrap().unwrap();
    assert_eq!(client.client.scope, "s");
    assert_eq!(client.secret_hash, "hash");
    assert_eq!(client.rotated.len(), usize::from(version >= 6));
    if version >= 2 {
        let keys = store.all_keys().await.unwrap();
        let kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(kids, ["newer", "older"]);
    }
    if version >= 3 {
        let token = store.find_token("digest").await.unwrap().unwrap();
        assert_eq!(token.scopes, ["s"]);
        assert_eq!(token.ext.len(), usize::from(version >= 9));
    }
    if version >= 4 {
        let revoked = store.revocations_after(-1).await.unwrap().into_iter();
        let revoked: Vec<_> = revoked
            .map(|numbered| (numbered.revocation.revoked, numbered.revocation.not_before))
            .collect();
        let jti = Revoked::Token {
            jti: "jti".to_owned(),
            client_id: String::new(),
        };
        let client = Revoked::Client("c".to_owned());
        assert_eq!(revoked.len(), 2);
        assert!(revoked.contains(&(jti, 1_000)) && revoked.contains(&(client, 500)));
    }
    if version >= 5 {
        assert!(!store.use_jti("used", 2000).await.unwrap());
    }
    if version >= 11 {
        assert_eq!(store.trusted_issuers().await.unwrap().len(), 1);
        assert_eq!(store.imported_keys().await.unwrap().len(), 1);
    }
    // It can be written, too.
    assert!(store.replace_client(&client, &client).await.unwrap());
    assert!(store.delete_client("c", 0, 0).await.unwrap());
    assert!(store.find_token("digest").await.unwrap().is_none());
}

async fn versions() -> Vec<i64> {
    let plan = plan("memory").await.unwrap();
    plan.iter().map(|step| step.version).collect()
}

async fn catch_up(dsn: &str, version: i64) {
    let before = plan(dsn).await.unwrap();
    assert!(
        before
            .iter()
            .all(|step| step.applied == (step.version <= version))
    );
    let after = migrate(dsn).await.unwrap();
    assert!(after.iter().all(|step| step.applied));
    look(open(dsn).await.unwrap(), version).await;
}

// Holds OP-11.
#[tokio::test]
async fn a_file_of_each_earlier_version_comes_up_to_date_with_all_its_rows() {
    for version in versions().await {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db.sqlite");
        let options = SqliteConnectOptions::new().filename(&path);
        let options = options.create_if_missing(true);
        let connection: SqliteConnection = options.connect().await.unwrap();
        grow(connection, "sqlite", version).await;
        catch_up(&format!("sqlite://{}", path.display()), version).await;
    }
}

// Holds OP-11.
#[tokio::test]
async fn a_postgresql_database_of_each_earlier_version_comes_up_to_date_with_all_its_rows() {
    for version in versions().await {
        let dsn = Cluster::shared().unwrap().database().unwrap();
        let connection = PgConnection::connect(&dsn).await.unwrap();
        grow(connection, "postgres", version).await;
        catch_up(&dsn, version).await;
    }
}

// Holds OP-11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_migrate_at_once_all_succeed() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}", folder.path().join("db.sqlite").display());
        for dsn in [file, Cluster::shared().unwrap().database().unwrap()] {
            for plan in join_all((0..6).map(|_| migrate(&dsn))).await {
                assert!(plan.unwrap().iter().all(|step| step.applied));
            }
            open(&dsn).await.unwrap().ping().await.unwrap();
        }
    }
}
