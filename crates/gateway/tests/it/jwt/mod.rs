//! `jwt` over real sockets: a client with tokens of all kinds, the gateway, a server of keys and
//! a backend that remembers what it saw.

use std::sync::Arc;

use aws_lc_rs::hmac;
use carnet_jose::{Algorithm, JwkSet, PrivateKey, RsaBits, base64url, jws};
use carnet_testkit::client::{self, Response};
use carnet_testkit::server::Answer;
use carnet_testkit::{FixedClock, Server};
use serde_json::{Value, json};

use crate::stack::Stack;

mod attacks;
mod chains;
mod decisions;
mod keys;
mod nonces;
mod places;
mod proofs;
mod public_keys;
mod ways;

/// The time of day of the fixed clock.
pub(crate) const NOW: i64 = 1_795_694_400;

const HOST: &str = "api.test";

/// The gateway in front of a backend, with middlewares before it.
pub(crate) struct Door {
    pub(crate) gateway: Stack,
    pub(crate) backend: Server,
    pub(crate) clock: Arc<FixedClock>,
}

impl Door {
    /// With a `jwt` of these options, in YAML's flow style.
    pub(crate) async fn new(options: &str) -> Self {
        Self::behind(&[&format!("plugin: {{jwt: {{{options}}}}}")]).await
    }

    /// With these middlewares, the first first.
    pub(crate) async fn behind(middlewares: &[&str]) -> Self {
        let door = Self::closed().await;
        assert_eq!(door.offer(middlewares), "");
        door
    }

    pub(crate) async fn closed() -> Self {
        let backend = Server::start(|_| Answer::text(200, "served"));
        let clock = Arc::new(FixedClock::default());
        Self {
            gateway: Stack::start(clock.clone()),
            backend: backend.await.unwrap(),
            clock,
        }
    }

    /// Tells what is wrong with these middlewares.
    pub(crate) fn offer(&self, middlewares: &[&str]) -> String {
        let names: Vec<String> = (0..middlewares.len()).map(|n| format!("m{n}")).collect();
        let options = names.iter().zip(middlewares);
        let options: String = options
            .map(|(name, options)| format!("    {name}: {{{options}}}\n"))
            .collect();
        self.gateway.offer(&format!(
            "http:\n  routers:\n    api: {{rule: 'Host(`{HOST}`)', service: api, middlewares: \
             [{}]}}\n  services:\n    api: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n  \
             middlewares:\n{options}",
            names.join(", "),
            self.backend.url("")
        ))
    }

    pub(crate) async fn get(&self, fields: &[&str]) -> Response {
        client::get(self.gateway.address, HOST, fields)
            .await
            .unwrap()
    }

    /// A request with a bearer token.
    pub(crate) async fn with(&self, token: &str) -> Response {
        self.get(&[&bearer(token)]).await
    }

    /// Bytes as they are.
    pub(crate) async fn send(&self, request: &str) -> Response {
        client::send(self.gateway.address, request.as_bytes())
            .await
            .unwrap()
    }

    /// What the backend saw of a field in the last request.
    pub(crate) fn seen(&self, field: &str) -> Vec<String> {
        let seen = self.backend.seen();
        let fields = seen.last().unwrap().headers.all(field);
        fields.into_iter().map(str::to_owned).collect()
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

pub(crate) fn challenge(response: &Response) -> Option<&str> {
    response.headers.only("www-authenticate")
}

pub(crate) fn key(algorithm: Algorithm, kid: &str) -> PrivateKey {
    PrivateKey::generate(algorithm, RsaBits::B2048, kid).unwrap()
}

/// A token with this header.
pub(crate) fn signed_as(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    jws::sign_compact(key, &header.to_string(), claims.to_string().as_bytes()).unwrap()
}

/// A token as authorization servers sign them.
pub(crate) fn signed(key: &PrivateKey, claims: &Value) -> String {
    let algorithm = key.public_jwk().algorithm().unwrap().name();
    signed_as(key, &json!({"alg": algorithm, "kid": key.kid()}), claims)
}

/// A token that a shared secret signs.
pub(crate) fn shared(secret: &[u8], algorithm: &str, claims: &Value) -> String {
    let kind = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let header = base64url::encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
    let signed = format!("{header}.{}", base64url::encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(kind, secret), signed.as_bytes());
    format!("{signed}.{}", base64url::encode(tag))
}

/// A set of public keys.
pub(crate) fn set(keys: &[&PrivateKey]) -> Value {
    let keys = keys.iter().map(|key| key.public_jwk().clone()).collect();
    Value::Object(JwkSet::new(keys).to_object())
}

/// The option `jwksFile` with the set itself.
pub(crate) fn inline(keys: &[&PrivateKey]) -> String {
    format!("jwksFile: '{}'", set(keys))
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://as.test", "aud": ["https://api.test"], "sub": "alice", "grp": "admin",
        "exp": NOW + 60, "iat": NOW, "nbf": NOW,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}
