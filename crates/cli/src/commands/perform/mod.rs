//! `perform`: the OAuth 2.0 flows, from the side of the client.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Perform, PerformNoun};
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
