//! Keys and their sets.

use carnet_authserver::store::{Insertion, KeyLife, KeyRow, Store};

fn key(set: &str, kid: &str) -> KeyRow {
    KeyRow {
        set: set.to_owned(),
        kid: kid.to_owned(),
        sealed: format!("sealed {kid}"),
        life: KeyLife::default(),
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

pub(crate) async fn a_key_is_followed_by_one_other_at_most(store: &dyn Store) {
    let following = |set: &str, kid: &str, follows: Option<&str>| KeyRow {
        life: KeyLife {
            signs_from: 1_000,
            lifetime: 3_600,
            is_imported: false,
            follows: follows.map(str::to_owned),
        },
        ..key(set, kid)
    };
    for (set, kid, follows, outcome) in [
        ("s", "1", Some(""), Insertion::Done),
        ("s", "x", Some(""), Insertion::Conflict),
        ("t", "1", Some(""), Insertion::Done),
        ("s", "2", Some("1"), Insertion::Done),
        ("s", "3", Some("1"), Insertion::Conflict),
        ("s", "4", None, Insertion::Done),
        ("s", "5", None, Insertion::Done),
    ] {
        let row = following(set, kid, follows);
        assert_eq!(
            store.insert_key(&row).await.unwrap(),
            outcome,
            "{set} {kid}"
        );
    }
    assert_eq!(kids(store, "s").await, ["5", "4", "2", "1"]);
    let rows = store.all_keys().await.unwrap();
    assert!(rows.contains(&following("s", "2", Some("1"))));
    store.delete_key("s", "2").await.unwrap();
    let again = store.insert_key(&following("s", "3", Some("1"))).await;
    assert_eq!(again.unwrap(), Insertion::Done);
}

pub(crate) async fn of_concurrent_successors_of_a_key_exactly_one_is_added(store: &dyn Store) {
    store.insert_key(&key("s", "first")).await.unwrap();
    let added = futures_util::future::join_all((0..20).map(|n| {
        let mut row = key("s", &n.to_string());
        row.life.follows = Some("first".to_owned());
        async move { store.insert_key(&row).await.unwrap() }
    }));
    let added = added.await.into_iter();
    assert_eq!(
        added.filter(|&outcome| outcome == Insertion::Done).count(),
        1
    );
    assert_eq!(kids(store, "s").await.len(), 2);
}

pub(crate) async fn the_lifetime_of_a_key_only_becomes_longer(store: &dyn Store) {
    let mut row = key("s", "1");
    row.life.lifetime = 100;
    store.insert_key(&row).await.unwrap();
    store.insert_key(&key("t", "1")).await.unwrap();
    for lifetime in [50, 200, 150] {
        store.raise_key_lifetime("s", "1", lifetime).await.unwrap();
    }
    row.life.lifetime = 200;
    store.raise_key_lifetime("s", "gone", 9).await.unwrap();
    let rows = store.all_keys().await.unwrap();
    assert_eq!(rows, [row, key("t", "1")]);
}

pub(crate) async fn a_key_is_sealed_anew_only_if_it_is_still_the_old_one(store: &dyn Store) {
    for row in [key("s", "1"), key("s", "2")] {
        store.insert_key(&row).await.unwrap();
    }
    let old = key("s", "1");
    assert!(store.reseal_key(&old, "anew").await.unwrap());
    assert!(!store.reseal_key(&old, "late").await.unwrap());
    let rows = store.all_keys().await.unwrap();
    assert_eq!(rows[1].sealed, "anew", "it keeps its place");
    assert_eq!(rows[1].life, old.life);
}
