//! What others change in a store is told.

use std::time::Duration;

use carnet_authserver::store::{
    Change, Changes, KeyLife, KeyRow, Revocation, Revoked, Store, migrate, open,
};
use carnet_testkit::postgres::Cluster;
use tokio::time::timeout;

use super::contract::client;

/// Waits for a change, past others, for longer than a busy machine needs.
async fn hears(changes: &mut Changes, expected: &Change) {
    let heard = timeout(Duration::from_secs(10), async {
        while changes.next().await != *expected {}
    });
    assert!(heard.await.is_ok(), "{expected:?} is not heard");
}

/// Until what happened before is over: a follower who has just begun hears that, too.
async fn settle(changes: &mut Changes) {
    hears(changes, &Change::Everything).await;
    while timeout(Duration::from_millis(700), changes.next())
        .await
        .is_ok()
    {}
}

async fn add_key(store: &dyn Store) {
    let row = KeyRow {
        set: "s".to_owned(),
        kid: "k".to_owned(),
        sealed: String::new(),
        life: KeyLife::default(),
    };
    store.insert_key(&row).await.unwrap();
}

#[tokio::test]
async fn a_file_tells_that_something_changed() {
    let folder = tempfile::tempdir().unwrap();
    let dsn = format!("sqlite://{}", folder.path().join("db.sqlite").display());
    migrate(&dsn).await.unwrap();
    let (one, other) = (open(&dsn).await.unwrap(), open(&dsn).await.unwrap());
    let mut changes = other.changes();
    settle(&mut changes).await;
    add_key(&*one).await;
    hears(&mut changes, &Change::Everything).await;
}

#[tokio::test]
async fn postgresql_tells_what_changed() {
    let dsn = Cluster::shared().unwrap().database().unwrap();
    migrate(&dsn).await.unwrap();
    let (one, other) = (open(&dsn).await.unwrap(), open(&dsn).await.unwrap());
    let mut changes = other.changes();
    settle(&mut changes).await;
    let strange = "a:\0b\u{e9}";
    one.insert_client(&client(strange)).await.unwrap();
    hears(&mut changes, &Change::Client(strange.to_owned())).await;
    one.delete_client(strange, 1, 2).await.unwrap();
    hears(&mut changes, &Change::Client(strange.to_owned())).await;
    add_key(&*one).await;
    hears(&mut changes, &Change::Keys).await;
    let revocation = Revocation {
        revoked: Revoked::Token("jti".to_owned()),
        not_before: 1,
        expires_at: 2,
    };
    one.revoke(&revocation).await.unwrap();
    hears(&mut changes, &Change::Revocations).await;
}

#[tokio::test]
async fn after_a_crash_of_postgresql_everything_may_have_changed_and_the_next_change_is_told() {
    let mut cluster = Cluster::start(&[]).unwrap();
    let dsn = cluster.database().unwrap();
    migrate(&dsn).await.unwrap();
    let store = open(&dsn).await.unwrap();
    let mut changes = store.changes();
    settle(&mut changes).await;
    cluster.crash().unwrap();
    hears(&mut changes, &Change::Everything).await;
    cluster.revive().unwrap();
    settle(&mut changes).await;
    add_key(&*store).await;
    hears(&mut changes, &Change::Keys).await;
}
