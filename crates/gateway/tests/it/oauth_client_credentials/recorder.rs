//! What must hold of every request that reached a backend in any of these tests, and of everything
//! that the gateway wrote meanwhile, whatever else a test looks at.

use std::sync::Mutex;
use std::thread;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use carnet_oauth::client_auth::Basic;
use carnet_testkit::server::Request;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::Room;

/// Texts that are shorter may be found by chance.
const TELLING: usize = 6;

/// What callers showed.
#[derive(Default)]
pub(super) struct Recorder {
    /// Credentials as they were sent, and the secrets in them.
    shown: Mutex<Vec<String>>,
}

impl Recorder {
    /// Remembers what the fields of a request show; gives the client they name, if they name one.
    pub(super) fn note(&self, fields: &[&str]) -> Option<String> {
        let values = fields
            .iter()
            .filter_map(|field| field.strip_prefix("Authorization: "));
        let values: Vec<&str> = values.collect();
        let mut shown = self.shown.lock().unwrap();
        let mut named = Vec::new();
        for value in &values {
            shown.extend(value.strip_prefix("Basic ").map(str::to_owned));
            for reading in Basic::parse(value.as_bytes())
                .into_iter()
                .flat_map(|b| b.readings)
            {
                shown.push(reading.secret.expose_secret().to_owned());
                named.push(reading.id);
            }
        }
        shown.retain(|text| text.len() >= TELLING);
        let (1, [one, ..]) = (values.len(), &named[..]) else {
            return None;
        };
        Some(one.clone()).filter(|one| one.is_ascii() && !one.contains(char::is_control))
    }

    fn check(&self, room: &Room) {
        let secrets = self.shown.lock().unwrap();
        let mut tokens = Vec::new();
        for seen in room.backend.seen() {
            let token = one_token(&seen);
            check_identity(&seen, &token);
            for secret in secrets.iter() {
                let leaks = |(name, value): &(String, String)| {
                    name != "Authorization" && value.contains(secret.as_str())
                };
                assert!(!seen.headers.0.iter().any(leaks), "{secret}: {seen:?}");
                assert!(!token.contains(secret.as_str()), "{secret}: {seen:?}");
            }
            tokens.extend(Some(token).filter(|token| token.len() >= TELLING));
        }
        let log = room.gateway.access_log().join("\n");
        let written = format!("{log}\n{:?}", room.gateway.cached());
        for secret in secrets.iter().chain(&tokens) {
            assert!(!written.contains(secret.as_str()), "{secret}: {written}");
        }
    }
}

/// The token of a request, which brings one and nothing else.
fn one_token(seen: &Request) -> String {
    let [value] = seen.headers.all("authorization")[..] else {
        panic!("one Authorization: {seen:?}");
    };
    let token = value.strip_prefix("Bearer ").unwrap().to_owned();
    assert!(!token.is_empty());
    token
}

/// A token that says whose it is, is its caller's.
fn check_identity(seen: &Request, token: &str) {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    let whose = (claims["client_id"].as_str(), seen.headers.only("x-caller"));
    if let (Some(client), Some(caller)) = whose {
        assert_eq!(client, caller, "{seen:?}");
    }
}

// Holds HI-12, SE-05: in every test of this folder.
impl Drop for Room {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.recorder.check(self);
        }
    }
}
