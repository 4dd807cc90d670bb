//! `revoke`: tokens that shall no longer count.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Revoke, RevokeNoun};
use crate::process::Process;

mod token;

/// Runs the command of the noun.
pub(super) async fn run(args: Revoke, called: Called, process: &Process) -> u8 {
    let Revoke { api, noun } = args;
    match noun {
        None => super::help(Some("revoke"), called, process),
        Some(RevokeNoun::Token(args)) => {
            super::brief(token::run(args, &api, process), process).await
        }
    }
}
