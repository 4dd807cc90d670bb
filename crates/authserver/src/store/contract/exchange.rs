//! Codes and refresh tokens become tokens, once; and what becomes of those that come again.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use carnet_authserver::store::{Exchange, Grace, Redemption, Reuse, Revoked, Store};
use futures_util::future::join_all;
use serde_json::json;

use super::people::{NOW, code, consent, is_there, pair, with_tokens};
use super::with_clients;

/// Uses a code; one that comes again takes back what it gave.
async fn redeem(store: &dyn Store, digest: &str, exchange: &Exchange) -> Redemption {
    let redeemed = store.redeem_code(digest, exchange, Reuse::EndsConsent);
    redeemed.await.unwrap()
}

/// Uses a refresh token for the `n`th pair, without grace.
async fn refresh(store: &dyn Store, digest: &str, n: usize) -> Redemption {
    refresh_for(store, digest, &pair("c", n)).await
}

async fn refresh_for(store: &dyn Store, digest: &str, exchange: &Exchange) -> Redemption {
    let redeemed = store.redeem_refresh_token(digest, exchange, Grace::default());
    redeemed.await.unwrap()
}

/// What is there of the consent `c` when its code became the `n`th pair.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    is_used: bool,
    has_ended: bool,
    access: bool,
    refresh: bool,
}

impl Left {
    const UNTOUCHED: Self = Self {
        is_used: false,
        has_ended: false,
        access: false,
        refresh: false,
    };
    const GIVEN: Self = Self {
        is_used: true,
        access: true,
        refresh: true,
        ..Self::UNTOUCHED
    };
    const ENDED: Self = Self {
        is_used: true,
        has_ended: true,
        ..Self::UNTOUCHED
    };

    async fn of(store: &dyn Store, name: &str, n: usize) -> Self {
        let consent = store.find_consent(name).await.unwrap().unwrap();
        let refresh = store.find_refresh_token(&format!("rt-{n}")).await;
        Self {
            is_used: store.find_code(name).await.unwrap().unwrap().used_at != 0,
            has_ended: consent.ended_at != 0,
            access: is_there(store, &format!("at-{n}")).await,
            refresh: refresh.unwrap().is_some(),
        }
    }
}

pub(crate) async fn a_code_that_may_come_again_is_used_once_and_changes_nothing_then(
    store: &dyn Store,
) {
    with_tokens(store).await;
    assert_eq!(store.find_code("code").await.unwrap().unwrap().used_at, NOW);
    let consent = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(consent.expires_at, 9_000, "as long as its refresh token");
    for (digest, expected) in [("nope", Redemption::Gone), ("code", Redemption::Used)] {
        let exchange = pair("c", 1);
        let redeemed = store.redeem_code(digest, &exchange, Reuse::ChangesNothing);
        assert_eq!(redeemed.await.unwrap(), expected, "{digest}");
    }
    assert!(is_there(store, "at-0").await && !is_there(store, "at-1").await);
    assert!(store.find_refresh_token("rt-0").await.unwrap().is_some());
    assert_eq!(store.find_refresh_token("rt-1").await.unwrap(), None);
    let open = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(open.ended_at, 0);
}

pub(crate) async fn a_code_that_comes_again_takes_back_what_it_gave(store: &dyn Store) {
    with_tokens(store).await;
    let mut signed = pair("c", 1);
    signed.access.holder.jti = "jti-1".to_owned();
    assert_eq!(refresh_for(store, "rt-0", &signed).await, Redemption::Done);
    assert_eq!(redeem(store, "code", &pair("c", 2)).await, Redemption::Used);
    for digest in ["at-0", "at-1", "at-2"] {
        assert!(!is_there(store, digest).await, "{digest}");
    }
    for digest in ["rt-0", "rt-1", "rt-2"] {
        assert_eq!(store.find_refresh_token(digest).await.unwrap(), None);
    }
    let consent = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(consent.ended_at, NOW);
    let revoked = store.revocations_after(-1).await.unwrap();
    let jti = Revoked::Token {
        jti: "jti-1".to_owned(),
        client_id: "a".to_owned(),
    };
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0].revocation.revoked, jti);
}

pub(crate) async fn of_a_hundred_uses_of_a_code_one_wins_at_most_and_nothing_of_it_is_left(
    store: &dyn Store,
) {
    with_clients(store, &["a"]).await;
    let (row, code) = (consent("c", "alice", "a"), code("c", "c"));
    assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
    let exchanges: Vec<Exchange> = (0..100).map(|n| pair("c", n)).collect();
    let uses = exchanges
        .iter()
        .map(|exchange| store.redeem_code("c", exchange, Reuse::EndsConsent));
    // A database that is too busy may refuse to answer, but not answer wrongly.
    let redeemed: Vec<_> = join_all(uses).await.into_iter().flatten().collect();
    let won = redeemed.iter().filter(|found| **found == Redemption::Done);
    assert!(won.count() <= 1);
    assert!(redeemed.contains(&Redemption::Used));
    for n in 0..100 {
        assert_eq!(Left::of(store, "c", n).await, Left::ENDED, "{n}");
    }
}

/// Gives a call up when it waits for the `n`th time.
async fn given_up<T>(call: impl Future<Output = T>, n: usize) -> Option<T> {
    let (mut call, mut waits) = (pin!(call), 0);
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if waits == n => Poll::Ready(None),
        Poll::Pending => {
            waits += 1;
            Poll::Pending
        }
    })
    .await
}

/// More often than this no use of a code waits. How often it does is the machine's: what a database
/// has answered by the time that somebody looks is not waited for, so a try may find nothing to give up.
const MOST_WAITS: usize = 40;

/// Whoever dies in the middle leaves no more behind than whoever gives up there.
pub(crate) async fn a_use_of_a_code_that_is_given_up_anywhere_is_done_wholly_or_not_at_all(
    store: &dyn Store,
) {
    with_clients(store, &["a"]).await;
    for is_second in [false, true] {
        let (before, after) = match is_second {
            false => (Left::UNTOUCHED, Left::GIVEN),
            true => (Left::GIVEN, Left::ENDED),
        };
        for n in 0..MOST_WAITS {
            let name = format!("{is_second}-{n}");
            let (row, code) = (consent(&name, "alice", "a"), code(&name, &name));
            assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
            let number = 2 * n + usize::from(is_second);
            let exchange = pair(&name, number);
            if is_second {
                assert_eq!(redeem(store, &name, &exchange).await, Redemption::Done);
            }
            let call = store.redeem_code(&name, &exchange, Reuse::EndsConsent);
            let is_done = given_up(call, n).await.is_some();
            // What was given up is taken back meanwhile, and the five looks are not one.
            let mut left = Left::of(store, &name, number).await;
            for _ in 0..100 {
                if left == before && !is_done || left == after {
                    break;
                }
                tokio::task::yield_now().await;
                left = Left::of(store, &name, number).await;
            }
            assert!(
                left == after || !is_done && left == before,
                "{name} {left:?}"
            );
        }
    }
}

pub(crate) async fn what_a_consent_says_changes_with_an_exchange_and_not_without(
    store: &dyn Store,
) {
    with_tokens(store).await;
    let mut exchange = pair("c", 1);
    let mut said = exchange.access.ext.clone();
    said.insert("hooked".to_owned(), json!({"\u{e9}": "'"}));
    exchange.document = Some(said.clone());
    assert_eq!(
        refresh_for(store, "rt-0", &exchange).await,
        Redemption::Done
    );
    let read = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(read.document, said);
    assert_eq!(refresh(store, "rt-1", 2).await, Redemption::Done);
    let read = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(read.document, said);
    // Of a use that does not count nothing is left.
    let mut late = pair("c", 3);
    late.document = Some(serde_json::Map::new());
    assert_eq!(refresh_for(store, "rt-1", &late).await, Redemption::Used);
    let read = store.find_consent("c").await.unwrap().unwrap();
    assert_eq!(read.document, said);
}

pub(crate) async fn a_refresh_token_takes_the_place_of_the_one_before(store: &dyn Store) {
    with_tokens(store).await;
    assert_eq!(refresh(store, "rt-0", 1).await, Redemption::Done);
    assert!(!is_there(store, "at-0").await && is_there(store, "at-1").await);
    let used = store.find_refresh_token("rt-0").await.unwrap().unwrap();
    assert_eq!((used.used_at, used.uses), (NOW, 1));

    let mut signed = pair("c", 2);
    signed.access.holder.jti = "jti-2".to_owned();
    assert_eq!(refresh_for(store, "rt-1", &signed).await, Redemption::Done);
    let read = store.find_token("at-2").await.unwrap();
    assert_eq!(read.as_ref(), Some(&signed.access));

    assert_eq!(refresh(store, "rt-0", 3).await, Redemption::Used);
    let revoked = store.revocations_after(-1).await.unwrap();
    assert_eq!(revoked.len(), 1, "the signed one, by its name");
    let jti = Revoked::Token {
        jti: "jti-2".to_owned(),
        client_id: "a".to_owned(),
    };
    assert_eq!(revoked[0].revocation.revoked, jti);
    for digest in ["at-2", "at-3"] {
        assert!(!is_there(store, digest).await, "{digest}");
    }
    for digest in ["rt-0", "rt-1", "rt-2", "rt-3"] {
        assert_eq!(
            refresh(store, digest, 4).await,
            Redemption::Gone,
            "{digest}"
        );
    }
}

pub(crate) async fn of_a_thousand_uses_of_a_refresh_token_one_wins_at_most_and_its_family_ends(
    store: &dyn Store,
) {
    with_tokens(store).await;
    let exchanges: Vec<Exchange> = (1..=1_000).map(|n| pair("c", n)).collect();
    let uses = exchanges
        .iter()
        .map(|exchange| store.redeem_refresh_token("rt-0", exchange, Grace::default()));
    // A database that is too busy may refuse to answer, but not answer wrongly.
    let redeemed: Vec<_> = join_all(uses).await.into_iter().flatten().collect();
    let count = |wanted| redeemed.iter().filter(|found| **found == wanted).count();
    assert_eq!(count(Redemption::Done), 1);
    assert!(count(Redemption::Used) <= 1, "the family ends once");
    for _ in 0..100 {
        // Whoever comes after all others finds nothing that counts.
        let exchange = pair("c", 0);
        let last = store.redeem_refresh_token("rt-0", &exchange, Grace::default());
        if last.await.is_ok() {
            break;
        }
    }
    assert_eq!(store.find_refresh_token("rt-0").await.unwrap(), None);
    for n in 1..=1_000 {
        assert!(!is_there(store, &format!("at-{n}")).await, "{n}");
    }
}

pub(crate) async fn within_its_grace_a_used_refresh_token_works_again_so_many_times(
    store: &dyn Store,
) {
    with_tokens(store).await;
    let grace = Grace {
        period: 10,
        uses: 2,
    };
    for (n, later, expected) in [
        (1, 0, Redemption::Done),
        (2, 9, Redemption::Done),
        (3, 9, Redemption::Done),
    ] {
        let mut exchange = pair("c", n);
        exchange.now += later;
        let redeemed = store.redeem_refresh_token("rt-0", &exchange, grace).await;
        assert_eq!(redeemed.unwrap(), expected, "{n}");
    }
    assert!(is_there(store, "at-1").await && is_there(store, "at-3").await);
    let redeemed = store
        .redeem_refresh_token("rt-0", &pair("c", 4), grace)
        .await;
    assert_eq!(redeemed.unwrap(), Redemption::Used, "too often");
    assert!(!is_there(store, "at-3").await);

    let row = consent("late", "alice", "a");
    let code = code("late", "late");
    assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
    redeem(store, "late", &pair("late", 5)).await;
    let any = Grace { uses: 0, ..grace };
    let redeemed = store
        .redeem_refresh_token("rt-5", &pair("late", 6), any)
        .await;
    assert_eq!(redeemed.unwrap(), Redemption::Done);
    let mut late = pair("late", 7);
    late.now += 10;
    let redeemed = store.redeem_refresh_token("rt-5", &late, any).await;
    assert_eq!(redeemed.unwrap(), Redemption::Used, "too late");
}
