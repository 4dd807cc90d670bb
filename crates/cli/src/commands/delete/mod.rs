//! `delete`: what shall be no more, a file for each noun.
//!
//! Knows the wire of the nouns, not HTTP: that is `crate::api`.

use crate::api::Api;
use crate::args::{ApiFlags, Called, Delete, DeleteNoun};
use crate::output::Failure;
use crate::process::Process;
use crate::report::Report;

mod access_tokens;
mod jwk;
mod oauth2_client;

/// Runs the command of the noun.
pub(super) async fn run(args: Delete, called: Called, process: &Process) -> u8 {
    let Delete { api, noun } = args;
    match noun {
        None => super::help(Some("delete"), called, process),
        Some(DeleteNoun::Oauth2Client(args)) => {
            super::brief(oauth2_client::run(args, &api, process), process).await
        }
        Some(DeleteNoun::Jwk(args)) => super::brief(jwk::run(args, &api, process), process).await,
        Some(DeleteNoun::AccessTokens(args)) => {
            super::brief(access_tokens::run(args, &api, process), process).await
        }
    }
}

/// What became of several deletions.
struct Outcome {
    gone: Vec<String>,
    failures: Vec<String>,
}

/// Deletes each of the ids under a path, whatever becomes of the others.
async fn each(ids: Vec<String>, api: &Api, path: &[&str]) -> Outcome {
    let mut outcome = Outcome {
        gone: Vec::new(),
        failures: Vec::new(),
    };
    for id in ids {
        match api.delete(&[path, &[&id]].concat()).await {
            Ok(()) => outcome.gone.push(id),
            Err(failure) => outcome
                .failures
                .push(format!("{failure}\n`{id}` was not deleted.")),
        }
    }
    outcome
}

impl Outcome {
    /// What is gone goes to standard output, also when something else failed.
    fn print(self, api: &ApiFlags, process: &Process) -> Result<(), Failure> {
        if !self.gone.is_empty() {
            Report::ids(self.gone).print(api, process)?;
        }
        if self.failures.is_empty() {
            return Ok(());
        }
        Err(Failure::verbatim(self.failures.join("\n")))
    }
}
