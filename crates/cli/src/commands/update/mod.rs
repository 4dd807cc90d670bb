//! `update`: what is there already.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Update, UpdateNoun};
use crate::process::Process;

mod oauth2_client;

/// Runs the command of the noun.
pub(super) async fn run(args: Update, called: Called, process: &Process) -> u8 {
    let Update { api, noun } = args;
    match noun {
        None => super::help(Some("update"), called, process),
        Some(UpdateNoun::Oauth2Client(args)) => {
            super::brief(oauth2_client::run(*args, &api, process), process).await
        }
    }
}
