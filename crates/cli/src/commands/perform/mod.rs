//! `perform`: the OAuth 2.0 flows, from the side of the client.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use carnet_oauth::client_auth::Credentials;

use crate::api::{self, Answer, Api, Unanswered};
use crate::args::{Called, Perform, PerformNoun};
use crate::output::Failure;
use crate::process::Process;

mod authorization_code;
mod callback;
mod client_credentials;
mod device_code;
mod token;

/// Runs the command of the noun.
pub(super) async fn run(args: Perform, called: Called, process: &Process) -> u8 {
    let Perform { api, noun } = args;
    match noun {
        None => super::help(Some("perform"), called, process),
        Some(PerformNoun::AuthorizationCode(args)) => {
            super::brief(authorization_code::run(*args, &api, process), process).await
        }
        Some(PerformNoun::ClientCredentials(args)) => {
            super::brief(client_credentials::run(args, &api, process), process).await
        }
        Some(PerformNoun::DeviceCode(args)) => {
            super::brief(device_code::run(args, &api, process), process).await
        }
    }
}

/// An endpoint that a client asks.
struct Endpoint {
    api: Api,
    path: &'static [&'static str],
}

impl Endpoint {
    const TOKEN: &[&str] = &["oauth2", "token"];
    const DEVICE: &[&str] = &["oauth2", "device", "auth"];

    /// That of the server, unless a flag names another one.
    fn new(api: &Api, path: &'static [&'static str], named: Option<&str>) -> Result<Self, Failure> {
        Ok(match named {
            None => Self {
                api: api.clone(),
                path,
            },
            Some(address) => Self {
                api: api.elsewhere(address)?,
                path: &[],
            },
        })
    }

    /// Posts what is not empty in the name of a client.
    async fn post(
        &self,
        pairs: &[(&str, &str)],
        client: &Credentials,
    ) -> Result<Answer, Unanswered> {
        let mut pairs = pairs.to_vec();
        pairs.retain(|(_, value)| !value.is_empty());
        api::post_as_client(&self.api, self.path, &pairs, client).await
    }
}
