//! Opaque tokens, revocations of signed ones, and their end.

use carnet_authserver::store::{Revocation, Revoked, Store, expire};

use super::{in_the_end, token, with_clients};

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

fn one(jti: &str, client_id: &str) -> Revoked {
    Revoked::Token {
        jti: jti.to_owned(),
        client_id: client_id.to_owned(),
    }
}

fn of_client(id: &str) -> Revoked {
    Revoked::Client(id.to_owned())
}

async fn revocations(store: &dyn Store, after: i64) -> Vec<Revocation> {
    let found = store.revocations_after(after).await.unwrap();
    assert!(found.is_sorted_by(|one, other| one.seq < other.seq));
    let found = found.into_iter();
    found.map(|numbered| numbered.revocation).collect()
}

pub(crate) async fn revocations_are_read_in_the_order_of_their_changes(store: &dyn Store) {
    // A token, a client and a key may be called alike.
    let all = [
        revocation(one("j", "a"), 1, 2_000),
        revocation(of_client("j"), 2, 2_000),
        revocation(Revoked::Key("j".to_owned()), 3, 2_000),
        revocation(one("k", "b"), 4, 2_000),
    ];
    for revocation in &all {
        store.revoke(revocation).await.unwrap();
    }
    assert_eq!(revocations(store, -1).await, all);
    let numbered = store.revocations_after(-1).await.unwrap();
    assert_eq!(revocations(store, numbered[1].seq).await, all[2..]);
    store.revoke(&all[0]).await.unwrap();
    let changed = store.revocations_after(numbered[3].seq).await.unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].revocation, all[0]);
}

pub(crate) async fn a_number_is_never_given_twice(store: &dyn Store) {
    store
        .revoke(&revocation(one("j", "a"), 1, 10))
        .await
        .unwrap();
    let first = store.revocations_after(-1).await.unwrap()[0].seq;
    store.delete_expired_revocations(20, 9).await.unwrap();
    store
        .revoke(&revocation(one("k", "a"), 1, 10))
        .await
        .unwrap();
    assert!(store.revocations_after(-1).await.unwrap()[0].seq > first);
}

pub(crate) async fn a_follower_of_concurrent_revocations_misses_none(store: &dyn Store) {
    const COUNT: usize = 60;
    let revoke = futures_util::future::join_all((0..COUNT).map(|n| async move {
        let revoked = revocation(one(&n.to_string(), "a"), 1, 2_000);
        in_the_end(|| store.revoke(&revoked)).await;
    }));
    let follow = async {
        let (mut last, mut seen) = (-1, std::collections::BTreeSet::new());
        while seen.len() < COUNT {
            for numbered in in_the_end(|| store.revocations_after(last)).await {
                assert!(numbered.seq > last);
                last = numbered.seq;
                assert!(seen.insert(numbered.revocation.revoked));
            }
        }
    };
    futures_util::future::join(revoke, follow).await;
}

pub(crate) async fn a_revoked_client_takes_its_older_tokens_with_it(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    store.insert_token(&token("1", "a", 2_000)).await.unwrap();
    store.insert_token(&token("2", "b", 2_000)).await.unwrap();
    let mut later = token("3", "a", 2_000);
    later.issued_at = 1_001;
    store.insert_token(&later).await.unwrap();
    let kept = [
        revocation(one("younger", "a"), 1_001, 2_000),
        revocation(one("longer", "a"), 1_000, 2_001),
        revocation(one("other", "b"), 1_000, 2_000),
        revocation(of_client("a"), 1_000, 2_000),
    ];
    let covered = revocation(one("covered", "a"), 1_000, 2_000);
    for revoked in kept[..3].iter().chain([&covered, &kept[3]]) {
        store.revoke(revoked).await.unwrap();
    }
    assert_eq!(revocations(store, -1).await, kept);
    assert_eq!(store.find_token("1").await.unwrap(), None);
    assert!(store.find_token("2").await.unwrap().is_some());
    assert!(store.find_token("3").await.unwrap().is_some());
}

pub(crate) async fn a_revocation_is_only_ever_extended(store: &dyn Store) {
    for (not_before, expires_at) in [(1_000, 2_000), (500, 3_000), (600, 100)] {
        let revoked = revocation(of_client("a"), not_before, expires_at);
        store.revoke(&revoked).await.unwrap();
    }
    let extended = revocation(of_client("a"), 1_000, 3_000);
    assert_eq!(revocations(store, -1).await, [extended]);
    assert_eq!(store.delete_expired_revocations(3_000, 9).await.unwrap(), 0);
    assert_eq!(store.delete_expired_revocations(3_001, 9).await.unwrap(), 1);
    assert!(revocations(store, -1).await.is_empty());
}

pub(crate) async fn expired_revocations_are_deleted_in_bounded_numbers(store: &dyn Store) {
    for end in [10, 20, 30, 40] {
        let revoked = revocation(one(&end.to_string(), "a"), 0, end);
        store.revoke(&revoked).await.unwrap();
    }
    assert_eq!(store.delete_expired_revocations(40, 2).await.unwrap(), 2);
    let left = revocations(store, -1).await;
    assert_eq!(left[0].revoked, one("30", "a"));
    assert_eq!(store.delete_expired_revocations(40, 2).await.unwrap(), 1);
    let left = revocations(store, -1).await;
    assert_eq!((left.len(), &left[0].revoked), (1, &one("40", "a")));
}

pub(crate) async fn expiry_removes_all_that_ended_and_nothing_else(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    for end in 0..7 {
        let row = token(&end.to_string(), "a", end);
        store.insert_token(&row).await.unwrap();
        let revoked = revocation(one(&end.to_string(), "a"), 0, end);
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
    assert_eq!(revocations(store, -1).await[0].revoked, one("5", "a"));
    let nothing_left = expire(store, 5, 0).await.unwrap();
    assert_eq!((nothing_left.tokens, nothing_left.revocations), (0, 0));
}
