//! Assertions that were used.

use carnet_authserver::store::Store;
use futures_util::future::join_all;

pub(crate) async fn an_assertion_is_used_once_until_its_end(store: &dyn Store) {
    assert!(store.use_jti("a", 100).await.unwrap());
    assert!(!store.use_jti("a", 100).await.unwrap());
    assert!(!store.use_jti("a", 900).await.unwrap());
    assert!(store.use_jti("A", 100).await.unwrap());
    assert_eq!(store.delete_expired_jtis(101, 9).await.unwrap(), 2);
    assert!(store.use_jti("a", 200).await.unwrap());
}

// Holds AS-06.
pub(crate) async fn of_concurrent_uses_exactly_one_is_the_first(store: &dyn Store) {
    let uses = join_all((0..50).map(|_| store.use_jti("a", 100))).await;
    let first = uses.into_iter().filter(|used| *used.as_ref().unwrap());
    assert_eq!(first.count(), 1);
}

pub(crate) async fn expired_uses_are_deleted_in_bounded_numbers(store: &dyn Store) {
    for end in [10, 20, 30, 40] {
        assert!(store.use_jti(&end.to_string(), end).await.unwrap());
    }
    assert_eq!(store.delete_expired_jtis(40, 2).await.unwrap(), 2);
    assert_eq!(store.delete_expired_jtis(40, 2).await.unwrap(), 1);
    assert!(!store.use_jti("40", 40).await.unwrap());
}
