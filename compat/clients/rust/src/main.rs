//! Gets a token with the `oauth2` crate for each client of a plan.

use std::{error::Error, io};

use oauth2::{
    AuthType, ClientId, ClientSecret, RequestTokenError, Scope, TokenResponse as _, TokenUrl,
    basic::BasicClient,
    reqwest::{blocking::Client as HttpClient, redirect::Policy},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Plan {
    token_url: String,
    audience: String,
    scope: String,
    clients: Vec<Client>,
}

#[derive(Deserialize)]
struct Client {
    name: String,
    method: String,
    id: String,
    secret: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan: Plan = serde_json::from_reader(io::stdin())?;
    let http = HttpClient::builder().redirect(Policy::none()).build()?;
    for client in &plan.clients {
        println!("{}", attempt(&http, &plan, client)?);
    }
    Ok(())
}

fn attempt(http: &HttpClient, plan: &Plan, client: &Client) -> Result<Value, Box<dyn Error>> {
    let method = match client.method.as_str() {
        "client_secret_basic" => AuthType::BasicAuth,
        _ => AuthType::RequestBody,
    };
    let answer = BasicClient::new(ClientId::new(client.id.clone()))
        .set_client_secret(ClientSecret::new(client.secret.clone()))
        .set_auth_type(method)
        .set_token_uri(TokenUrl::new(plan.token_url.clone())?)
        .exchange_client_credentials()
        .add_scope(Scope::new(plan.scope.clone()))
        .add_extra_param("audience", &plan.audience)
        .request(http);
    let name = &client.name;
    match answer {
        Ok(token) => Ok(json!({"name": name, "token": token.access_token().secret()})),
        Err(RequestTokenError::ServerResponse(refusal)) => {
            Ok(json!({"name": name, "error": refusal.error().to_string()}))
        }
        Err(error) => Err(error.into()),
    }
}
