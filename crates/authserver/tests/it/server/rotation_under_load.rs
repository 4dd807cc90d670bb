//! Keys rotate by the schedule while two servers on one PostgreSQL are asked for tokens without a
//! pause: no request fails, and a verifier that keeps the key set for five minutes, and asks for it
//! no earlier, verifies every token until its end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::http::StatusCode;
use carnet_authserver::{Algorithm, Options, Rotation, store};
use carnet_jose::{JwkSet, jwt};
use carnet_oauth::Clock as _;
use carnet_testkit::FixedClock;
use carnet_testkit::postgres::Cluster;
use serde_json::Value;
use tokio::sync::watch;

use super::several::{Served, register, soon};
use crate::server::tutorial;

const MINUTE: Duration = Duration::from_secs(60);
/// So many ask at once, each again as soon as it has its answer.
const CALLERS: usize = 8;

fn options() -> Options {
    Options {
        algorithm: Algorithm::Es256,
        ttl_access_token: 10 * MINUTE,
        rotation: Some(Rotation {
            every: 60 * MINUTE,
            publish_ahead: 10 * MINUTE,
        }),
        ..tutorial()
    }
}

/// A server for resources.
struct Verifier {
    clock: Arc<FixedClock>,
    keys: Mutex<(JwkSet, i64)>,
}

impl Verifier {
    fn now(&self) -> i64 {
        let since = self.clock.now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_secs()).unwrap()
    }

    /// Asks for the key set when what it has is five minutes old.
    async fn refresh(&self, server: &Served) {
        let age = self.now() - self.keys.lock().unwrap().1;
        if age < 300 {
            return;
        }
        let url = format!("{}/.well-known/jwks.json", server.public);
        let answer = server.http.get(url).send().await.unwrap();
        let keys = JwkSet::from_json(&answer.bytes().await.unwrap()).unwrap();
        *self.keys.lock().unwrap() = (keys, self.now());
    }

    /// The end of a token that it verifies.
    fn end(&self, token: &str) -> i64 {
        let claims = jwt::verify(token, &self.keys.lock().unwrap().0);
        let claims = claims.unwrap_or_else(|error| panic!("{error}: {token}"));
        claims["exp"].as_i64().unwrap()
    }
}

/// Asks until it is told to stop; verifies each token at once and, later, those of a while ago.
async fn call(
    server: Arc<Served>,
    id: String,
    verifier: Arc<Verifier>,
    stop: watch::Receiver<bool>,
) -> (usize, BTreeSet<String>) {
    let (mut kept, mut kids, mut count) = (Vec::new(), BTreeSet::new(), 0);
    while !*stop.borrow() {
        let (status, token) = server.token(&id, "a-secret").await;
        assert_eq!(status, StatusCode::OK, "after {count}");
        count += 1;
        let end = verifier.end(&token);
        kids.insert(kid(&token));
        kept.push((token, end));
        kept.retain(|(_, end)| *end > verifier.now());
        if let Some((token, _)) = kept.get(count % kept.len().max(1)) {
            verifier.end(token);
        }
    }
    (count, kids)
}

fn kid(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// How many keys there are after so many minutes. The next one is published ten minutes ahead of its
/// hour, and the last one goes an hour (tokens of less count as that) and five minutes after it.
fn published(minutes: u64) -> usize {
    match minutes {
        ..50 => 1,
        50..110 | 130.. => 2,
        110..130 => 3,
    }
}

/// Until all connections are there: to make one takes long on a busy machine.
async fn warm_up(server: &Served, id: &str) {
    let is_warm = async || {
        let tokens = (0..CALLERS).map(|_| server.token(id, "a-secret"));
        let answers = futures_util::future::join_all(tokens).await;
        answers.iter().all(|(status, _)| *status == StatusCode::OK)
    };
    soon("warmth", is_warm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_while_two_servers_are_busy_loses_no_request_and_no_token() {
    let dsn = Cluster::shared().unwrap().database().unwrap();
    let dsn = format!("{dsn}&max_conns=4");
    store::migrate(&dsn).await.unwrap();
    let clock = Arc::new(FixedClock::default());
    let start = async |seed| Served::at(Arc::clone(&clock), &dsn, options(), seed).await;
    let servers = [start(1).await, start(2).await].map(Arc::new);
    let id = register(&servers[0], "a-secret").await;
    // The first key is made for the first token.
    servers[0].token(&id, "a-secret").await;
    let verifier = Arc::new(Verifier {
        clock: Arc::clone(&clock),
        keys: Mutex::new((JwkSet::new(Vec::new()), 0)),
    });
    verifier.refresh(&servers[1]).await;
    for server in &servers {
        warm_up(server, &id).await;
    }
    let others = servers[0].kids().await.len() - 1;
    let (stop, stopped) = watch::channel(false);
    let callers = (0..CALLERS).map(|n| {
        let server = Arc::clone(&servers[n % servers.len()]);
        let asking = call(server, id.clone(), Arc::clone(&verifier), stopped.clone());
        tokio::spawn(asking)
    });
    let callers: Vec<_> = callers.collect();
    // In steps of five minutes. At each a third server begins, which first of all does what the
    // schedule wants; the others hear of it.
    for step in 1..=30 {
        clock.advance(5 * MINUTE);
        let third = start(100 + step).await;
        for server in &servers {
            soon(
                &format!("the keys after {} minutes", 5 * step),
                async || server.kids().await.len() - others == published(5 * step),
            )
            .await;
        }
        drop(third);
        verifier.refresh(&servers[usize::from(step % 2 == 0)]).await;
    }
    stop.send_replace(true);
    let (mut count, mut kids) = (0, BTreeSet::new());
    for caller in callers {
        let (answered, signed_by) = caller.await.unwrap();
        assert!(answered > 0);
        count += answered;
        kids.extend(signed_by);
    }
    assert_eq!(kids.len(), 3, "one key an hour: {kids:?}");
    assert!(count > 500, "{count}");
}
