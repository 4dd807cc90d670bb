//! `DSN=memory`.

use std::sync::Arc;

use carnet_authserver::store::{
    ClientQuery, Insertion, KeyLife, KeyRow, Store, migrate, open, plan,
};

use super::contract::every_behaviour;

async fn fresh() -> Arc<dyn Store> {
    open("memory").await.unwrap()
}

every_behaviour!(fresh);

#[tokio::test]
async fn each_opening_of_memory_is_a_store_of_its_own() {
    let row = KeyRow {
        set: "s".to_owned(),
        kid: "k".to_owned(),
        sealed: "sealed".to_owned(),
        life: KeyLife::default(),
    };
    let (one, other) = (fresh().await, fresh().await);
    assert_eq!(one.insert_key(&row).await.unwrap(), Insertion::Done);
    assert!(other.all_keys().await.unwrap().is_empty());
    drop(one);
    assert!(fresh().await.all_keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn memory_needs_no_migration() {
    assert!(
        plan("memory")
            .await
            .unwrap()
            .iter()
            .all(|step| step.applied)
    );
    assert!(
        migrate("memory")
            .await
            .unwrap()
            .iter()
            .all(|step| step.applied)
    );
    let none = fresh().await.list_clients(&ClientQuery::default()).await;
    assert!(none.unwrap().is_empty());
}
