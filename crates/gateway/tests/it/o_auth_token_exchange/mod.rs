//! `oAuthTokenExchange` over real sockets: callers with tokens, the gateway, a server that gives others
//! in their place, and a backend that remembers what it saw.

use std::collections::BTreeMap;

use carnet_oauth::form;
use carnet_oauth::token_type::ACCESS_TOKEN;
use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use serde_json::json;

use crate::jwt::Door;

mod asking;
mod chains;
mod decisions;
mod secrecy;
mod sharing;

/// One attempt: what is tested are the outcomes.
const ONCE: &str = "clientConfig: {maxRetries: 0, timeoutSeconds: 1}";

/// The gateway before a backend, exchanging at this server.
async fn door(server: &Server, options: &str) -> Door {
    Door::behind(&[&exchange(server, options)]).await
}

fn exchange(server: &Server, options: &str) -> String {
    let url = server.url("/oauth2/token");
    let own = "clientID: gw, clientSecret: gateways-own";
    format!("plugin: {{oAuthTokenExchange: {{url: '{url}', {own}, {options}}}}}")
}

/// The fields of a call.
fn fields(call: &Request) -> BTreeMap<String, String> {
    form::parse(&call.body).into_iter().collect()
}

/// The token that a call is about.
fn subject(call: &Request) -> String {
    let mut fields = fields(call);
    let subject = fields
        .remove("subject_token")
        .or(fields.remove("assertion"));
    subject.unwrap()
}

/// The answer that gives a token in the place of another one.
fn given(token: &str) -> Answer {
    Answer::json(
        200,
        &json!({
            "access_token": token, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
            "expires_in": 300,
        }),
    )
}

/// Gives `for-SUBJECT` in the place of each.
async fn changer() -> Server {
    let server = Server::start(|call| given(&format!("for-{}", subject(call))));
    server.await.unwrap()
}
