//! Keys and their sets.

use carnet_authserver::store::{Insertion, KeyRow, Store};

fn key(set: &str, kid: &str) -> KeyRow {
    KeyRow {
        set: set.to_owned(),
        kid: kid.to_owned(),
        sealed: format!("sealed {kid}"),
    }
}

async fn kids(store: &dyn Store, set: &str) -> Vec<String> {
    let rows = store.all_keys().await.unwrap();
    rows.into_iter()
        .filter(|row| row.set == set)
        .map(|row| row.kid)
        .collect()
}

pub(crate) async fn the_newest_key_of_a_set_comes_first(store: &dyn Store) {
    for row in [key("s", "1"), key("t", "x"), key("s", "3"), key("s", "2")] {
        assert_eq!(store.insert_key(&row).await.unwrap(), Insertion::Done);
    }
    assert_eq!(kids(store, "s").await, ["2", "3", "1"]);
    let all = store.all_keys().await.unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.contains(&key("t", "x")));
}

pub(crate) async fn a_second_key_of_a_name_is_a_conflict_in_its_set_only(store: &dyn Store) {
    store.insert_key(&key("s", "1")).await.unwrap();
    let mut second = key("s", "1");
    second.sealed = "another".to_owned();
    let insertion = store.insert_key(&second).await.unwrap();
    assert_eq!(insertion, Insertion::Conflict);
    assert_eq!(store.all_keys().await.unwrap(), [key("s", "1")]);
    let insertion = store.insert_key(&key("t", "1")).await.unwrap();
    assert_eq!(insertion, Insertion::Done);
}

pub(crate) async fn a_key_that_is_put_again_is_replaced_and_becomes_the_newest(store: &dyn Store) {
    for row in [key("s", "1"), key("s", "2")] {
        store.put_key(&row).await.unwrap();
    }
    let mut again = key("s", "1");
    again.sealed = "again".to_owned();
    store.put_key(&again).await.unwrap();
    assert_eq!(store.all_keys().await.unwrap(), [again, key("s", "2")]);
}

pub(crate) async fn a_key_set_is_replaced_as_a_whole(store: &dyn Store) {
    for row in [key("s", "old"), key("t", "other")] {
        store.insert_key(&row).await.unwrap();
    }
    let rows = [key("s", "new"), key("s", "next"), key("s", "old")];
    let insertion = store.replace_key_set("s", &rows).await.unwrap();
    assert_eq!(insertion, Insertion::Done);
    assert_eq!(kids(store, "s").await, ["new", "next", "old"]);
    assert_eq!(kids(store, "t").await, ["other"]);
    store.replace_key_set("s", &[]).await.unwrap();
    assert!(kids(store, "s").await.is_empty());
}

pub(crate) async fn a_key_set_with_a_name_twice_changes_nothing(store: &dyn Store) {
    store.insert_key(&key("s", "old")).await.unwrap();
    let rows = [key("s", "1"), key("s", "2"), key("s", "1")];
    let insertion = store.replace_key_set("s", &rows).await.unwrap();
    assert_eq!(insertion, Insertion::Conflict);
    assert_eq!(store.all_keys().await.unwrap(), [key("s", "old")]);
}

pub(crate) async fn keys_and_sets_are_deleted_whether_they_are_there_or_not(store: &dyn Store) {
    for row in [key("s", "1"), key("s", "2"), key("t", "1")] {
        store.insert_key(&row).await.unwrap();
    }
    store.delete_key("s", "1").await.unwrap();
    store.delete_key("s", "1").await.unwrap();
    assert_eq!(kids(store, "s").await, ["2"]);
    store.delete_key_set("s").await.unwrap();
    store.delete_key_set("s").await.unwrap();
    assert_eq!(store.all_keys().await.unwrap(), [key("t", "1")]);
}

pub(crate) async fn a_key_set_is_never_seen_half_replaced(store: &dyn Store) {
    let generation = |n: u32| ["a", "b", "c"].map(|part| key("s", &format!("{n}{part}")));
    store.replace_key_set("s", &generation(0)).await.unwrap();
    let write = async {
        for n in 1..40 {
            store.replace_key_set("s", &generation(n)).await.unwrap();
        }
    };
    let read = async {
        for _ in 0..80 {
            let seen = store.all_keys().await.unwrap();
            let first = seen.first().unwrap().kid.trim_end_matches('a').to_owned();
            assert_eq!(seen, generation(first.parse().unwrap()));
        }
    };
    futures_util::future::join(write, read).await;
    assert_eq!(kids(store, "s").await, ["39a", "39b", "39c"]);
}
