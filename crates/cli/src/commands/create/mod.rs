//! `create`: what is made anew, a file for each noun.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Create, CreateNoun};
use crate::process::Process;

mod jwk;
mod oauth2_client;

/// Runs the command of the noun.
pub(super) async fn run(args: Create, called: Called, process: &Process) -> u8 {
    let Create { api, noun } = args;
    match noun {
        None => super::help(Some("create"), called, process),
        Some(CreateNoun::Oauth2Client(args)) => {
            super::brief(oauth2_client::run(*args, &api, process), process).await
        }
        Some(CreateNoun::Jwk(args)) => super::brief(jwk::run(args, &api, process), process).await,
    }
}
