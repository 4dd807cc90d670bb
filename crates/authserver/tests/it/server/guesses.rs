//! A flood of wrong secrets: it is slowed down, and takes nothing from those with the right ones.

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use carnet_authserver::{Guesses, Limits, Options};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use crate::server::{Answer, Room, still::StillStore, tutorial};

async fn still(guesses: Guesses) -> Arc<Room> {
    let options = Options {
        limits: Limits {
            guesses,
            ..Limits::default()
        },
        ..tutorial()
    };
    let room = Room::over(options, Arc::new(StillStore::default())).await;
    // The keys are made: the background does nothing more.
    room.get("/.well-known/jwks.json").await;
    Arc::new(room)
}

/// Asks every so often, whatever the answers are, and gives them all.
async fn every(
    pause: Duration,
    times: u32,
    room: &Arc<Room>,
    id: &str,
    secret: impl Fn(u32) -> String,
) -> Vec<Answer> {
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = Vec::new();
    for at in 0..times {
        ticks.tick().await;
        let (room, id, secret) = (Arc::clone(room), id.to_owned(), secret(at));
        asked.push(tokio::spawn(
            async move { room.basic(&id, &secret, "").await },
        ));
    }
    let answers = join_all(asked).await.into_iter();
    answers.map(Result::unwrap).collect()
}

fn count(answers: &[Answer], status: StatusCode) -> usize {
    let answers = answers.iter();
    answers.filter(|answer| answer.status == status).count()
}

// Holds TE-17.
#[tokio::test(start_paused = true)]
async fn five_hundred_wrong_secrets_a_second_for_one_client_cost_right_callers_nothing() {
    let room = still(Guesses {
        rate: 10,
        burst: 20,
    })
    .await;
    let attacked = room.create(json!({})).await;
    let known = room.create(json!({})).await;
    let generated = json!({"client_id": "generated", "grant_types": ["client_credentials"]});
    let generated = room.admin(Method::POST, "/admin/clients", generated).await;
    let generated = generated.json()["client_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    for id in [&attacked, &known] {
        room.token(id).await;
    }
    // Nobody has authenticated as these yet: each costs a slow hash.
    let new: Vec<String> = join_all((0..10).map(|_| room.create(json!({})))).await;

    let right = |_| "traefiklabs".to_owned();
    let pause = Duration::from_millis(100);
    let (flood, same, other, fast, fresh) = tokio::join!(
        every(
            Duration::from_millis(2),
            5000,
            &room,
            &attacked,
            |at| format!("guess-{at}")
        ),
        every(pause, 100, &room, &attacked, right),
        every(pause, 100, &room, &known, right),
        every(pause, 100, &room, "generated", |_| generated.clone()),
        async {
            let mut answers = Vec::new();
            for id in &new {
                answers.extend(every(pause, 10, &room, id, right).await);
            }
            answers
        }
    );
    for answers in [&same, &other, &fast, &fresh] {
        assert_eq!(count(answers, StatusCode::OK), 100);
    }
    let (hashed, throttled) = (
        count(&flood, StatusCode::UNAUTHORIZED),
        count(&flood, StatusCode::TOO_MANY_REQUESTS),
    );
    assert_eq!(hashed + throttled, 5000);
    assert!(
        (20..=125).contains(&hashed),
        "{hashed} guesses in ten seconds"
    );
    let refused = flood.last().unwrap();
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 1);
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    let metrics = "/admin/metrics/prometheus";
    let metrics = room
        .admin(Method::GET, metrics, serde_json::Value::Null)
        .await;
    let line =
        format!("oauth2_throttled_guesses_total{{app=\"carnet\",version=\"v0.1.0\"}} {throttled}");
    assert!(metrics.text.contains(&line), "{}", metrics.text);
}

// Holds TE-13, TE-17.
#[tokio::test(start_paused = true)]
async fn what_is_turned_away_does_not_depend_on_whether_there_is_such_a_client() {
    let room = still(Guesses { rate: 1, burst: 3 }).await;
    let chosen = room.create(json!({})).await;
    let generated = room.create(json!({"client_secret": null})).await;
    let post = json!({"token_endpoint_auth_method": "client_secret_post"});
    let post = room.create(post).await;
    let mut seen = Vec::new();
    for (id, secret) in [
        (chosen.as_str(), "wrong-secret"),
        (&generated, "wrong-secret"),
        (&post, "traefiklabs"),
        ("nobody", "traefiklabs"),
    ] {
        let mut answers = Vec::new();
        for _ in 0..5 {
            let started = Instant::now();
            let answer = room.basic(id, secret, "").await;
            answers.push((answer, started.elapsed().as_millis()));
        }
        seen.push(answers);
    }
    assert_eq!(seen[0][2].0.status, StatusCode::UNAUTHORIZED);
    assert_eq!(seen[0][3].0.status, StatusCode::TOO_MANY_REQUESTS);
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}
