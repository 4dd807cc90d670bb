//! `up`: runs Kubernetes manifests on this machine without a cluster. Routing objects go through
//! the translation that a cluster's do; Deployments whose images carnet carries run in this
//! process; Service names lead to them; edits are live in under a second.
//!
//! [`engine`] runs manifests, whoever brings them; here they come from files.

use std::sync::PoisonError;

use carnet_providers::watch::Changes;

use super::{gateway, install};
use crate::args::{TraefikFlags, Up};
use crate::output::{self, Failure};
use crate::process::Process;

mod applied;
mod endpoint;
mod engine;
mod network;
mod pods;
mod revocations;
mod sources;

pub(crate) use engine::{Engine, Settings};
pub(crate) use network::Ports;
pub(crate) use sources::Manifest;

use endpoint::Endpoint;
use sources::Sources;

/// Where `up` listens when nobody says otherwise.
const ADDRESS: &str = "127.0.0.1:8000";

/// Runs until the process shall end.
pub(super) async fn run(flags: TraefikFlags, process: &Process) -> Result<(), Failure> {
    let up = Up::read(flags).map_err(Failure::new)?;
    if up.files.is_empty() {
        return Err(Failure::new(
            "up needs manifests: name a file or directory with -f, or -f - for standard input",
        ));
    }
    let sources = {
        let mut input = process.input.lock().unwrap_or_else(PoisonError::into_inner);
        Sources::new(&up.files, &mut *input).map_err(Failure::new)?
    };
    // Watched before read: what changes from here on starts another round.
    let changes = Changes::of(sources.paths());
    let manifests = sources.read().map_err(Failure::new)?;
    let endpoints: Result<Vec<Endpoint>, String> = up
        .endpoints
        .iter()
        .map(|text| Endpoint::parse(text))
        .collect();
    let install = install::from_flags(&with_web(up.flags), process)?;
    let traces = gateway::log_as_told(&install, &process.err, process)?;
    let settings = Settings {
        install,
        ports: if up.free_ports {
            Ports::OwnOrFree
        } else {
            Ports::Own
        },
        endpoints: endpoints.map_err(Failure::new)?,
        quiet: false,
    };
    let mut engine = Engine::start(settings, process).await?;
    engine.apply(&manifests).await;
    let result = follow(&mut engine, &sources, changes, process).await;
    engine.stop().await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    result
}

/// Applies the sources anew whenever they change.
async fn follow(
    engine: &mut Engine,
    sources: &Sources,
    mut changes: Changes,
    process: &Process,
) -> Result<(), Failure> {
    let mut problem = None;
    loop {
        tokio::select! {
            () = process.shutdown.cancelled() => return Ok(()),
            turned = engine.turn() => turned?,
            () = changes.settled() => {
                // Watched before read: what changes while we read starts another round.
                changes = Changes::of(sources.paths());
                match sources.read() {
                    Ok(manifests) => {
                        engine.apply(&manifests).await;
                        problem = None;
                    }
                    Err(sentence) if problem.as_ref() != Some(&sentence) => {
                        output::say(process, &format!("{sentence}; what was read before stays"));
                        problem = Some(sentence);
                    }
                    Err(_) => {}
                }
            }
        }
    }
}

/// The gateway's flags, with the entry point `web` that manifests use.
fn with_web(flags: Vec<String>) -> Vec<String> {
    let is_declared = |flag: &String| {
        let name = flag.trim_start_matches('-').to_ascii_lowercase();
        name.starts_with("entrypoints.web.address")
    };
    match flags.iter().any(is_declared) {
        true => flags,
        false => std::iter::once(format!("--entryPoints.web.address={ADDRESS}"))
            .chain(flags)
            .collect(),
    }
}
