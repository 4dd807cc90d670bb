//! `oidc` over real sockets: a browser with its cookies, the gateway, a provider that does what it is
//! told, and a backend that remembers what it saw.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use carnet_jose::{Algorithm, PrivateKey};
use carnet_oauth::form;
use carnet_testkit::Server;
use carnet_testkit::client::{self, Response};
use carnet_testkit::server::{Answer, Request};
use serde_json::{Value, json};

use crate::jwt::{Door, NOW, key, set, signed};

mod backchannel;
mod hostile;
mod logins;
mod machines;
mod page;
mod refusals;
mod renewals;
mod requests;

const HOST: &str = "api.test";

/// Options that most tests have, in YAML's flow style.
const USUAL: &str = "clientID: gateway, clientSecret: 0123456789abcdef0123456789abcdef, redirectUrl: \
                     /callback, logoutUrl: /logout";

/// A provider; what it does may be changed while it runs.
struct Provider {
    server: Server,
    told: Arc<Mutex<Told>>,
}

/// What the provider does.
struct Told {
    key: PrivateKey,
    /// Claims in the place of the usual ones; null: without.
    claims: Value,
    nonce: String,
    /// Status of the token endpoint.
    status: u16,
    /// In the place of a token that was signed.
    id_token: Option<String>,
    /// More of the metadata.
    metadata: Value,
    /// More of the answers of the token endpoint.
    tokens: Value,
    /// How often tokens were given.
    given: usize,
}

impl Told {
    fn id_token(&self, issuer: &str) -> String {
        let mut claims = json!({
            "iss": issuer, "aud": "gateway", "sub": "alice", "nonce": self.nonce,
            "iat": NOW, "exp": NOW + 3600, "grp": "admin",
        });
        merge(&mut claims, &self.claims);
        signed(&self.key, &claims)
    }

    fn tokens(&mut self, issuer: &str) -> Answer {
        self.given += 1;
        let id_token = self.id_token.clone();
        let id_token = id_token.unwrap_or_else(|| self.id_token(issuer));
        let mut body = json!({
            "access_token": format!("access-{}", self.given), "token_type": "bearer",
            "expires_in": 300, "refresh_token": format!("refresh-{}", self.given),
            "id_token": id_token,
        });
        merge(&mut body, &self.tokens);
        match self.status {
            200 => Answer::json(200, &body),
            status => Answer::json(status, &json!({"error": "invalid_grant"})),
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let issuer = format!("http://{}", request.headers.only("host").unwrap());
        match &*request.target {
            "/.well-known/openid-configuration" => {
                let mut metadata = json!({
                    "issuer": issuer, "jwks_uri": format!("{issuer}/keys"),
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "end_session_endpoint": format!("{issuer}/end"),
                });
                merge(&mut metadata, &self.metadata);
                Answer::json(200, &metadata)
            }
            "/keys" => Answer::json(200, &set(&[&self.key])),
            "/token" => self.tokens(&issuer),
            _ => Answer::text(404, ""),
        }
    }
}

fn merge(into: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(into.as_object_mut().unwrap().remove(name)),
            value => into[name] = value.clone(),
        }
    }
}

impl Provider {
    async fn start() -> Self {
        let told = Arc::new(Mutex::new(Told {
            key: key(Algorithm::Es256, "k"),
            claims: json!({}),
            nonce: String::new(),
            status: 200,
            id_token: None,
            metadata: json!({}),
            tokens: json!({}),
            given: 0,
        }));
        let does = Arc::clone(&told);
        let server = Server::start(move |request| does.lock().unwrap().answer(request));
        Self {
            server: server.await.unwrap(),
            told,
        }
    }

    fn tell(&self, tell: impl FnOnce(&mut Told)) {
        tell(&mut self.told.lock().unwrap());
    }

    /// The forms that its token endpoint got.
    fn forms(&self) -> Vec<BTreeMap<String, String>> {
        let seen = self.server.seen().into_iter();
        let calls = seen.filter(|request| request.target == "/token");
        calls
            .map(|request| form::parse(&request.body).into_iter().collect())
            .collect()
    }
}

/// The provider, and the gateway before a backend.
struct World {
    provider: Provider,
    door: Door,
}

impl World {
    /// With more options than the usual ones, in YAML's flow style.
    async fn new(options: &str) -> Self {
        let provider = Provider::start().await;
        let issuer = provider.server.url("");
        let oidc = format!("plugin: {{oidc: {{issuer: '{issuer}', {USUAL}{options}}}}}");
        let door = Door::behind(&[&oidc]).await;
        Self { provider, door }
    }

    fn browser(&self) -> Browser<'_> {
        Browser {
            world: self,
            cookies: BTreeMap::new(),
        }
    }

    /// A browser whose person is logged in.
    async fn logged_in(&self) -> Browser<'_> {
        let mut browser = self.browser();
        let asked = browser.begin("/").await;
        let response = browser.come_back(&asked).await;
        assert_eq!(response.status, 302, "{}", response.text());
        browser
    }
}

/// What a provider was asked in the address of a browser.
type Asked = BTreeMap<String, String>;

/// A browser.
#[derive(Clone)]
struct Browser<'a> {
    world: &'a World,
    cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    /// Asks for a path, as for a page.
    async fn get(&mut self, path: &str) -> Response {
        self.ask("GET", path, &["Accept: text/html"]).await
    }

    async fn ask(&mut self, method: &str, path: &str, fields: &[&str]) -> Response {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n");
        if !cookies.is_empty() {
            request += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        for field in fields {
            request += &format!("{field}\r\n");
        }
        request += "\r\n";
        let address = self.world.door.gateway.address;
        let response = client::send(address, request.as_bytes()).await.unwrap();
        for field in response.headers.all("set-cookie") {
            let (pair, attributes) = field.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        response
    }

    /// Is sent to log in.
    async fn begin(&mut self, path: &str) -> Asked {
        let response = self.get(path).await;
        assert_eq!(response.status, 302, "{}", response.text());
        asked(&response)
    }

    /// Comes back from the provider with a code.
    async fn come_back(&mut self, asked: &Asked) -> Response {
        let nonce = asked["nonce"].clone();
        self.world.provider.tell(|told| told.nonce = nonce);
        self.get(&format!("/callback?code=c0de&state={}", asked["state"]))
            .await
    }

    /// The names of its cookies.
    fn names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }
}

fn location(response: &Response) -> &str {
    response.headers.only("location").unwrap()
}

fn asked(response: &Response) -> Asked {
    let (_, query) = location(response).split_once('?').unwrap();
    form::parse(query.as_bytes()).into_iter().collect()
}
