//! The suite that every store must pass: one function a behaviour, each over a fresh store.
//!
//! It is no module of the library. The integration tests include this file and run
//! [`every_behaviour`] once for each kind of store.

use carnet_authserver::store::{
    ClientQuery, ClientRow, Insertion, KeyRow, Revocation, Revoked, Store, TokenRow, expire,
};
use carnet_oauth::client::Client;
use futures_util::future::join_all;

/// A test for each behaviour over the store that `$fresh().await` opens: a value that derefs to
/// `dyn Store` and keeps what it needs.
macro_rules! every_behaviour {
    ($fresh:path) => {
        $crate::store::contract::every_behaviour! { @ $fresh:
            a_client_is_read_back_as_it_was_written,
            a_second_client_of_an_id_is_a_conflict_and_changes_nothing,
            an_update_replaces_the_client_and_its_hash,
            what_is_not_there_is_neither_updated_nor_deleted,
            a_secret_that_was_left_in_a_client_is_not_kept,
            a_hash_is_replaced_only_if_it_is_still_the_old_one,
            clients_are_listed_in_the_order_of_the_bytes_of_their_ids,
            a_list_of_clients_goes_on_after_an_id,
            a_list_of_clients_can_be_narrowed_by_name_and_owner,
            a_deleted_client_loses_its_opaque_tokens,
            ids_are_never_read_as_sql_or_patterns,
            the_newest_key_of_a_set_comes_first,
            a_second_key_of_a_name_is_a_conflict_in_its_set_only,
            a_key_that_is_put_again_is_replaced_and_becomes_the_newest,
            a_key_set_is_replaced_as_a_whole,
            a_key_set_with_a_name_twice_changes_nothing,
            keys_and_sets_are_deleted_whether_they_are_there_or_not,
            a_token_is_found_by_its_digest_also_after_its_end,
            a_token_of_a_client_that_is_gone_is_not_added,
            a_deleted_token_is_gone,
            expired_tokens_are_deleted_in_bounded_numbers_the_oldest_first,
            a_revoked_token_is_revoked_whatever_its_client,
            a_revoked_client_takes_its_older_tokens_with_it,
            a_revocation_is_only_ever_extended,
            expired_revocations_are_deleted_in_bounded_numbers,
            expiry_removes_all_that_ended_and_nothing_else,
            of_concurrent_insertions_of_one_id_exactly_one_is_done,
            concurrent_writers_lose_nothing,
            a_key_set_is_never_seen_half_replaced,
            a_store_answers_when_asked,
        }
    };
    (@ $fresh:path: $($behaviour:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let store = $fresh().await;
                $crate::store::contract::$behaviour(&*store).await;
            }
        )*
    };
}
pub(crate) use every_behaviour;

fn client(id: &str) -> ClientRow {
    let json = serde_json::json!({
        "client_id": id,
        "client_name": "a name",
        "grant_types": ["client_credentials"],
        "scope": "read write",
        "audience": ["https://api.example"],
        "metadata": {"z": 1, "a": [null, "\u{e9}"]},
        "client_credentials_grant_access_token_lifespan": "90s",
    });
    let client: Client = serde_json::from_value(json).unwrap();
    ClientRow {
        client: client.as_stored(),
        secret_hash: format!("hash of {id}"),
    }
}

fn key(set: &str, kid: &str) -> KeyRow {
    KeyRow {
        set: set.to_owned(),
        kid: kid.to_owned(),
        sealed: format!("sealed {kid}"),
    }
}

fn token(digest: &str, client_id: &str, expires_at: i64) -> TokenRow {
    TokenRow {
        digest: digest.to_owned(),
        client_id: client_id.to_owned(),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        audiences: vec!["https://api.example/?a=\"b\"".to_owned()],
        issued_at: 1_000,
        expires_at,
    }
}

fn revocation(revoked: Revoked, not_before: i64, expires_at: i64) -> Revocation {
    Revocation {
        revoked,
        not_before,
        expires_at,
    }
}

fn json(row: &ClientRow) -> String {
    serde_json::to_string(&row.client).unwrap()
}

async fn with_clients(store: &dyn Store, ids: &[&str]) {
    for id in ids {
        let insertion = store.insert_client(&client(id)).await.unwrap();
        assert_eq!(insertion, Insertion::Done, "{id}");
    }
}

async fn ids(store: &dyn Store, query: ClientQuery) -> Vec<String> {
    let rows = store.list_clients(&query).await.unwrap();
    rows.into_iter().map(|row| row.client.client_id).collect()
}

async fn kids(store: &dyn Store, set: &str) -> Vec<String> {
    let rows = store.all_keys().await.unwrap();
    rows.into_iter()
        .filter(|row| row.set == set)
        .map(|row| row.kid)
        .collect()
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
    assert!(store.update_client(&changed).await.unwrap());
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

pub(crate) async fn what_is_not_there_is_neither_updated_nor_deleted(store: &dyn Store) {
    assert!(!store.update_client(&client("a")).await.unwrap());
    assert!(store.find_client("a").await.unwrap().is_none());
    assert!(!store.delete_client("a").await.unwrap());
    assert!(!store.replace_secret_hash("a", "x", "y").await.unwrap());
}

pub(crate) async fn a_secret_that_was_left_in_a_client_is_not_kept(store: &dyn Store) {
    let mut row = client("a");
    row.client.client_secret = Some("canary-1".into());
    row.client.registration_access_token = Some("canary-2".into());
    store.insert_client(&row).await.unwrap();
    store.update_client(&row).await.unwrap();
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
        };
        assert_eq!(ids(store, query).await, expected, "{name:?} {owner:?}");
    }
}

pub(crate) async fn a_deleted_client_loses_its_opaque_tokens(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    for (digest, id) in [("1", "a"), ("2", "a"), ("3", "b")] {
        assert!(store.insert_token(&token(digest, id, 2_000)).await.unwrap());
    }
    assert!(store.delete_client("a").await.unwrap());
    assert!(store.find_client("a").await.unwrap().is_none());
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
    assert!(store.delete_client("%").await.unwrap());
    let all = ClientQuery {
        limit: 100,
        ..ClientQuery::default()
    };
    assert_eq!(ids(store, all).await.len(), hostile.len() - 1);
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

pub(crate) async fn a_token_is_found_by_its_digest_also_after_its_end(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let written = token("d", "a", -1);
    assert!(store.insert_token(&written).await.unwrap());
    assert_eq!(store.find_token("d").await.unwrap(), Some(written));
    assert_eq!(store.find_token("D").await.unwrap(), None);
}

pub(crate) async fn a_token_of_a_client_that_is_gone_is_not_added(store: &dyn Store) {
    assert!(
        !store
            .insert_token(&token("d", "gone", 2_000))
            .await
            .unwrap()
    );
    assert_eq!(store.find_token("d").await.unwrap(), None);
}

pub(crate) async fn a_deleted_token_is_gone(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    store.insert_token(&token("d", "a", 2_000)).await.unwrap();
    store.insert_token(&token("e", "a", 2_000)).await.unwrap();
    store.delete_token("d").await.unwrap();
    store.delete_token("d").await.unwrap();
    assert_eq!(store.find_token("d").await.unwrap(), None);
    assert!(store.find_token("e").await.unwrap().is_some());
}

pub(crate) async fn expired_tokens_are_deleted_in_bounded_numbers_the_oldest_first(
    store: &dyn Store,
) {
    with_clients(store, &["a"]).await;
    for end in [30, 10, 50, 20, 40] {
        let row = token(&end.to_string(), "a", end);
        store.insert_token(&row).await.unwrap();
    }
    assert_eq!(store.delete_expired_tokens(40, 2).await.unwrap(), 2);
    assert_eq!(store.find_token("20").await.unwrap(), None);
    assert!(store.find_token("30").await.unwrap().is_some());
    assert_eq!(store.delete_expired_tokens(40, 2).await.unwrap(), 1);
    assert_eq!(store.delete_expired_tokens(40, 2).await.unwrap(), 0);
    assert!(store.find_token("40").await.unwrap().is_some());
}

pub(crate) async fn a_revoked_token_is_revoked_whatever_its_client(store: &dyn Store) {
    let revoked = revocation(Revoked::Token("j".to_owned()), 0, 2_000);
    store.revoke(&revoked).await.unwrap();
    assert!(store.is_revoked("j", "a", 1_000).await.unwrap());
    assert!(!store.is_revoked("k", "a", 1_000).await.unwrap());
    // A client may be called like a token.
    assert!(!store.is_revoked("k", "j", 0).await.unwrap());
}

pub(crate) async fn a_revoked_client_takes_its_older_tokens_with_it(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    store.insert_token(&token("1", "a", 2_000)).await.unwrap();
    store.insert_token(&token("2", "b", 2_000)).await.unwrap();
    let revoked = revocation(Revoked::Client("a".to_owned()), 1_000, 2_000);
    store.revoke(&revoked).await.unwrap();
    assert!(store.is_revoked("any", "a", 999).await.unwrap());
    assert!(store.is_revoked("any", "a", 1_000).await.unwrap());
    assert!(!store.is_revoked("any", "a", 1_001).await.unwrap());
    assert!(!store.is_revoked("any", "b", 999).await.unwrap());
    assert_eq!(store.find_token("1").await.unwrap(), None);
    assert!(store.find_token("2").await.unwrap().is_some());
}

pub(crate) async fn a_revocation_is_only_ever_extended(store: &dyn Store) {
    let client = || Revoked::Client("a".to_owned());
    for (not_before, expires_at) in [(1_000, 2_000), (500, 3_000), (600, 100)] {
        let revoked = revocation(client(), not_before, expires_at);
        store.revoke(&revoked).await.unwrap();
    }
    assert!(store.is_revoked("any", "a", 1_000).await.unwrap());
    assert_eq!(store.delete_expired_revocations(3_000, 9).await.unwrap(), 0);
    assert_eq!(store.delete_expired_revocations(3_001, 9).await.unwrap(), 1);
    assert!(!store.is_revoked("any", "a", 1_000).await.unwrap());
}

pub(crate) async fn expired_revocations_are_deleted_in_bounded_numbers(store: &dyn Store) {
    for end in [10, 20, 30, 40] {
        let revoked = revocation(Revoked::Token(end.to_string()), 0, end);
        store.revoke(&revoked).await.unwrap();
    }
    assert_eq!(store.delete_expired_revocations(40, 2).await.unwrap(), 2);
    assert!(!store.is_revoked("20", "a", 0).await.unwrap());
    assert!(store.is_revoked("30", "a", 0).await.unwrap());
    assert_eq!(store.delete_expired_revocations(40, 2).await.unwrap(), 1);
    assert!(store.is_revoked("40", "a", 0).await.unwrap());
}

pub(crate) async fn expiry_removes_all_that_ended_and_nothing_else(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    for end in 0..7 {
        let row = token(&end.to_string(), "a", end);
        store.insert_token(&row).await.unwrap();
        let revoked = revocation(Revoked::Token(end.to_string()), 0, end);
        store.revoke(&revoked).await.unwrap();
    }
    let expired = expire(store, 5, 2).await.unwrap();
    assert_eq!((expired.tokens, expired.revocations), (5, 5));
    assert!(store.find_token("5").await.unwrap().is_some());
    assert!(store.is_revoked("5", "a", 0).await.unwrap());
    let nothing_left = expire(store, 5, 0).await.unwrap();
    assert_eq!((nothing_left.tokens, nothing_left.revocations), (0, 0));
}

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
    for added in join_all(rows.iter().map(|row| store.insert_token(row))).await {
        assert!(added.unwrap());
    }
    for row in &rows {
        let read = store.find_token(&row.digest).await.unwrap();
        assert_eq!(read.as_ref(), Some(row));
    }
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

pub(crate) async fn a_store_answers_when_asked(store: &dyn Store) {
    store.ping().await.unwrap();
}
