//! `DSN=postgres://...`.

use std::sync::Arc;

use carnet_authserver::store::{KeyLife, KeyRow, Store, StoreError, migrate, open, plan};
use carnet_testkit::postgres::Cluster;

use super::contract::every_behaviour;

async fn fresh() -> Arc<dyn Store> {
    let address = Cluster::shared().unwrap().database().unwrap();
    // Each connection costs a slow hash on both sides.
    let dsn = format!("{address}&max_conns=4");
    migrate(&dsn).await.unwrap();
    open(&dsn).await.unwrap()
}

every_behaviour!(fresh);

async fn refusal(dsn: &str) -> String {
    match open(dsn).await {
        Err(StoreError::Dsn(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_that_was_not_migrated_is_refused_in_a_sentence_that_names_migrate_sql() {
    let dsn = Cluster::shared().unwrap().database().unwrap();
    let sentence = refusal(&dsn).await;
    assert!(sentence.contains("run `migrate sql`"), "{sentence}");
    let before = plan(&dsn).await.unwrap();
    assert!(before.iter().all(|step| !step.applied));
    let after = migrate(&dsn).await.unwrap();
    assert!(after.iter().all(|step| step.applied));
    open(&dsn).await.unwrap().ping().await.unwrap();
}

// Holds OP-11.
#[tokio::test]
async fn a_database_of_a_newer_version_or_of_another_program_is_left_alone() {
    let cluster = Cluster::shared().unwrap();
    for (sql, expected) in [
        ("CREATE TABLE hydra_client (id TEXT)", "Ory Hydra"),
        ("CREATE TABLE addresses (id TEXT)", "another program"),
        (
            "CREATE TABLE _sqlx_migrations (version BIGINT, success BOOLEAN);
             INSERT INTO _sqlx_migrations VALUES (9999, TRUE)",
            "newer version",
        ),
    ] {
        let dsn = cluster.database().unwrap();
        cluster.sql(name(&dsn), sql).unwrap();
        let sentence = refusal(&dsn).await;
        assert!(sentence.contains(expected), "{sentence}");
        let sentence = migrate(&dsn).await.unwrap_err().to_string();
        assert!(sentence.contains(expected), "{sentence}");
    }
}

/// The name in an address of the cluster.
fn name(dsn: &str) -> &str {
    let (_, path) = dsn.rsplit_once('/').unwrap();
    path.split('?').next().unwrap()
}

#[tokio::test]
async fn a_database_of_another_encoding_or_without_the_right_to_make_tables_is_refused() {
    let cluster = Cluster::shared().unwrap();
    let dsn = cluster.database().unwrap();
    let database = name(&dsn);
    cluster
        .sql(
            "postgres",
            "CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1",
        )
        .unwrap();
    let sentence = migrate(&cluster.address("latin")).await.unwrap_err();
    assert!(sentence.to_string().contains("encoding UTF8"), "{sentence}");
    cluster
        .sql(database, "CREATE USER guest PASSWORD 'secret'")
        .unwrap();
    let guest = dsn.replace("//carnet:", "//guest:");
    let sentence = migrate(&guest).await.unwrap_err().to_string();
    assert!(sentence.contains("the owner of the database"), "{sentence}");
}

#[tokio::test]
async fn two_servers_on_one_database_see_each_other() {
    let dsn = Cluster::shared().unwrap().database().unwrap();
    migrate(&dsn).await.unwrap();
    let (one, other) = (open(&dsn).await.unwrap(), open(&dsn).await.unwrap());
    for (store, kid) in [(&one, "1"), (&other, "2"), (&one, "3")] {
        let row = KeyRow {
            set: "s".to_owned(),
            kid: kid.to_owned(),
            sealed: String::new(),
            life: KeyLife::default(),
        };
        store.insert_key(&row).await.unwrap();
    }
    let keys = other.all_keys().await.unwrap();
    let kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
    assert_eq!(kids, ["3", "2", "1"]);
}
