//! `introspect`: what the server knows of a token.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Introspect, IntrospectNoun};
use crate::process::Process;

mod token;

/// Runs the command of the noun.
pub(super) async fn run(args: Introspect, called: Called, process: &Process) -> u8 {
    let Introspect { api, noun } = args;
    match noun {
        None => super::help(Some("introspect"), called, process),
        Some(IntrospectNoun::Token(args)) => {
            super::brief(token::run(args, &api, process), process).await
        }
    }
}
