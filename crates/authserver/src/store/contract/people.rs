//! What people did: logins, consents, and the codes and tokens that came of them.

use carnet_authserver::store::{
    CodeRow, ConsentQuery, ConsentRow, ConsentsOf, DeviceRow, Exchange, Holder, Insertion,
    Perishable, Redemption, RefreshTokenRow, Reuse, SessionRow, Store, TokenRow, TrustedIssuerRow,
};
use serde_json::{Map, json};

use super::{confirmation, token, with_clients};

pub(super) const NOW: i64 = 1_000;

fn session(id: &str, subject: &str) -> SessionRow {
    SessionRow {
        id: id.to_owned(),
        subject: subject.to_owned(),
        authenticated_at: 900,
        expires_at: 5_000,
    }
}

fn document() -> Map<String, serde_json::Value> {
    Map::from_iter([("z".to_owned(), json!([1, "\"'\u{e9}"]))])
}

pub(super) fn consent(id: &str, subject: &str, client_id: &str) -> ConsentRow {
    ConsentRow {
        id: id.to_owned(),
        subject: subject.to_owned(),
        client_id: client_id.to_owned(),
        session_id: "s".to_owned(),
        document: document(),
        is_skipped: false,
        remembered_until: 0,
        handled_at: NOW,
        ended_at: 0,
        expires_at: 2_000,
    }
}

pub(super) fn code(digest: &str, consent_id: &str) -> CodeRow {
    CodeRow {
        digest: digest.to_owned(),
        consent_id: consent_id.to_owned(),
        document: document(),
        used_at: 0,
        expires_at: 1_600,
    }
}

fn refresh_token(digest: &str, consent_id: &str) -> RefreshTokenRow {
    RefreshTokenRow {
        digest: digest.to_owned(),
        consent_id: consent_id.to_owned(),
        issued_at: NOW,
        used_at: 0,
        uses: 0,
        expires_at: 9_000,
        confirmation: confirmation(),
    }
}

fn access(digest: &str, consent_id: &str, jti: &str) -> TokenRow {
    TokenRow {
        holder: Holder {
            subject: "alice".to_owned(),
            consent_id: consent_id.to_owned(),
            jti: jti.to_owned(),
        },
        ..token(digest, "a", 4_000)
    }
}

/// The `n`th pair of tokens of a consent.
pub(super) fn pair(consent_id: &str, n: usize) -> Exchange {
    Exchange {
        access: access(&format!("at-{n}"), consent_id, ""),
        refresh: Some(refresh_token(&format!("rt-{n}"), consent_id)),
        document: None,
        now: NOW,
    }
}

/// A consent `c` of alice to client `a` whose code became `at-0` and `rt-0`.
pub(super) async fn with_tokens(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let row = consent("c", "alice", "a");
    let code = code("code", "c");
    assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
    let exchange = pair("c", 0);
    let redeemed = store.redeem_code("code", &exchange, Reuse::EndsConsent);
    assert_eq!(redeemed.await.unwrap(), Redemption::Done);
}

pub(super) async fn is_there(store: &dyn Store, digest: &str) -> bool {
    store.find_token(digest).await.unwrap().is_some()
}

pub(crate) async fn a_login_session_is_replaced_by_its_id_and_deleted_with_its_person(
    store: &dyn Store,
) {
    for row in [
        session("1", "alice"),
        session("2", "alice"),
        session("3", "bob"),
    ] {
        store.put_session(&row).await.unwrap();
    }
    let later = SessionRow {
        authenticated_at: 950,
        ..session("1", "alice")
    };
    store.put_session(&later).await.unwrap();
    assert_eq!(store.find_session("1").await.unwrap(), Some(later));
    store.delete_session("1").await.unwrap();
    store.delete_session("1").await.unwrap();
    assert_eq!(store.find_session("1").await.unwrap(), None);
    store.delete_sessions_of("alice").await.unwrap();
    assert_eq!(store.find_session("2").await.unwrap(), None);
    let other = store.find_session("3").await.unwrap();
    assert_eq!(other, Some(session("3", "bob")));
}

pub(crate) async fn a_consent_and_its_code_are_read_back_as_they_were_written(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let (row, code) = (consent("c", "alice", "a"), code("code", "c"));
    assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
    assert_eq!(store.find_consent("c").await.unwrap(), Some(row));
    assert_eq!(store.find_code("code").await.unwrap(), Some(code));
    assert_eq!(store.find_consent("d").await.unwrap(), None);
    assert_eq!(store.find_code("other").await.unwrap(), None);
    assert_eq!(store.find_refresh_token("code").await.unwrap(), None);
}

pub(crate) async fn a_consent_to_a_client_that_is_gone_is_not_added(store: &dyn Store) {
    let (row, code) = (consent("c", "alice", "gone"), code("code", "c"));
    assert!(!store.insert_consent(&row, Some(&code)).await.unwrap());
    assert_eq!(store.find_consent("c").await.unwrap(), None);
    assert_eq!(store.find_code("code").await.unwrap(), None);
}

pub(crate) async fn the_newest_remembered_consent_stands_for_others_until_its_time(
    store: &dyn Store,
) {
    with_clients(store, &["a", "b"]).await;
    let mut first = consent("1", "alice", "a");
    first.remembered_until = 1_500;
    let mut second = consent("2", "alice", "a");
    (second.remembered_until, second.handled_at) = (1_200, 1_100);
    let forgotten = ConsentRow {
        handled_at: 1_150,
        ..consent("3", "alice", "a")
    };
    for row in [&first, &second, &forgotten] {
        assert!(store.insert_consent(row, None).await.unwrap());
    }
    let found = store.remembered_consent("alice", "a", 1_199).await.unwrap();
    assert_eq!(found, Some(second));
    let found = store.remembered_consent("alice", "a", 1_200).await.unwrap();
    assert_eq!(found, Some(first));
    for (subject, client_id, now) in [("alice", "a", 1_500), ("bob", "a", 0), ("alice", "b", 0)] {
        let found = store.remembered_consent(subject, client_id, now).await;
        assert_eq!(found.unwrap(), None, "{subject} {client_id} {now}");
    }
}

pub(crate) async fn consents_that_were_asked_for_are_listed_in_the_order_of_their_ids(
    store: &dyn Store,
) {
    with_clients(store, &["a", "b"]).await;
    let skipped = ConsentRow {
        is_skipped: true,
        ..consent("2", "alice", "a")
    };
    let elsewhere = ConsentRow {
        session_id: "t".to_owned(),
        ..consent("4", "alice", "b")
    };
    let all = [
        consent("3", "alice", "a"),
        consent("1", "alice", "a"),
        elsewhere,
    ];
    for row in all.iter().chain([&skipped, &consent("5", "bob", "a")]) {
        assert!(store.insert_consent(row, None).await.unwrap());
    }
    let text = |text: &str| Some(text.to_owned());
    let of_alice = ConsentQuery {
        subject: text("alice"),
        limit: 9,
        ..ConsentQuery::default()
    };
    for (query, expected) in [
        (of_alice.clone(), &["1", "3", "4"][..]),
        (
            ConsentQuery {
                client_id: text("b"),
                ..of_alice.clone()
            },
            &["4"],
        ),
        (
            ConsentQuery {
                session_id: text("s"),
                ..of_alice.clone()
            },
            &["1", "3"],
        ),
        (
            ConsentQuery {
                after: text("1"),
                limit: 1,
                ..of_alice.clone()
            },
            &["3"],
        ),
        (
            ConsentQuery {
                with_skipped: true,
                ..of_alice.clone()
            },
            &["1", "2", "3", "4"],
        ),
        (
            ConsentQuery {
                subject: text("nobody"),
                ..of_alice
            },
            &[],
        ),
    ] {
        let found = store.list_consents(&query).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, expected, "{query:?}");
    }
}

pub(crate) async fn a_revoked_consent_takes_its_tokens_with_it_and_leaves_others(
    store: &dyn Store,
) {
    with_tokens(store).await;
    with_clients(store, &["b"]).await;
    let others = [consent("d", "alice", "b"), consent("e", "bob", "a")];
    for row in &others {
        assert!(store.insert_consent(row, None).await.unwrap());
    }
    let of = |client_id: Option<&str>| ConsentsOf {
        subject: "alice".to_owned(),
        client_id: client_id.map(str::to_owned),
    };
    store.revoke_consents(&of(Some("a")), NOW).await.unwrap();
    assert_eq!(store.find_consent("c").await.unwrap(), None);
    assert_eq!(store.find_code("code").await.unwrap(), None);
    assert_eq!(store.find_refresh_token("rt-0").await.unwrap(), None);
    assert!(!is_there(store, "at-0").await);
    assert!(store.find_consent("d").await.unwrap().is_some());
    store.revoke_consents(&of(None), NOW).await.unwrap();
    assert_eq!(store.find_consent("d").await.unwrap(), None);
    assert!(store.find_consent("e").await.unwrap().is_some());
}

pub(crate) async fn a_deleted_client_takes_its_consents_with_it(store: &dyn Store) {
    with_tokens(store).await;
    assert!(store.delete_client("a", NOW, 4_000).await.unwrap());
    assert_eq!(store.find_consent("c").await.unwrap(), None);
    assert_eq!(store.find_code("code").await.unwrap(), None);
    assert_eq!(store.find_refresh_token("rt-0").await.unwrap(), None);
    assert!(!is_there(store, "at-0").await);
}

pub(crate) async fn what_people_did_is_deleted_after_its_end_in_bounded_numbers(store: &dyn Store) {
    with_tokens(store).await;
    for n in 0..3 {
        let id = n.to_string();
        store.put_session(&session(&id, "alice")).await.unwrap();
        let row = consent(&id, "alice", "a");
        let code = code(&id, &id);
        assert!(store.insert_consent(&row, Some(&code)).await.unwrap());
    }
    for (what, before, expected) in [
        (Perishable::LoginSession, 5_000, &[0][..]),
        (Perishable::LoginSession, 5_001, &[2, 1, 0]),
        (Perishable::Code, 1_600, &[0]),
        (Perishable::Code, 1_601, &[2, 2, 0]),
        (Perishable::RefreshToken, 9_000, &[0]),
        (Perishable::Consent, 2_001, &[2, 1, 0]),
        (Perishable::RefreshToken, 9_001, &[1, 0]),
        (Perishable::Consent, 9_001, &[1, 0]),
    ] {
        for expected in expected {
            let deleted = store.delete_expired(what, before, 2).await.unwrap();
            assert_eq!(deleted, *expected, "{what:?} {before}");
        }
    }
}

pub(crate) async fn a_device_is_found_by_both_of_its_codes(store: &dyn Store) {
    with_clients(store, &["a"]).await;
    let device = |digest: &str, user_code: &str, client_id: &str| DeviceRow {
        digest: digest.to_owned(),
        user_code: user_code.to_owned(),
        client_id: client_id.to_owned(),
        query: "client_id=a&scope=x".to_owned(),
        is_denied: false,
        expires_at: 2_000,
    };
    let row = device("d", "u", "a");
    assert_eq!(store.insert_device(&row).await.unwrap(), Insertion::Done);
    for other in [
        device("d", "v", "a"),
        device("e", "u", "a"),
        device("e", "v", "gone"),
    ] {
        let insertion = store.insert_device(&other).await.unwrap();
        assert_eq!(insertion, Insertion::Conflict, "{other:?}");
    }
    assert_eq!(store.find_device("d").await.unwrap(), Some(row.clone()));
    let found = store.find_device_by_user_code("u").await.unwrap();
    assert_eq!(found, Some(row));
    assert_eq!(store.find_device("u").await.unwrap(), None);
    store.deny_device("d").await.unwrap();
    store.deny_device("e").await.unwrap();
    assert!(store.find_device("d").await.unwrap().unwrap().is_denied);
    let device = Perishable::Device;
    assert_eq!(store.delete_expired(device, 2_000, 9).await.unwrap(), 0);
    assert_eq!(store.delete_expired(device, 2_001, 9).await.unwrap(), 1);
}

pub(crate) async fn an_issuer_is_trusted_once_for_a_subject_and_a_key(store: &dyn Store) {
    let issuer = |id: &str, subject: &str| TrustedIssuerRow {
        id: id.to_owned(),
        issuer: "https://i.example".to_owned(),
        subject: subject.to_owned(),
        any_subject: subject.is_empty(),
        scopes: vec!["read".to_owned()],
        key_set: "https://i.example".to_owned(),
        kid: "k".to_owned(),
        created_at: 1_000,
        expires_at: 2_000,
    };
    for (row, expected) in [
        (issuer("1", "a"), Insertion::Done),
        (issuer("2", "a"), Insertion::Conflict),
        (issuer("1", "b"), Insertion::Conflict),
        (issuer("3", ""), Insertion::Done),
    ] {
        let insertion = store.insert_trusted_issuer(&row).await.unwrap();
        assert_eq!(insertion, expected, "{row:?}");
    }
    store.delete_trusted_issuer("1").await.unwrap();
    store.delete_trusted_issuer("1").await.unwrap();
    assert_eq!(store.trusted_issuers().await.unwrap(), [issuer("3", "")]);
}

pub(crate) async fn a_registration_is_replaced_and_goes_with_its_client(store: &dyn Store) {
    with_clients(store, &["a", "b"]).await;
    for digest in ["1", "2"] {
        store.put_registration("a", digest).await.unwrap();
        let found = store.find_registration("a").await.unwrap();
        assert_eq!(found.as_deref(), Some(digest));
    }
    store.put_registration("gone", "3").await.unwrap();
    assert_eq!(store.find_registration("gone").await.unwrap(), None);
    assert_eq!(store.find_registration("b").await.unwrap(), None);
    assert!(store.delete_client("a", NOW, NOW).await.unwrap());
    assert_eq!(store.find_registration("a").await.unwrap(), None);
}
