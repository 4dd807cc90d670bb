//! Flows for people: a browser, the applications beside it, and the client behind it.

mod challenges;
mod codes;
mod cookies;
mod devices;
mod hooks;
mod jwt_bearer;
mod logins;
mod logout;
mod openid;
mod pushed;
mod refresh;
mod registration;
mod requests;
mod resources;
mod subjects;
mod token_exchange;

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use carnet_authserver::{Options, People};
use serde_json::{Value, json};

use super::{Answer, Room, send, tutorial};

/// Where the client of the tests is told something.
const CALLBACK: &str = "https://app.example/callback";

/// The challenge of [`VERIFIER`].
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// That of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A server with applications for login and consent that are played by the tests.
fn options() -> Options {
    let page = |name: &str| Some(format!("http://consent.docker.localhost/{name}"));
    Options {
        is_trial: true,
        people: People {
            login_url: page("login"),
            consent_url: page("consent"),
            logout_url: page("logout"),
            ..People::default()
        },
        ..tutorial()
    }
}

/// A browser: what it keeps, and where it stands.
#[derive(Debug, Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Opens a page of the server.
    async fn open(&mut self, room: &Room, address: &str) -> Answer {
        let path = address.trim_start_matches("http://hydra.docker.localhost");
        let pairs = self.cookies.iter();
        let cookies: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::get(path)
            .header("cookie", cookies.join("; "))
            .body(Body::empty())
            .unwrap();
        let answer = send(room.server.public_router(), request).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(line.contains("; HttpOnly"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match line.contains("Max-Age=0") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        answer
    }
}

impl Answer {
    /// Where the browser is sent.
    fn location(&self) -> &str {
        let missing = || panic!("{} {}", self.status, self.text);
        self.header("location").unwrap_or_else(missing)
    }

    /// A parameter of that address.
    fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// The client of the tests.
async fn web(room: &Room, changes: Value) -> String {
    let mut client = json!({
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid offline read",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": ["https://app.example/bye"],
    });
    let members = client.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    room.create(client).await
}

/// The address at which a client begins.
fn begin(id: &str, more: &str) -> String {
    format!(
        "/oauth2/auth?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2F\
         callback&scope=openid+offline+read&state=0123456789{more}"
    )
}

/// What an application says.
async fn say(room: &Room, flow: &str, verb: &str, challenge: &str, body: Value) -> Answer {
    let path = format!("/admin/oauth2/auth/requests/{flow}/{verb}?{flow}_challenge={challenge}");
    room.admin(Method::PUT, &path, body).await
}

/// The same, with where it sends the browser.
async fn sent(room: &Room, flow: &str, verb: &str, challenge: &str, body: Value) -> String {
    let answer = say(room, flow, verb, challenge, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["redirect_to"].as_str().unwrap().to_owned()
}

/// Logs alice in and gives the challenge of the consent.
async fn log_in(room: &Room, browser: &mut Browser, begun: &Answer, login: Value) -> String {
    let challenge = begun.parameter("login_challenge").unwrap();
    let back = sent(room, "login", "accept", &challenge, login).await;
    let answer = browser.open(room, &back).await;
    answer.parameter("consent_challenge").unwrap()
}

/// The whole way of a browser to a code.
async fn code(room: &Room, browser: &mut Browser, id: &str, more: &str) -> String {
    let begun = browser.open(room, &begin(id, more)).await;
    let login = json!({"subject": "alice", "remember": true, "remember_for": 3600});
    let challenge = log_in(room, browser, &begun, login).await;
    let consent = json!({
        "grant_scope": ["openid", "offline", "read"],
        "session": {"access_token": {"role": "admin"}, "id_token": {"email": "alice@example"}},
    });
    let back = sent(room, "consent", "accept", &challenge, consent).await;
    let answer = browser.open(room, &back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(
        answer.location().starts_with(CALLBACK),
        "{}",
        answer.location()
    );
    assert_eq!(answer.parameter("state").as_deref(), Some("0123456789"));
    // RFC 9207: who answers, byte for byte as in the metadata.
    assert_eq!(answer.parameter("iss"), Some(tutorial().issuer));
    answer.parameter("code").unwrap()
}

/// The tokens of a code.
async fn exchange(room: &Room, id: &str, code: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2F\
         callback{more}"
    );
    room.basic_form(id, &form).await
}

/// All of it: the tokens of a person.
async fn tokens(room: &Room, browser: &mut Browser, id: &str) -> Value {
    let code = code(room, browser, id, "").await;
    let answer = exchange(room, id, &code, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    let decoded = carnet_jose::jws::decode_unverified(token).unwrap();
    serde_json::from_slice(&decoded.payload).unwrap()
}

/// Why a client got nothing.
fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert_eq!(answer.json()["error"], error, "{}", answer.text);
}
