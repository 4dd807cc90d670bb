//! Clients.

use carnet_authserver::store::{
    ClientQuery, ClientRow, Insertion, Revocation, Revoked, RotatedSecret, Store,
};

use super::{client, token, with_clients};

fn json(row: &ClientRow) -> String {
    serde_json::to_string(&row.client).unwrap()
}

async fn ids(store: &dyn Store, query: ClientQuery) -> Vec<String> {
    let rows = store.list_clients(&query).await.unwrap();
    rows.into_iter().map(|row| row.client.client_id).collect()
}

pub(crate) async fn a_client_is_read_back_as_it_was_written(store: &dyn Store) {
    let written = client("a");
    store.insert_client(&written).await.unwrap();
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(json(&read), json(&written));
    assert_eq!(read.secret_hash, "hash of a");
    assert!(store.find_client("A").await.unwrap().is_none());
}

pub(crate) async fn a_second_client_of_an_id_is_a_conflict_and_changes_nothing(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let mut second = client("a");
    second.secret_hash = "another".to_owned();
    let insertion = store.insert_client(&second).await.unwrap();
    assert_eq!(insertion, Insertion::Conflict);
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(read.secret_hash, "hash of a");
}

pub(crate) async fn an_update_replaces_the_client_and_its_hash(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    let mut changed = client("a");
    changed.client.client_name = "new".to_owned();
    changed.secret_hash = "new hash".to_owned();
    assert!(store.replace_client(&client("a"), &changed).await.unwrap());
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(json(&read), json(&changed));
    assert_eq!(read.secret_hash, "new hash");
    let query = ClientQuery {
        name: Some("new".to_owned()),
        limit: 9,
        ..ClientQuery::default()
    };
    assert_eq!(ids(store, query).await, ["a"]);
}

pub(crate) async fn a_client_is_replaced_only_if_it_is_still_the_old_one(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let old = store.find_client("a").await.unwrap().unwrap();
    let with = |scope: &str, hash: &str| {
        let mut row = old.clone();
        row.client.scope = scope.to_owned();
        row.secret_hash = hash.to_owned();
        row
    };
    let (first, second) = (with("first", "hash"), with("second", "hash"));
    assert!(store.replace_client(&old, &first).await.unwrap());
    assert!(!store.replace_client(&old, &second).await.unwrap());
    assert!(
        !store
            .replace_client(&with("first", "another"), &second)
            .await
            .unwrap()
    );
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(read.client.scope, "first");
    assert!(store.replace_client(&first, &second).await.unwrap());
    store.delete_client("a", 0, 0).await.unwrap();
    assert!(!store.replace_client(&second, &first).await.unwrap());
    assert!(store.find_client("a").await.unwrap().is_none());
}

pub(crate) async fn what_is_not_there_is_neither_updated_nor_deleted(store: &dyn Store) {
    let (old, new) = (client("a"), client("a"));
    assert!(!store.replace_client(&old, &new).await.unwrap());
    assert!(store.find_client("a").await.unwrap().is_none());
    assert!(!store.delete_client("a", 1_500, 2_000).await.unwrap());
    assert!(store.revocations_after(-1).await.unwrap().is_empty());
    assert!(!store.replace_secret_hash("a", "x", "y").await.unwrap());
}

pub(crate) async fn a_secret_that_was_left_in_a_client_is_not_kept(store: &dyn Store) {
    let mut row = client("a");
    row.client.client_secret = Some("canary-1".into());
    row.client.registration_access_token = Some("canary-2".into());
    store.insert_client(&row).await.unwrap();
    assert!(store.replace_client(&client("a"), &row).await.unwrap());
    let read = store.find_client("a").await.unwrap().unwrap();
    assert!(!json(&read).contains("canary"));
}

pub(crate) async fn a_hash_is_replaced_only_if_it_is_still_the_old_one(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    assert!(
        store
            .replace_secret_hash("a", "hash of a", "new")
            .await
            .unwrap()
    );
    assert!(
        !store
            .replace_secret_hash("a", "hash of a", "late")
            .await
            .unwrap()
    );
    let read = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(read.secret_hash, "new");
}

pub(crate) async fn rotated_secrets_are_replaced_only_if_they_are_still_the_old_ones(
    store: &dyn Store,
) {
    let unused = RotatedSecret {
        hash: "old hash".to_owned(),
        rotated_at: 1_000,
        last_used_at: None,
    };
    let used = RotatedSecret {
        last_used_at: Some(1_500),
        ..unused.clone()
    };
    let mut row = client("a");
    row.rotated = vec![unused.clone()];
    store.insert_client(&row).await.unwrap();
    let rotated = async || store.find_client("a").await.unwrap().unwrap().rotated;
    let (old, new) = ([unused], [used]);
    assert_eq!(rotated().await, old);
    assert!(store.replace_rotated("a", &old, &new).await.unwrap());
    assert!(!store.replace_rotated("a", &old, &new).await.unwrap());
    assert!(!store.replace_rotated("b", &old, &new).await.unwrap());
    assert_eq!(rotated().await, new);
    let stored = store.find_client("a").await.unwrap().unwrap();
    assert!(store.replace_client(&stored, &client("a")).await.unwrap());
    assert!(rotated().await.is_empty());
    assert!(!store.replace_rotated("a", &new, &old).await.unwrap());
    assert!(rotated().await.is_empty());
}

pub(crate) async fn a_change_of_a_client_is_known_when_it_is_acknowledged(store: &dyn Store) {
    let known = async || {
        let row = store.known_client("a").await.unwrap()?;
        Some((
            row.client.client_name.clone(),
            row.secret_hash.clone(),
            row.rotated.len(),
        ))
    };
    let is = |name: &str, hash: &str, rotated| Some((name.to_owned(), hash.to_owned(), rotated));
    assert_eq!(known().await, None);
    with_clients(store, &["a"]).await;
    assert_eq!(known().await, is("a name", "hash of a", 0));
    let mut row = client("a");
    row.client.client_name = "new".to_owned();
    assert!(store.replace_client(&client("a"), &row).await.unwrap());
    assert_eq!(known().await, is("new", "hash of a", 0));
    let mut newer = row.clone();
    newer.client.client_name = "newer".to_owned();
    assert!(store.replace_client(&row, &newer).await.unwrap());
    assert_eq!(known().await, is("newer", "hash of a", 0));
    assert!(store.replace_client(&newer, &row).await.unwrap());
    assert_eq!(known().await, is("new", "hash of a", 0));
    store
        .replace_secret_hash("a", "hash of a", "better")
        .await
        .unwrap();
    assert_eq!(known().await, is("new", "better", 0));
    let old = RotatedSecret {
        hash: "old".to_owned(),
        rotated_at: 1_000,
        last_used_at: None,
    };
    store.replace_rotated("a", &[], &[old]).await.unwrap();
    assert_eq!(known().await, is("new", "better", 1));
    store.delete_client("a", 1_000, 2_000).await.unwrap();
    assert_eq!(known().await, None);
}

pub(crate) async fn clients_are_listed_in_the_order_of_the_bytes_of_their_ids(store: &dyn Store) {
    with_clients(store, &["b", "\u{e9}", "B", "a", "10", "9", "a b"]).await;
    let all = ClientQuery {
        limit: 100,
        ..ClientQuery::default()
    };
    assert_eq!(
        ids(store, all).await,
        ["10", "9", "B", "a", "a b", "b", "\u{e9}"]
    );
}

pub(crate) async fn a_list_of_clients_goes_on_after_an_id(store: &dyn Store) {
    with_clients(store, &["a", "b", "c", "d"]).await;
    let page = |after: Option<&str>, limit| ClientQuery {
        after: after.map(str::to_owned),
        limit,
        ..ClientQuery::default()
    };
    assert_eq!(ids(store, page(None, 2)).await, ["a", "b"]);
    assert_eq!(ids(store, page(Some("b"), 2)).await, ["c", "d"]);
    assert_eq!(ids(store, page(Some("bb"), 1)).await, ["c"]);
    assert!(ids(store, page(Some("d"), 2)).await.is_empty());
    assert!(ids(store, page(None, 0)).await.is_empty());
}

pub(crate) async fn a_list_of_clients_can_be_narrowed_by_name_and_owner(store: &dyn Store) {
    for (id, name, owner) in [
        ("a", "x", "o"),
        ("b", "x", "p"),
        ("c", "y", "o"),
        ("d", "x", "o"),
    ] {
        let mut row = client(id);
        row.client.client_name = name.to_owned();
        row.client.owner = owner.to_owned();
        store.insert_client(&row).await.unwrap();
    }
    for (name, owner, after, expected) in [
        (Some("x"), None, None, vec!["a", "b", "d"]),
        (None, Some("o"), None, vec!["a", "c", "d"]),
        (Some("x"), Some("o"), Some("a"), vec!["d"]),
        (Some("X"), None, None, vec![]),
        (Some(""), None, None, vec![]),
    ] {
        let query = ClientQuery {
            name: name.map(str::to_owned),
            owner: owner.map(str::to_owned),
            after: after.map(str::to_owned),
            limit: 10,
            ..ClientQuery::default()
        };
        assert_eq!(ids(store, query).await, expected, "{name:?} {owner:?}");
    }
}

pub(crate) async fn clients_are_counted_and_skipped(store: &dyn Store) {
    with_clients(store, &["a", "b", "c"]).await;
    let mut other = client("d");
    other.client.client_name = "another name".to_owned();
    store.insert_client(&other).await.unwrap();
    let query = |name: Option<&str>, offset| ClientQuery {
        name: name.map(str::to_owned),
        offset,
        limit: 2,
        ..ClientQuery::default()
    };
    for (name, count, second_page) in [
        (None, 4, vec!["c", "d"]),
        (Some("a name"), 3, vec!["c"]),
        (Some("nobody"), 0, vec![]),
    ] {
        let page = query(name, 2);
        assert_eq!(store.count_clients(&page).await.unwrap(), count, "{name:?}");
        assert_eq!(ids(store, page).await, second_page, "{name:?}");
    }
}

pub(crate) async fn a_deleted_client_loses_its_tokens(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    for (digest, id) in [("1", "a"), ("2", "a"), ("3", "b")] {
        assert!(store.insert_token(&token(digest, id, 2_000)).await.unwrap());
    }
    assert!(store.delete_client("a", 1_500, 3_000).await.unwrap());
    assert!(store.find_client("a").await.unwrap().is_none());
    let revoked = store.revocations_after(-1).await.unwrap();
    let expected = Revocation {
        revoked: Revoked::Client("a".to_owned()),
        not_before: 1_500,
        expires_at: 3_000,
    };
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].revocation, expected);
    assert_eq!(store.find_token("1").await.unwrap(), None);
    assert_eq!(store.find_token("2").await.unwrap(), None);
    assert!(store.find_token("3").await.unwrap().is_some());
}

pub(crate) async fn ids_are_never_read_as_sql_or_patterns(store: &dyn Store) {
    let hostile = ["%", "'; DROP TABLE client; --", "_", "a\"b", "\u{0}x"];
    with_clients(store, &hostile).await;
    for id in hostile {
        let read = store.find_client(id).await.unwrap().unwrap();
        assert_eq!(read.client.client_id, id);
    }
    assert!(store.delete_client("%", 0, 0).await.unwrap());
    let all = ClientQuery {
        limit: 100,
        ..ClientQuery::default()
    };
    assert_eq!(ids(store, all).await.len(), hostile.len() - 1);
}
