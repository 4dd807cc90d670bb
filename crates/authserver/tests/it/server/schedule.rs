//! Keys that change: by the schedule, by command, at several servers.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use carnet_authserver::{Algorithm, Options, Rotation, store};
use carnet_jose::{JwkSet, jws};
use carnet_testkit::client;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::server::{Room, still::StillStore, tutorial};

const SIGNING: &str = "/admin/keys/hydra.jwt.access-token";
const MINUTE: Duration = Duration::from_secs(60);

fn rotating(every: Duration, publish_ahead: Duration) -> Options {
    Options {
        algorithm: Algorithm::Es256,
        ttl_access_token: 10 * MINUTE,
        rotation: Some(Rotation {
            every,
            publish_ahead,
        }),
        ..tutorial()
    }
}

/// Time passes, for the schedule and for the tokens.
async fn pass(room: &Room, time: Duration) {
    room.clock.advance(time);
    tokio::time::advance(time).await;
    // What is due now is done before the test goes on.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// A server for resources, which keeps the key set for five minutes, as many do.
struct Verifier {
    at: SocketAddr,
    age: Duration,
    keys: JwkSet,
    most: usize,
}

impl Verifier {
    async fn tick(&mut self, step: Duration) {
        self.age += step;
        if self.age >= 5 * MINUTE {
            let request =
                "GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            let answer = client::send(self.at, request.as_bytes()).await.unwrap();
            self.keys = JwkSet::from_json(&answer.body).unwrap();
            self.most = self.most.max(self.keys.keys().len());
            self.age = Duration::ZERO;
        }
    }
}

async fn token_over_http(at: SocketAddr, id: &str) -> String {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret=traefiklabs");
    let request = format!(
        "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = client::send(at, request.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn kid(token: &str) -> String {
    let header = jws::decode_unverified(token).unwrap().header;
    header["kid"].as_str().unwrap().to_owned()
}

async fn published(room: &Room) -> Vec<String> {
    let set = room.admin(Method::GET, SIGNING, Value::Null).await.json();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

// Holds JW-20.
#[tokio::test(start_paused = true)]
async fn no_token_is_lost_to_a_verifier_that_keeps_the_key_set_for_five_minutes() {
    let options = rotating(60 * MINUTE, 5 * MINUTE);
    let room = Room::over(options, Arc::new(StillStore::default())).await;
    let post = "client_secret_post";
    let short = room
        .create(json!({"token_endpoint_auth_method": post}))
        .await;
    let long = json!({
        "token_endpoint_auth_method": post,
        "client_credentials_grant_access_token_lifespan": "2h10m",
    });
    let long = room.create(long).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let (server, shutdown) = (room.server.clone(), CancellationToken::new());
    let until = shutdown.clone();
    let serving = tokio::spawn(async move { server.serve_public(listener, until).await });
    let mut verifier = Verifier {
        at,
        age: 5 * MINUTE,
        keys: JwkSet::default(),
        most: 0,
    };
    let (step, mut signers) = (Duration::from_secs(20), BTreeSet::new());
    let mut alive: Vec<(Duration, String)> = Vec::new();
    for n in 0..1_000_u32 {
        verifier.tick(step).await;
        for (id, lifetime) in [(&short, 10 * MINUTE), (&long, 130 * MINUTE)] {
            let token = token_over_http(at, id).await;
            assert!(
                jws::verify(&token, &verifier.keys).is_ok(),
                "{n}: at its issue"
            );
            signers.insert(kid(&token));
            alive.push((step * n + lifetime, token));
        }
        alive.retain(|(end, token)| {
            let is_last_time = *end <= step * (n + 1);
            if is_last_time {
                assert!(
                    jws::verify(token, &verifier.keys).is_ok(),
                    "{n}: at its end"
                );
            }
            !is_last_time
        });
        pass(&room, step).await;
    }
    // 20,000 seconds: the first key and one an hour. Of those that are left, none is of no use.
    assert_eq!(signers.len(), 6);
    // The next one, the one that signs, four that signed in the last three hours, and one for id tokens.
    assert!(verifier.most <= 7, "{}", verifier.most);
    let left = published(&room).await;
    assert!(left.len() <= 6, "{left:?}");
    shutdown.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_published_then_signs_then_stays_then_goes() {
    let options = rotating(60 * MINUTE, 10 * MINUTE);
    let room = Room::over(options, Arc::new(StillStore::default())).await;
    let id = room.create(json!({})).await;
    let first = kid(&room.token(&id).await);
    pass(&room, 49 * MINUTE).await;
    assert_eq!(published(&room).await, [first.as_str()]);
    pass(&room, 2 * MINUTE).await;
    let keys = published(&room).await;
    assert_eq!((keys.len(), &keys[1]), (2, &first));
    assert_eq!(kid(&room.token(&id).await), first, "the next one waits");
    pass(&room, 10 * MINUTE).await;
    let second = keys[0].clone();
    assert_eq!(kid(&room.token(&id).await), second);
    // Lifetimes are kept in whole hours, and clocks may differ by five minutes.
    pass(&room, 45 * MINUTE).await;
    assert!(published(&room).await.contains(&first));
    for _ in 0..22 {
        pass(&room, MINUTE).await;
    }
    let left = published(&room).await;
    assert!(!left.contains(&first), "{left:?}");
    assert_eq!(left.last(), Some(&second));
}

#[tokio::test(start_paused = true)]
async fn without_a_schedule_nothing_changes_by_itself() {
    let options = Options {
        rotation: None,
        ..rotating(MINUTE, MINUTE)
    };
    let room = Room::over(options, Arc::new(StillStore::default())).await;
    let id = room.create(json!({})).await;
    let first = kid(&room.token(&id).await);
    for _ in 0..5 {
        pass(&room, 10_000 * MINUTE).await;
    }
    assert_eq!(kid(&room.token(&id).await), first);
    assert_eq!(published(&room).await, [first]);
}

#[tokio::test]
async fn a_key_that_is_made_by_command_can_be_published_ahead() {
    let room = Room::new(tutorial()).await;
    let id = room.create(json!({})).await;
    let first = kid(&room.token(&id).await);
    for (body, expected) in [
        (
            json!({"alg": "ES256", "kid": "later", "publish_ahead": "10m"}),
            &*first,
        ),
        (json!({"alg": "ES256", "kid": "enc", "use": "enc"}), &*first),
    ] {
        let made = room.admin(Method::POST, SIGNING, body).await;
        assert_eq!(made.status, StatusCode::CREATED);
        assert_eq!(kid(&room.token(&id).await), expected);
    }
    let jwks = room.get("/.well-known/jwks.json").await.text;
    assert!(jwks.contains("\"later\""), "{jwks}");
    room.clock.advance(10 * MINUTE);
    assert_eq!(kid(&room.token(&id).await), "later");
    // One that signs at once is newer than one that still waits.
    let waits = json!({"alg": "ES256", "kid": "waits", "publish_ahead": "1h"});
    room.admin(Method::POST, SIGNING, waits).await;
    let now = json!({"alg": "ES256", "kid": "now"});
    room.admin(Method::POST, SIGNING, now).await;
    room.clock.advance(90 * MINUTE);
    assert_eq!(kid(&room.token(&id).await), "now");
    let wrong = json!({"alg": "ES256", "publish_ahead": "soon"});
    let refused = room.admin(Method::POST, SIGNING, wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn of_several_servers_one_rotates_and_all_see_it_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let dsn = format!("sqlite://{}", folder.path().join("db").display());
    store::migrate(&dsn).await.unwrap();
    let options = || rotating(60 * MINUTE, 5 * MINUTE);
    let one = Room::over(options(), store::open(&dsn).await.unwrap()).await;
    let two = Room::over(options(), store::open(&dsn).await.unwrap()).await;
    let id = one.create(json!({})).await;
    let (of_one, of_two) = (one.token(&id).await, two.token(&id).await);
    assert_eq!(kid(&of_one), kid(&of_two), "one of them made the first key");

    // Both find at their start that the next key is due.
    drop((one, two));
    let due = async || {
        let store = store::open(&dsn).await.unwrap();
        Room::starting(options(), store, 56 * MINUTE).await
    };
    let (one, two) = tokio::join!(due(), due());
    let is_seen = async |room: &Room, count| {
        tokio::time::timeout(Duration::from_secs(5), async {
            while published(room).await.len() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    };
    is_seen(&one, 2).await;
    is_seen(&two, 2).await;
    assert_eq!(published(&one).await, published(&two).await);

    let made = json!({"alg": "ES256", "kid": "made-at-one"});
    one.admin(Method::POST, SIGNING, made).await;
    let begun = tokio::time::Instant::now();
    is_seen(&two, 3).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    let token = two.token(&id).await;
    assert_eq!(kid(&token), "made-at-one");
    assert_eq!(one.introspect(&token).await["active"], true);
}
