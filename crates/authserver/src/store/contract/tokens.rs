//! Opaque tokens, revocations of signed ones, and their end.

use carnet_authserver::store::{Revocation, Revoked, Store, expire};

use super::{token, with_clients};

fn revocation(revoked: Revoked, not_before: i64, expires_at: i64) -> Revocation {
    Revocation {
        revoked,
        not_before,
        expires_at,
    }
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
    // What was just answered may change.
    let revoked = revocation(Revoked::Token("k".to_owned()), 0, 2_000);
    store.revoke(&revoked).await.unwrap();
    assert!(store.is_revoked("k", "j", 0).await.unwrap());
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
        assert!(store.use_jti(&end.to_string(), end).await.unwrap());
    }
    let expired = expire(store, 5, 2).await.unwrap();
    assert_eq!(
        (expired.tokens, expired.revocations, expired.jtis),
        (5, 5, 5)
    );
    assert!(!store.use_jti("5", 5).await.unwrap());
    assert!(store.find_token("5").await.unwrap().is_some());
    assert!(store.is_revoked("5", "a", 0).await.unwrap());
    let nothing_left = expire(store, 5, 0).await.unwrap();
    assert_eq!((nothing_left.tokens, nothing_left.revocations), (0, 0));
}
