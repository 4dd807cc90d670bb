//! A scene of the tutorial, played through real sockets: one request, and what whoami saw of it.

use std::net::SocketAddr;

use carnet_jose::{JwkSet, jwk, jws, jwt};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::output::Failure;

/// Credentials of a caller.
#[derive(Debug)]
pub(super) struct Caller {
    /// The client's id.
    pub(super) id: String,
    /// The client's secret.
    pub(super) secret: String,
}

/// What a scene showed.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    /// What the scene is about.
    pub(super) scene: &'static str,
    /// whoami's answer, verbatim.
    pub(super) answer: String,
    /// The token's header.
    pub(super) header: Map<String, Value>,
    /// The token's claims.
    pub(super) claims: Map<String, Value>,
    /// The key that verifies the token.
    pub(super) kid: String,
}

/// Asks the gateway at `gateway` for `host`, and checks the token that arrived with the keys at
/// `authorization_server`.
pub(super) async fn play(
    scene: &'static str,
    request: reqwest::RequestBuilder,
    keys: &JwkSet,
) -> Result<Played, Failure> {
    let answer = fetch(scene, request).await?;
    let token = bearer(&answer)
        .ok_or_else(|| Failure::new(format!("{scene}: whoami saw no Bearer token:\n{answer}")))?;
    let verified = jws::verify(token, keys)
        .map_err(|error| Failure::new(format!("{scene}: the token's signature: {error}")))?;
    let claims = jwt::claims(&verified.payload)
        .map_err(|error| Failure::new(format!("{scene}: the token's claims: {error}")))?;
    let kid = verified.header.get("kid").and_then(Value::as_str);
    Ok(Played {
        scene,
        kid: kid.unwrap_or_default().to_owned(),
        header: verified.header,
        claims,
        answer,
    })
}

/// The body of an answer 200; anything else is a failure that shows it.
pub(super) async fn fetch(what: &str, request: reqwest::RequestBuilder) -> Result<String, Failure> {
    let unanswered = |error| Failure::new(format!("{what}: no answer: {error}"));
    let response = request.send().await.map_err(unanswered)?;
    let status = response.status();
    let body = response.text().await.map_err(unanswered)?;
    if status == reqwest::StatusCode::OK {
        Ok(body)
    } else {
        Err(Failure::new(format!("{what}: answered {status}: {body}")))
    }
}

/// The keys of the authorization server at an address.
pub(super) async fn keys(client: &reqwest::Client, server: SocketAddr) -> Result<JwkSet, Failure> {
    let url = format!("http://{server}/.well-known/jwks.json");
    let body = fetch("the keys of the authorization server", client.get(url)).await?;
    jwk::JwkSet::from_json(body.as_bytes())
        .map_err(|error| Failure::new(format!("the keys of the authorization server: {error}")))
}

/// The token of the `Authorization` line that whoami printed.
fn bearer(answer: &str) -> Option<&str> {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: Bearer "))
        .map(str::trim_end)
}

impl Played {
    /// The scene as text for people.
    pub(super) fn to_text(&self) -> String {
        let pretty =
            |object: &Map<String, Value>| serde_json::to_string_pretty(object).unwrap_or_default();
        format!(
            "{}\n\n{}\n{}\n{}\nsignature: valid (kid {})\n",
            self.scene,
            self.answer.trim_end(),
            pretty(&self.header),
            pretty(&self.claims),
            self.kid
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_taken_from_whoamis_line() {
        let answer = "Host: a\r\nAuthorization: Bearer a.b.c\r\nSub: x\r\n";
        assert_eq!(bearer(answer), Some("a.b.c"));
        assert_eq!(bearer("Authorization: Basic x\r\n"), None);
    }
}
