//! Several servers on one database, over HTTP: what is done at one is seen at the other within a
//! second.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use carnet_authserver::{Authserver, Options, store};
use carnet_testkit::postgres::Cluster;
use carnet_testkit::{FixedClock, SeededRandom};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::server::tutorial;

/// A server on ports of its own; it ends when it is dropped.
pub(crate) struct Served {
    pub(crate) public: String,
    pub(crate) admin: String,
    pub(crate) http: reqwest::Client,
    _shutdown: DropGuard,
}

impl Served {
    /// The seed makes its ids and keys; two servers have two.
    pub(crate) async fn start(dsn: &str, options: Options, seed: u64) -> Self {
        Self::at(Arc::new(FixedClock::default()), dsn, options, seed).await
    }

    pub(crate) async fn at(clock: Arc<FixedClock>, dsn: &str, options: Options, seed: u64) -> Self {
        let store = store::open(dsn).await.unwrap();
        let random = Arc::new(SeededRandom::new(seed));
        let server = Authserver::new(options, store, clock, random);
        let server = server.await.unwrap();
        let shutdown = CancellationToken::new();
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [public, admin] = ports
            .each_ref()
            .map(|port| format!("http://{}", port.local_addr().unwrap()));
        let [first, second] = ports;
        let (servers, until) = ((server.clone(), server), shutdown.clone());
        let also_until = until.clone();
        tokio::spawn(async move { servers.0.serve_public(first, until).await });
        tokio::spawn(async move { servers.1.serve_admin(second, also_until).await });
        Self {
            public,
            admin,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _shutdown: shutdown.drop_guard(),
        }
    }

    pub(crate) async fn admin(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let url = format!("{}/admin/{path}", self.admin);
        let request = self.http.request(method.parse().unwrap(), url);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Asks for a token: its status, and it.
    pub(crate) async fn token(&self, id: &str, secret: &str) -> (StatusCode, String) {
        let request = self
            .http
            .post(format!("{}/oauth2/token", self.public))
            .basic_auth(id, Some(secret))
            .form(&[("grant_type", "client_credentials")]);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let json: Value = answer.json().await.unwrap();
        let token = json["access_token"].as_str().unwrap_or_default();
        (status, token.to_owned())
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let url = format!("{}/admin/oauth2/introspect", self.admin);
        let request = self.http.post(url).form(&[("token", token)]);
        let json: Value = request.send().await.unwrap().json().await.unwrap();
        json["active"] == true
    }

    /// The names of the published keys, the newest first.
    pub(crate) async fn kids(&self) -> Vec<String> {
        let url = format!("{}/.well-known/jwks.json", self.public);
        let json: Value = self
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let keys = json["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Registers a client with a chosen secret.
pub(crate) async fn register(server: &Served, secret: &str) -> String {
    let client = json!({"grant_types": ["client_credentials"], "client_secret": secret});
    let (status, client) = server.admin("POST", "clients", client).await;
    assert_eq!(status, StatusCode::CREATED, "{client}");
    client["client_id"].as_str().unwrap().to_owned()
}

/// Waits for what must be there within a second; longer where a machine is busy with other tests.
pub(crate) async fn soon(what: &str, mut is_there: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    let waited = timeout(Duration::from_secs(10), async {
        while !is_there().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(
        waited.await.is_ok(),
        "{what}: not within {:?}",
        began.elapsed()
    );
}

/// Two servers on a database of each kind.
async fn pairs(folder: &std::path::Path) -> Vec<(Served, Served)> {
    let file = format!("sqlite://{}", folder.join("db.sqlite").display());
    let postgres = Cluster::shared().unwrap().database().unwrap();
    let mut pairs = Vec::new();
    for dsn in [file, format!("{postgres}&max_conns=4")] {
        store::migrate(&dsn).await.unwrap();
        let one = Served::start(&dsn, tutorial(), 1).await;
        one.kids().await;
        let other = Served::start(&dsn, tutorial(), 2).await;
        pairs.push((one, other));
    }
    pairs
}

// Holds OP-12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_made_changed_and_deleted_at_one_is_so_at_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for (one, other) in pairs(folder.path()).await {
        let id = register(&one, "first-secret").await;
        let works = async |secret: &str| other.token(&id, secret).await.0 == StatusCode::OK;
        soon("the new client", async || works("first-secret").await).await;
        let changed =
            json!({"grant_types": ["client_credentials"], "client_secret": "second-secret"});
        one.admin("PUT", &format!("clients/{id}"), changed).await;
        soon("the new secret", async || works("second-secret").await).await;
        soon("the end of the old one", async || {
            !works("first-secret").await
        })
        .await;
        let path = format!("clients/{id}/secrets/rotate");
        let (_, rotated) = one.admin("POST", &path, Value::Null).await;
        let third = rotated["client_secret"].as_str().unwrap();
        soon("the rotated secret", async || works(third).await).await;
        assert!(works("second-secret").await, "the old one goes on working");
        one.admin("DELETE", &format!("clients/{id}"), Value::Null)
            .await;
        soon("the end of the client", async || !works(third).await).await;
    }
}

// Holds OP-12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_made_or_deleted_at_one_is_so_at_the_other() {
    const SET: &str = "keys/hydra.jwt.access-token";
    let folder = tempfile::tempdir().unwrap();
    for (one, other) in pairs(folder.path()).await {
        let id = register(&one, "a-secret").await;
        let (_, old) = one.token(&id, "a-secret").await;
        soon("a token", async || {
            other.token(&id, "a-secret").await.0 == 200
        })
        .await;
        let key = json!({"alg": "ES256", "use": "sig", "kid": "made-at-one"});
        let (status, _) = one.admin("POST", SET, key).await;
        assert_eq!(status, StatusCode::CREATED);
        let knows = async || other.kids().await.contains(&"made-at-one".to_owned());
        soon("the new key", knows).await;
        let (_, new) = other.token(&id, "a-secret").await;
        for server in [&one, &other] {
            assert!(server.is_active(&old).await && server.is_active(&new).await);
        }
        let path = format!("{SET}/made-at-one");
        one.admin("DELETE", &path, Value::Null).await;
        soon("the end of the key", async || !knows().await).await;
        assert!(!other.is_active(&new).await);
    }
}

// Holds OP-12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_at_one_is_so_at_the_other() {
    let folder = tempfile::tempdir().unwrap();
    for (one, other) in pairs(folder.path()).await {
        let id = register(&one, "a-secret").await;
        soon("a token", async || {
            other.token(&id, "a-secret").await.0 == 200
        })
        .await;
        let (_, token) = other.token(&id, "a-secret").await;
        let (_, second) = other.token(&id, "a-secret").await;
        assert!(one.is_active(&token).await);
        let revoked = one
            .http
            .post(format!("{}/oauth2/revoke", one.public))
            .basic_auth(&id, Some("a-secret"))
            .form(&[("token", &token)]);
        assert_eq!(revoked.send().await.unwrap().status(), StatusCode::OK);
        soon("the revocation", async || !other.is_active(&token).await).await;
        assert!(other.is_active(&second).await);
        let path = format!("oauth2/tokens?client_id={id}");
        one.admin("DELETE", &path, Value::Null).await;
        soon("the revocation of all", async || {
            !other.is_active(&second).await
        })
        .await;
    }
}
