//! `import`: what was somewhere else before.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::args::{Called, Import, ImportNoun};
use crate::process::Process;

mod hydra;
mod jwk;
mod oauth2_client;

/// Runs the command of the noun.
pub(super) async fn run(args: Import, called: Called, process: &Process) -> u8 {
    let Import { api, noun } = args;
    match noun {
        None => super::help(Some("import"), called, process),
        Some(ImportNoun::Hydra(args)) => {
            super::brief(hydra::run(args, &api, process), process).await
        }
        Some(ImportNoun::Oauth2Client(args)) => {
            super::brief(oauth2_client::run(args, &api, process), process).await
        }
        Some(ImportNoun::Jwk(args)) => super::brief(jwk::run(args, &api, process), process).await,
    }
}
