//! Slow hashes under load.

use std::{pin::pin, sync::Arc};

use axum::http::{Method, StatusCode};
use carnet_authserver::{Guesses, Limits, Options};
use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use serde_json::json;

use crate::server::{Room, still::StillStore, tutorial};

/// So many requests wait for their hash at most, the ones that are hashed included.
const PLACES: usize = 256;

// Holds DO-04.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_full_of_slow_hashes_holds_up_nobody_who_needs_none() {
    let slow = Options {
        pbkdf2_iterations: 400_000,
        // All of them come to the queue.
        limits: Limits {
            guesses: Guesses { rate: 0, burst: 1 },
            ..Limits::default()
        },
        ..tutorial()
    };
    let room = Room::over(slow, Arc::new(StillStore::default())).await;
    let supplied = room.create(json!({})).await;
    assert!(room.basic(&supplied, "traefiklabs", "").await.status == StatusCode::OK);
    let generated = json!({"client_id": "generated", "grant_types": ["client_credentials"]});
    let generated = room.admin(Method::POST, "/clients", generated).await.json();
    let secret = generated["client_secret"].as_str().unwrap();

    let guesses: Vec<String> = (0..PLACES + 40).map(|at| format!("guess-{at}")).collect();
    let mut guesses: FuturesUnordered<_> = guesses
        .iter()
        .map(|guess| room.basic(&supplied, guess, ""))
        .collect();
    // Who finds the queue full hears it at once: before the first guess was hashed.
    for _ in 0..40 {
        let answer = guesses.next().await.unwrap();
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.header("retry-after").is_some());
    }
    // Neither a fast hash, nor one that was right before, nor the keys wait for the queue.
    for (id, secret) in [("generated", secret), (&supplied, "traefiklabs")] {
        assert_eq!(room.basic(id, secret, "").await.status, StatusCode::OK);
    }
    assert_eq!(
        room.get("/.well-known/jwks.json").await.status,
        StatusCode::OK
    );
    // The server itself may have taken a place, to learn how long a hash takes.
    while let Some(Some(answer)) = pin!(guesses.next()).now_or_never() {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(guesses.len() >= PLACES - 1, "{}", guesses.len());
}
