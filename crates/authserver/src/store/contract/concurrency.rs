//! Many writers at once.

use carnet_authserver::store::{ClientRow, Insertion, Store, TokenRow};
use futures_util::future::join_all;

use super::{client, in_the_end, token, with_clients};

pub(crate) async fn of_concurrent_insertions_of_one_id_exactly_one_is_done(store: &dyn Store) {
    let rows: Vec<ClientRow> = (0..16)
        .map(|n| ClientRow {
            secret_hash: n.to_string(),
            ..client("a")
        })
        .collect();
    let insertions = join_all(rows.iter().map(|row| store.insert_client(row))).await;
    let winner = insertions
        .iter()
        .position(|insertion| *insertion.as_ref().unwrap() == Insertion::Done)
        .unwrap();
    let done = insertions
        .into_iter()
        .filter(|insertion| *insertion.as_ref().unwrap() == Insertion::Done);
    assert_eq!(done.count(), 1);
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(read.secret_hash, winner.to_string());
}

pub(crate) async fn concurrent_writers_lose_nothing(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let rows: Vec<TokenRow> = (0..64).map(|n| token(&n.to_string(), "a", 2_000)).collect();
    let insertions = rows
        .iter()
        .map(|row| in_the_end(|| store.insert_token(row)));
    for added in join_all(insertions).await {
        assert!(added);
    }
    for row in &rows {
        let read = store.find_token(&row.digest).await.unwrap();
        assert_eq!(read.as_ref(), Some(row));
    }
}

pub(crate) async fn a_store_answers_when_asked(store: &dyn Store) {
    store.ping().await.unwrap();
}
