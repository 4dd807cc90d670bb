//! How clients authenticate, and what failures look like.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use carnet_authserver::Options;
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::server::{Answer, Room, still::StillStore, tutorial};

const GRANT: &str = "grant_type=client_credentials";

async fn still() -> (Room, Arc<StillStore>) {
    let store = Arc::new(StillStore::default());
    let room = Room::over(tutorial(), store.clone()).await;
    // The keys are made: the background does nothing more.
    room.get("/.well-known/jwks.json").await;
    (room, store)
}

async fn timed(answer: impl Future<Output = Answer>) -> (Answer, Duration) {
    let started = Instant::now();
    let answer = answer.await;
    (answer, started.elapsed())
}

// Holds TE-12, TE-13, TE-14.
#[tokio::test(start_paused = true)]
async fn failures_have_the_same_bytes_at_the_same_time_whatever_the_cause() {
    let (room, _) = still().await;
    let basic = room.create(json!({})).await;
    let post = room
        .create(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let generated = room.create(json!({"client_secret": null})).await;
    let with_body = |id: &str, secret: &str| {
        let form = format!("{GRANT}&client_id={id}&client_secret={secret}");
        let room = &room;
        async move { room.post("/oauth2/token", &[], &form).await }
    };
    let answers = [
        timed(room.basic(&basic, "wrong", "")).await,
        timed(room.basic(&generated, "wrong", "")).await,
        timed(room.basic("nobody", "traefiklabs", "")).await,
        timed(room.basic(&post, "traefiklabs", "")).await,
        timed(room.basic(&basic, "", "")).await,
        timed(room.basic(&basic, "traefiklabs", "&client_id=other")).await,
        timed(room.basic(&basic, "traefiklabs", "&client_secret=traefiklabs")).await,
        timed(with_body(&post, "wrong")).await,
        timed(with_body(&basic, "traefiklabs")).await,
        timed(with_body("nobody", "traefiklabs")).await,
        timed(with_body(&post, "")).await,
    ];
    for (answer, took) in &answers {
        assert_eq!(answer, &answers[0].0);
        // And less than a millisecond of chance, which the stopped clock rounds up.
        assert!((50..=51).contains(&took.as_millis()), "{took:?}");
    }
    let failure = &answers[0].0;
    assert_eq!(failure.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        failure.header("www-authenticate"),
        Some("Basic realm=\"oauth2\"")
    );
    assert_eq!(failure.header("cache-control"), Some("no-store"));
    assert_eq!(failure.json()["error"], "invalid_client");

    let (answer, took) = timed(room.basic(&basic, "traefiklabs", "")).await;
    assert_eq!((answer.status, took.as_millis()), (StatusCode::OK, 0));
}

// Holds TE-13.
#[tokio::test(start_paused = true)]
async fn failures_look_the_same_also_among_many_and_beside_right_ones() {
    let (room, _) = still().await;
    let chosen = room.create(json!({})).await;
    let generated = room.create(json!({"client_secret": null})).await;
    let post = room
        .create(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let causes = [
        ("nobody", "traefiklabs"),
        (generated.as_str(), "wrong"),
        (&chosen, "wrong"),
        (&post, "traefiklabs"),
    ];
    let asked = (0..200).map(|at| {
        let (id, secret) = causes[at % causes.len()];
        timed(room.basic(id, secret, ""))
    });
    let right = (0..50).map(|_| room.basic(&chosen, "traefiklabs", ""));
    let (failed, right) = tokio::join!(join_all(asked), join_all(right));
    for (answer, took) in &failed {
        assert_eq!(answer, &failed[0].0);
        // And less than a millisecond of chance, which the stopped clock rounds up.
        assert!((50..=51).contains(&took.as_millis()), "{took:?}");
    }
    assert_eq!(failed[0].0.status, StatusCode::UNAUTHORIZED);
    assert!(right.iter().all(|answer| answer.status == StatusCode::OK));
}

// Holds TE-17.
#[tokio::test(start_paused = true)]
async fn a_flood_of_guesses_is_turned_away_and_right_secrets_pass_it() {
    let (room, _) = still().await;
    let generated = room.admin(
        axum::http::Method::POST,
        "/admin/clients",
        json!({
            "client_id": "generated", "grant_types": ["client_credentials"],
        }),
    );
    let secret = generated.await.json()["client_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let supplied = room.create(json!({})).await;
    // One that a header's first reading gets wrong.
    let ambiguous = room.create(json!({"client_secret": "p+w%41"})).await;
    for (id, secret) in [(&supplied, "traefiklabs"), (&ambiguous, "p+w%41")] {
        assert_eq!(room.basic(id, secret, "").await.status, StatusCode::OK);
    }

    let flood = join_all((0..2000).map(|at| {
        let room = &room;
        let secret = format!("guess-{at}");
        async move { room.basic("generated", &secret, "").await.status }
    }));
    let right = async {
        tokio::task::yield_now().await;
        for _ in 0..20 {
            for (id, secret) in [
                ("generated", secret.as_str()),
                (&supplied, "traefiklabs"),
                (&ambiguous, "p+w%41"),
            ] {
                assert_eq!(room.basic(id, secret, "").await.status, StatusCode::OK);
            }
        }
    };
    let (statuses, ()) = tokio::join!(flood, right);
    let busy = statuses
        .iter()
        .filter(|&&status| status == StatusCode::TOO_MANY_REQUESTS)
        .count();
    assert!(busy > 0);
    assert!(statuses.iter().all(|status| *status != StatusCode::OK));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_hangs_is_answered_within_two_seconds() {
    let (room, store) = still().await;
    store.is_stuck.store(true, Ordering::Relaxed);
    let (answer, took) = timed(room.basic("a", "traefiklabs", "")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(took < Duration::from_secs(2));
    assert_eq!(
        room.get("/.well-known/jwks.json").await.status,
        StatusCode::OK
    );
}

// Holds TE-15.
#[tokio::test]
async fn a_secret_is_understood_in_every_spelling_clients_use() {
    let room = Room::new(tutorial()).await;
    let id = room
        .create(json!({"client_secret": "p:w+1 %/\u{e9}\u{20ac}"}))
        .await;
    for spelling in [
        "p:w+1 %/\u{e9}\u{20ac}",
        "p%3Aw%2B1+%25%2F%C3%A9%E2%82%AC",
        "p%3Aw%2B1%20%25%2F%C3%A9%E2%82%AC",
    ] {
        let answer = room.basic(&id, spelling, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{spelling}");
    }
    let post = json!({
        "client_secret": "p:w+1 %/\u{e9}",
        "token_endpoint_auth_method": "client_secret_post",
    });
    let id = room.create(post).await;
    let form = format!("{GRANT}&client_id={id}&client_secret=p%3Aw%2B1+%25%2F%C3%A9");
    assert_eq!(
        room.post("/oauth2/token", &[], &form).await.status,
        StatusCode::OK
    );
}

// Holds TE-09, TE-10.
#[tokio::test]
async fn both_methods_work_for_those_registered_with_them() {
    let room = Room::new(tutorial()).await;
    let basic = room
        .create(json!({"token_endpoint_auth_method": "client_secret_basic"}))
        .await;
    let header = format!("bAsIc {}", STANDARD.encode(format!("{basic}:traefiklabs")));
    let form = format!("{GRANT}&client_id={basic}");
    let answer = room
        .post("/oauth2/token", &[("authorization", &header)], &form)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let post = room
        .create(json!({"token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let form = format!("{GRANT}&client_id={post}&client_secret=traefiklabs");
    assert_eq!(
        room.post("/oauth2/token", &[], &form).await.status,
        StatusCode::OK
    );
}

// Holds TE-07, TE-11.
#[tokio::test]
async fn requests_that_show_nothing_or_too_much_are_invalid() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let right = format!("Basic {}", STANDARD.encode(format!("{id}:traefiklabs")));
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3A\
                     jwt-bearer&client_assertion=x";
    let query = format!("/oauth2/token?client_id={id}&client_secret=traefiklabs");
    let both = format!("{GRANT}&{assertion}");
    for (path, headers, form) in [
        ("/oauth2/token", vec![], GRANT),
        (query.as_str(), vec![], GRANT),
        ("/oauth2/token", vec!["Basic %%%"], GRANT),
        ("/oauth2/token", vec!["Bearer x"], GRANT),
        ("/oauth2/token", vec![&*right, &*right], GRANT),
        ("/oauth2/token", vec![&*right], both.as_str()),
    ] {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|value| ("authorization", *value))
            .collect();
        let answer = room.post(path, &headers, form).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path} {headers:?} {form}"
        );
        assert_eq!(answer.json()["error"], "invalid_request");
    }
}

#[tokio::test]
async fn an_imported_secret_is_hashed_anew_at_its_first_success() {
    use carnet_authserver::store::ClientRow;
    let room = Room::new(Options {
        access_token_strategy: Default::default(),
        ..tutorial()
    })
    .await;
    let client = serde_json::from_value::<carnet_oauth::client::Client>(json!({
        "client_id": "imported",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_basic",
    }));
    let row = ClientRow {
        client: client.unwrap().as_stored(),
        secret_hash: bcrypt::hash("old-secret", 4).unwrap(),
        rotated: Vec::new(),
    };
    room.store.insert_client(&row).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            room.basic("imported", "old-secret", "").await.status,
            StatusCode::OK
        );
        let kept = room
            .store
            .find_client("imported")
            .await
            .unwrap()
            .unwrap()
            .secret_hash;
        assert!(kept.starts_with("$pbkdf2-sha256$i=10,l=32$"), "{kept}");
    }
    assert_eq!(
        room.basic("imported", "other", "").await.status,
        StatusCode::UNAUTHORIZED
    );
}
