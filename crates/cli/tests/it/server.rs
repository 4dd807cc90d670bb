//! Hydra's commands against our own authorization server: the two sides of one wire.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use carnet_authserver::{AccessTokenStrategy, Authserver, Options, store};
use carnet_testkit::{FixedClock, SeededRandom};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::process::{Line, line};

/// A server on ports of its own; it ends when it is dropped.
struct Hydra {
    public: String,
    admin: String,
    _shutdown: DropGuard,
}

impl Hydra {
    async fn start() -> Self {
        let options = Options {
            issuer: "http://hydra.example:4444".to_owned(),
            access_token_strategy: AccessTokenStrategy::Jwt,
            pbkdf2_iterations: 10,
            ..Options::default()
        };
        let store = store::open("memory").await.unwrap();
        let clock = Arc::new(FixedClock::default());
        let random = Arc::new(SeededRandom::default());
        let server = Authserver::new(options, store, clock, random)
            .await
            .unwrap();
        let shutdown = CancellationToken::new();
        let (public, admin) = (listener(), listener());
        let hydra = Self {
            public: url(public.local_addr().unwrap()),
            admin: url(admin.local_addr().unwrap()),
            _shutdown: shutdown.clone().drop_guard(),
        };
        let (server, again) = (server.clone(), server);
        let until = shutdown.clone();
        tokio::spawn(async move { server.serve_public(public, until).await });
        tokio::spawn(async move { again.serve_admin(admin, shutdown).await });
        hydra
    }

    fn admin(&self, words: &str) -> Line {
        line(&format!("hydra {words}")).env("ORY_SDK_URL", &self.admin)
    }

    fn public(&self, words: &str) -> Line {
        line(&format!("hydra {words}")).env("ORY_SDK_URL", &self.public)
    }
}

fn listener() -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

async fn json_of(line: Line) -> Value {
    serde_json::from_str(&line.arg("--format=json").out().await).unwrap()
}

#[tokio::test]
async fn a_client_of_either_method_gets_a_token_that_can_be_revoked() {
    let hydra = Hydra::start().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let create = "create oauth2-client --name oauth-client --secret traefiklabs --grant-type \
                      client_credentials --audience https://traefik.io --token-endpoint-auth-method";
        let client = json_of(hydra.admin(create).arg(method)).await;
        assert_eq!(client["client_secret"], "traefiklabs");
        let id = client["client_id"].as_str().unwrap();
        let credentials = format!("--client-id {id} --client-secret traefiklabs");

        let perform = format!("perform client-credentials {credentials} --audience");
        let token = json_of(hydra.public(&perform).arg("https://traefik.io")).await;
        assert_eq!(token["token_type"], "bearer");
        let token = token["access_token"].as_str().unwrap();

        let introspect = format!("introspect token {token}");
        let known = json_of(hydra.admin(&introspect)).await;
        assert_eq!(known["active"], true);
        assert_eq!(known["client_id"], id);
        assert_eq!(known["aud"], json!(["https://traefik.io"]));

        let revoke = format!("revoke token {token} {credentials}");
        assert_eq!(
            hydra.public(&revoke).out().await,
            format!("ID\t{token}\t\n")
        );
        assert_eq!(
            json_of(hydra.admin(&introspect)).await,
            json!({"active": false})
        );

        let perform = format!("perform client-credentials --client-id {id} --client-secret wrong");
        let ended = hydra.public(&perform).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (1, ""));
        assert!(ended.err.contains("invalid_client"), "{}", ended.err);
    }
}

// Holds SE-04.
#[tokio::test]
async fn no_secret_has_to_be_on_a_command_line() {
    let hydra = Hydra::start().await;
    let file = json!({
        "client_secret": "canary-of-the-file", "grant_types": ["client_credentials"],
    });
    let create = hydra
        .admin("create client --id a --file -")
        .input(&file.to_string());
    create.out().await;
    let asked = [
        ("OAUTH2_CLIENT_ID", "a"),
        ("OAUTH2_CLIENT_SECRET", "canary-of-the-file"),
    ];
    let perform = asked.iter().fold(
        hydra.public("perform client-credentials"),
        |line, (name, value)| line.env(name, value),
    );
    let token = json_of(perform).await["access_token"].clone();
    assert!(token.is_string());
}

#[tokio::test]
async fn clients_are_listed_page_by_page_changed_and_deleted() {
    let hydra = Hydra::start().await;
    for id in ["a", "b", "c"] {
        hydra
            .admin("create client --secret traefiklabs --owner me -q --id")
            .arg(id)
            .out()
            .await;
    }
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let list = hydra
            .admin("list clients --page-size 2 --page-token")
            .arg(&token);
        let page = json_of(list).await;
        let items = page["items"].as_array().unwrap();
        ids.extend(
            items
                .iter()
                .map(|item| item["client_id"].as_str().unwrap().to_owned()),
        );
        page["next_page_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut token);
        assert_eq!(page["is_last_page"], token.is_empty());
        if token.is_empty() {
            break;
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "c"]);

    let changed = json_of(hydra.admin("update client a --name renamed")).await;
    assert_eq!(
        (&changed["client_name"], &changed["owner"]),
        (&json!("renamed"), &json!("me"))
    );
    assert_eq!(changed.get("client_secret"), None);
    assert_eq!(
        json_of(hydra.admin("get client a")).await["client_name"],
        "renamed"
    );

    let ended = hydra.admin("create client --id a").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    let ended = hydra.admin("delete clients a nobody b -q").run().await;
    assert_eq!((ended.code, ended.out.as_str()), (1, "a\nb\n"));
    assert_eq!(
        json_of(hydra.admin("list clients")).await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn keys_are_made_shown_and_deleted() {
    let hydra = Hydra::start().await;
    let made = json_of(hydra.admin("create jwks s k --alg ES256 --use sig")).await;
    assert_eq!(
        (&made["set"], &made["keys"][0]["kid"]),
        (&json!("s"), &json!("k"))
    );
    assert!(made["keys"][0]["d"].is_string());
    hydra.admin("create jwk s --alg RS256 --public").out().await;
    let public = json_of(hydra.admin("get jwks s --public")).await;
    let keys = public["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key.get("d").is_none()));
    assert_eq!(hydra.admin("delete jwks s").out().await, "ID\ts\t\n");
    assert_eq!(hydra.admin("get jwks s").run().await.code, 1);
}

#[tokio::test]
async fn the_tokens_of_a_client_are_deleted_at_once() {
    let hydra = Hydra::start().await;
    let create = "create client --id m2m --secret traefiklabs --grant-type client_credentials -q \
                  --access-token-strategy";
    hydra.admin(create).arg("opaque").out().await;
    let perform = "perform client-credentials --client-id m2m --client-secret traefiklabs -q";
    let token = hydra.public(perform).out().await;
    let introspect = hydra.admin("introspect token -q").arg(token.trim());
    assert_eq!(introspect.out().await, "true\n");
    assert_eq!(
        hydra.admin("delete access-tokens m2m").out().await,
        "ID\tm2m\t\n"
    );
    let introspect = hydra.admin("introspect token -q").arg(token.trim());
    assert_eq!(introspect.out().await, "false\n");
}
