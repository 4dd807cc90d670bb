//! Imports: all of it or nothing, and never over what is there.

use carnet_authserver::store::{ImportedKey, Insertion, KeyLife, KeyRow, Store, TrustedIssuerRow};

use super::{client, token, with_clients};

fn issuer(id: &str, subject: &str) -> TrustedIssuerRow {
    TrustedIssuerRow {
        id: id.to_owned(),
        issuer: "https://issuer.example".to_owned(),
        subject: subject.to_owned(),
        any_subject: subject.is_empty(),
        scopes: vec!["read".to_owned(), "a \"b\"".to_owned()],
        key_set: "https://issuer.example".to_owned(),
        kid: "k".to_owned(),
        created_at: 1_000,
        expires_at: 4_000_000_000,
    }
}

fn key(kid: &str) -> KeyRow {
    KeyRow {
        set: "s".to_owned(),
        kid: kid.to_owned(),
        sealed: format!("sealed {kid}"),
        life: KeyLife::default(),
    }
}

pub(crate) async fn an_import_is_there_after_its_commit(store: &dyn Store) {
    store.insert_key(&key("old")).await.unwrap();
    let until = |kid: &str, issued_until| ImportedKey {
        kid: kid.to_owned(),
        issued_until,
    };
    let mut import = store.begin_import().await.unwrap();
    assert!(import.client(&client("a")).await.unwrap().is_none());
    assert!(import.key(&key("1")).await.unwrap().is_none());
    assert!(import.key(&key("2")).await.unwrap().is_none());
    import.imported_key(&until("1", 7)).await.unwrap();
    import.imported_key(&until("1", 8)).await.unwrap();
    let row = token("d", "a", 2_000);
    assert_eq!(import.token(&row).await.unwrap(), Insertion::Done);
    for row in [issuer("1", ""), issuer("2", "somebody")] {
        assert!(import.trusted_issuer(&row).await.unwrap().is_none());
    }
    import.commit().await.unwrap();
    assert!(store.find_client("a").await.unwrap().is_some());
    let keys = store.all_keys().await.unwrap();
    let kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
    assert_eq!(kids, ["2", "1", "old"]);
    assert_eq!(store.imported_keys().await.unwrap(), [until("1", 7)]);
    assert_eq!(store.find_token("d").await.unwrap(), Some(row));
    let issuers = store.trusted_issuers().await.unwrap();
    assert_eq!(issuers, [issuer("1", ""), issuer("2", "somebody")]);
}

pub(crate) async fn an_import_that_is_dropped_never_happened(store: &dyn Store) {
    let mut import = store.begin_import().await.unwrap();
    import.client(&client("a")).await.unwrap();
    import.key(&key("1")).await.unwrap();
    import.trusted_issuer(&issuer("1", "")).await.unwrap();
    drop(import);
    assert!(store.find_client("a").await.unwrap().is_none());
    assert!(store.all_keys().await.unwrap().is_empty());
    assert!(store.trusted_issuers().await.unwrap().is_empty());
    with_clients(store, &["a"]).await;
}

pub(crate) async fn an_import_hands_back_what_is_there_and_leaves_it(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    store.insert_key(&key("1")).await.unwrap();
    store.insert_token(&token("d", "a", 2_000)).await.unwrap();
    let mut import = store.begin_import().await.unwrap();
    import.trusted_issuer(&issuer("1", "")).await.unwrap();
    let mut other = client("a");
    other.secret_hash = "another".to_owned();
    other.client.owner = "another".to_owned();
    let found = import.client(&other).await.unwrap().unwrap();
    assert_eq!(found.secret_hash, "hash of a");
    assert_eq!(found.client.owner, "");
    let mut other = key("1");
    other.sealed = "another".to_owned();
    assert_eq!(import.key(&other).await.unwrap(), Some(key("1")));
    let row = token("d", "a", 9_000);
    assert_eq!(import.token(&row).await.unwrap(), Insertion::Conflict);
    let mut other = issuer("2", "");
    other.scopes.clear();
    let found = import.trusted_issuer(&other).await.unwrap();
    assert_eq!(found, Some(issuer("1", "")));
    import.commit().await.unwrap();
    let kept = store.find_client("a").await.unwrap().unwrap();
    assert_eq!(kept.secret_hash, "hash of a");
    assert_eq!(store.all_keys().await.unwrap(), [key("1")]);
    let kept = store.find_token("d").await.unwrap().unwrap();
    assert_eq!(kept.expires_at, 2_000);
    assert_eq!(store.trusted_issuers().await.unwrap(), [issuer("1", "")]);
}
