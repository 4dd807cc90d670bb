//! `token`: what stands in a token, for people who would else ask a web site.
//!
//! The rules of tokens and keys are `carnet-jose`'s.

use crate::args::{Called, Token, TokenNoun};
use crate::process::Process;

mod decode;

/// Runs the command of the noun.
pub(super) async fn run(args: Token, process: &Process) -> u8 {
    match args.noun {
        None => super::help(Some("token"), Called::Carnet, process),
        Some(TokenNoun::Decode(args)) => super::brief(decode::run(args, process), process).await,
    }
}
