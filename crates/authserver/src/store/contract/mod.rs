//! The suite that every store must pass: one function a behaviour, each over a fresh store.
//!
//! It is no module of the library. The integration tests include this folder and run
//! [`every_behaviour`] once for each kind of store.

pub(crate) mod clients;
pub(crate) mod concurrency;
pub(crate) mod exchange;
pub(crate) mod imports;
pub(crate) mod jtis;
pub(crate) mod keys;
pub(crate) mod people;
pub(crate) mod tokens;

use carnet_authserver::store::{ClientRow, Holder, Insertion, Store, StoreError, TokenRow};
use carnet_oauth::{Confirmation, client::Client};
use serde_json::{Map, json};

/// A test for each behaviour over the store that `$fresh().await` opens: a value that derefs to
/// `dyn Store` and keeps what it needs.
macro_rules! every_behaviour {
    ($fresh:path) => {
        $crate::store::contract::every_behaviour! { @ $fresh:
            clients::a_client_is_read_back_as_it_was_written,
            clients::a_second_client_of_an_id_is_a_conflict_and_changes_nothing,
            clients::an_update_replaces_the_client_and_its_hash,
            clients::what_is_not_there_is_neither_updated_nor_deleted,
            clients::a_secret_that_was_left_in_a_client_is_not_kept,
            clients::a_hash_is_replaced_only_if_it_is_still_the_old_one,
            clients::rotated_secrets_are_replaced_only_if_they_are_still_the_old_ones,
            clients::a_change_of_a_client_is_known_when_it_is_acknowledged,
            clients::clients_are_listed_in_the_order_of_the_bytes_of_their_ids,
            clients::a_list_of_clients_goes_on_after_an_id,
            clients::a_list_of_clients_can_be_narrowed_by_name_and_owner,
            clients::clients_are_counted_and_skipped,
            clients::a_deleted_client_loses_its_tokens,
            clients::a_client_is_replaced_only_if_it_is_still_the_old_one,
            clients::ids_are_never_read_as_sql_or_patterns,
            keys::the_newest_key_of_a_set_comes_first,
            keys::a_second_key_of_a_name_is_a_conflict_in_its_set_only,
            keys::a_key_that_is_put_again_is_replaced_and_becomes_the_newest,
            keys::a_key_set_is_replaced_as_a_whole,
            keys::a_key_set_with_a_name_twice_changes_nothing,
            keys::a_key_is_followed_by_one_other_at_most,
            keys::of_concurrent_successors_of_a_key_exactly_one_is_added,
            keys::the_lifetime_of_a_key_only_becomes_longer,
            keys::a_key_is_sealed_anew_only_if_it_is_still_the_old_one,
            keys::keys_and_sets_are_deleted_whether_they_are_there_or_not,
            tokens::a_token_is_found_by_its_digest_also_after_its_end,
            tokens::a_token_of_a_client_that_is_gone_is_not_added,
            tokens::a_deleted_token_is_gone,
            tokens::expired_tokens_are_deleted_in_bounded_numbers_the_oldest_first,
            tokens::revocations_are_read_in_the_order_of_their_changes,
            tokens::a_number_is_never_given_twice,
            tokens::a_follower_of_concurrent_revocations_misses_none,
            tokens::a_revoked_client_takes_its_older_tokens_with_it,
            tokens::a_revocation_is_only_ever_extended,
            tokens::expired_revocations_are_deleted_in_bounded_numbers,
            jtis::an_assertion_is_used_once_until_its_end,
            jtis::of_concurrent_uses_exactly_one_is_the_first,
            jtis::expired_uses_are_deleted_in_bounded_numbers,
            tokens::expiry_removes_all_that_ended_and_nothing_else,
            imports::an_import_is_there_after_its_commit,
            imports::an_import_that_is_dropped_never_happened,
            imports::an_import_hands_back_what_is_there_and_leaves_it,
            people::a_login_session_is_replaced_by_its_id_and_deleted_with_its_person,
            people::a_consent_and_its_code_are_read_back_as_they_were_written,
            people::a_consent_to_a_client_that_is_gone_is_not_added,
            people::the_newest_remembered_consent_stands_for_others_until_its_time,
            people::consents_that_were_asked_for_are_listed_in_the_order_of_their_ids,
            exchange::a_code_that_may_come_again_is_used_once_and_changes_nothing_then,
            exchange::a_code_that_comes_again_takes_back_what_it_gave,
            exchange::of_a_hundred_uses_of_a_code_one_wins_at_most_and_nothing_of_it_is_left,
            exchange::a_use_of_a_code_that_is_given_up_anywhere_is_done_wholly_or_not_at_all,
            exchange::what_a_consent_says_changes_with_an_exchange_and_not_without,
            exchange::a_refresh_token_takes_the_place_of_the_one_before,
            exchange::of_a_thousand_uses_of_a_refresh_token_one_wins_at_most_and_its_family_ends,
            exchange::within_its_grace_a_used_refresh_token_works_again_so_many_times,
            people::a_revoked_consent_takes_its_tokens_with_it_and_leaves_others,
            people::a_deleted_client_takes_its_consents_with_it,
            people::a_device_is_found_by_both_of_its_codes,
            people::an_issuer_is_trusted_once_for_a_subject_and_a_key,
            people::a_registration_is_replaced_and_goes_with_its_client,
            people::what_people_did_is_deleted_after_its_end_in_bounded_numbers,
            concurrency::of_concurrent_insertions_of_one_id_exactly_one_is_done,
            concurrency::concurrent_writers_lose_nothing,
            keys::a_key_set_is_never_seen_half_replaced,
            concurrency::a_store_answers_when_asked,
        }
    };
    (@ $fresh:path: $($room:ident::$behaviour:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let store = $fresh().await;
                $crate::store::contract::$room::$behaviour(&*store).await;
            }
        )*
    };
}
pub(crate) use every_behaviour;

pub(crate) fn client(id: &str) -> ClientRow {
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
        rotated: Vec::new(),
    }
}

/// What many calls at once come to. Where a disk is slow a store may ask to try again later, and has
/// done nothing then.
async fn in_the_end<T, F>(call: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    const ATTEMPTS: usize = 60;
    for _ in 1..ATTEMPTS {
        match call().await {
            Err(StoreError::Unavailable(_)) => {}
            done => return done.unwrap(),
        }
    }
    call().await.unwrap()
}

fn token(digest: &str, client_id: &str, expires_at: i64) -> TokenRow {
    TokenRow {
        digest: digest.to_owned(),
        client_id: client_id.to_owned(),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        audiences: vec!["https://api.example/?a=\"b\"".to_owned()],
        issued_at: 1_000,
        expires_at,
        ext: Map::from_iter([
            ("b".to_owned(), json!([1, "\"'"])),
            ("a".to_owned(), json!({})),
        ]),
        holder: Holder::default(),
        confirmation: confirmation(),
    }
}

fn confirmation() -> Confirmation {
    Confirmation {
        key: Some("key \"1\"".to_owned()),
        certificate: Some("certificate".to_owned()),
    }
}

async fn with_clients(store: &dyn Store, ids: &[&str]) {
    for id in ids {
        let insertion = store.insert_client(&client(id)).await.unwrap();
        assert_eq!(insertion, Insertion::Done, "{id}");
    }
}
