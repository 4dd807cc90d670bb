//! `jose`: signatures, checked without a server.
//!
//! The rules of tokens and keys are `carnet-jose`'s.

use crate::args::{Called, Jose, JoseNoun};
use crate::process::Process;

mod verify;

/// Runs the command of the noun.
pub(super) async fn run(args: Jose, process: &Process) -> u8 {
    match args.noun {
        None => super::help(Some("jose"), Called::Carnet, process),
        Some(JoseNoun::Verify(args)) => super::brief(verify::run(args, process), process).await,
    }
}
