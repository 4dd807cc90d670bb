//! `list`: what there is, a page at a time.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, List, ListNoun};
use crate::process::Process;

mod oauth2_clients;

/// Runs the command of the noun.
pub(super) async fn run(args: List, called: Called, process: &Process) -> u8 {
    let List { api, noun } = args;
    match noun {
        None => super::help(Some("list"), called, process),
        Some(ListNoun::Oauth2Clients(args)) => {
            super::brief(oauth2_clients::run(args, &api, process), process).await
        }
    }
}
