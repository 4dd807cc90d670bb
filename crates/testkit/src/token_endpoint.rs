//! The answers of a token endpoint, for [`Server::start`](crate::Server::start): that of a strict
//! server with registered clients, and those of servers in trouble.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use carnet_oauth::client_auth::{Basic, Credentials, Method};
use carnet_oauth::{form, token_request::TokenRequest};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::server::{Answer, Request};

/// A registered client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: &'static str,
    /// Its secret.
    pub secret: &'static str,
    /// The one method it may use.
    pub method: Method,
}

/// A token answer.
#[must_use]
pub fn granted(access_token: &str, expires_in: Option<i64>) -> Answer {
    let mut body = json!({"access_token": access_token, "scope": "", "token_type": "bearer"});
    if let Some(seconds) = expires_in {
        body["expires_in"] = json!(seconds);
    }
    Answer::json(200, &body)
}

/// An error answer (RFC 6749, section 5.2).
#[must_use]
pub fn refused(status: u16, error: &str) -> Answer {
    let body = json!({"error": error, "error_description": "The description of the server."});
    Answer::json(status, &body)
}

/// A JWT with these claims and a signature that nobody made.
#[must_use]
pub fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(claims))
}

/// How a call shows its client: the method and what it shows; `None` when it does so in no way or
/// in two.
#[must_use]
pub fn credentials(call: &Request) -> Option<(Method, Credentials)> {
    let body = TokenRequest::from_parameters(form::parse(&call.body)).ok()?;
    let basic = call
        .headers
        .only("authorization")
        .and_then(|value| Basic::parse(value.as_bytes()));
    match (basic, body.client_id, body.client_secret) {
        (Some(mut basic), None, None) => Some((Method::Basic, basic.readings.swap_remove(0))),
        (None, Some(id), Some(secret)) => Some((Method::Post, Credentials { id, secret })),
        _ => None,
    }
}

/// Answers as a server that knows these clients and holds each to its method: with a JWT about
/// the client that says so for an hour, or with `invalid_client`. The number of the token is in
/// `jti`.
pub fn registered(clients: Vec<Client>) -> impl Fn(&Request) -> Answer + Send + Sync {
    let number = AtomicUsize::new(0);
    move |call| {
        let known = credentials(call).and_then(|(method, shown)| {
            clients.iter().find(|client| {
                client.id == shown.id
                    && client.secret == shown.secret.expose_secret()
                    && client.method == method
            })
        });
        let Some(client) = known else {
            return refused(401, "invalid_client");
        };
        let number = number.fetch_add(1, Ordering::Relaxed);
        let claims = json!({
            "client_id": client.id, "jti": number.to_string(), "scp": [], "sub": client.id,
        });
        granted(&jwt(&claims), Some(3600))
    }
}

/// Gives these answers one after the other, the last one for ever; without any it hangs.
pub fn in_turn(answers: Vec<Answer>) -> impl Fn(&Request) -> Answer + Send + Sync {
    let number = AtomicUsize::new(0);
    move |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let answer = answers.get(number).or(answers.last());
        answer.cloned().unwrap_or(Answer::Hang)
    }
}
