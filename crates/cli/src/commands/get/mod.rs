//! `get`: what has an id, a file for each noun.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Get, GetNoun};
use crate::process::Process;

mod jwk;
mod oauth2_client;

/// Runs the command of the noun.
pub(super) async fn run(args: Get, called: Called, process: &Process) -> u8 {
    let Get { api, noun } = args;
    match noun {
        None => super::help(Some("get"), called, process),
        Some(GetNoun::Oauth2Client(args)) => {
            super::brief(oauth2_client::run(args, &api, process), process).await
        }
        Some(GetNoun::Jwk(args)) => super::brief(jwk::run(args, &api, process), process).await,
    }
}
