//! `gateway`: the data plane alone, from Traefik's configuration, with the file provider and those
//! of Kubernetes (`sources.rs`). `upgrade.rs` is how a newer process takes its place, `sockets.rs`
//! what is handed over.

use std::path::Path;
use std::sync::Arc;

use carnet_config::install::InstallConfig;
use carnet_config::routing::RoutingConfig;
use carnet_gateway::Gateway;
use carnet_providers::aggregate::Merged;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::data_plane::{Bound, DataPlane};
use super::install;
use crate::args::{self, TraefikFlags};
use crate::boot;
use crate::boot::Traces;
use crate::boot::log::{self, Format};
use crate::output::Failure;
use crate::process::{Output, Process};

mod sockets;
mod sources;
mod upgrade;

use sources::Sources;
use upgrade::{Predecessor, Successors};

/// What holds the readiness back until every provider was read.
const PROVIDERS: &str = "providers";

/// What the providers said last.
type Latest = watch::Receiver<Option<Merged>>;

/// Serves until the process shall end, or a newer one has taken its place.
pub(super) async fn run(typed: TraefikFlags, process: &Process) -> Result<(), Failure> {
    let line = args::Gateway::read(typed).map_err(Failure::new)?;
    let config = install::load(&line.flags, process)?;
    let traces = log_as_told(&config, &process.out, process)?;
    boot::forbid_dumps();
    let stop = process.shutdown.child_token();
    let (merged, latest) = watch::channel(None);
    let sources = Sources::open(&config, process).await?;
    // Whatever there is to be read again, SIGHUP ends nothing.
    let reload = sources.as_ref().map(Sources::reload).unwrap_or_default();
    let _listening = AbortOnDropHandle::new(boot::notify_on_hangup(reload));
    let serve = async {
        let served = match line.upgrade_socket {
            Some(path) => serve_replaceable(&path, &config, latest, process).await,
            None => serve(&config, latest, process).await,
        };
        stop.cancel();
        served
    };
    let read = async {
        match sources {
            Some(sources) => sources.read(merged, stop.clone()).await,
            // What cannot even listen has more important things to say.
            None if stop.is_cancelled() => {}
            None => tracing::warn!(
                "no provider is configured, so every request is answered 404; add one, such as \
                 providers.file"
            ),
        }
    };
    let (served, ()) = tokio::join!(serve, read);
    if let Some(traces) = traces {
        traces.end().await;
    }
    served
}

/// Serves until the process shall end.
async fn serve(config: &InstallConfig, latest: Latest, process: &Process) -> Result<(), Failure> {
    let bound = DataPlane::bind(config, process)?;
    hold(config, bound.gateway());
    let data_plane = bound.serve();
    follow(latest, data_plane.gateway(), process).await;
    data_plane.stop().await;
    Ok(())
}

/// The same, in place of an older process, where there is one, and until a newer one comes.
async fn serve_replaceable(
    path: &Path,
    config: &InstallConfig,
    mut latest: Latest,
    process: &Process,
) -> Result<(), Failure> {
    let (predecessor, inherited) = Predecessor::meet(path).await?.unzip();
    let sockets = inherited.unwrap_or_default();
    let bound = DataPlane::bind(
        config,
        &Process {
            listen: sockets.listen(&process.listen),
            listen_beside: sockets.listen(&process.listen_beside),
            ..process.clone()
        },
    )?;
    sockets.close_unwanted();
    hold(config, bound.gateway());
    let successors = match predecessor {
        None => Some(Successors::open(path)?),
        Some(predecessor) => {
            take_over(predecessor, &bound, config, &mut latest).await?;
            // Too late to fail.
            let failed = |error: &Failure| tracing::error!(%error, "nobody can take over");
            Successors::open(path).inspect_err(failed).ok()
        }
    };
    let data_plane = bound.serve();
    let newer = async {
        match successors {
            Some(successors) => successors.handed_over(&sockets).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = newer => data_plane.hand_over().await,
        () = follow(latest, data_plane.gateway(), process) => {
            sockets.close();
            Successors::remove(path);
            data_plane.stop().await;
        }
    }
    Ok(())
}

/// Waits for a configuration that can be read, then tells the older process to let go.
async fn take_over(
    predecessor: Predecessor,
    bound: &Bound,
    config: &InstallConfig,
    latest: &mut Latest,
) -> Result<(), Failure> {
    if config.providers.is_any() {
        let merged = match latest.changed().await {
            Ok(()) => latest.borrow_and_update().clone(),
            Err(_) => None,
        };
        let readable = merged.filter(|merged| merged.readable).ok_or_else(|| {
            Failure::new(
                "the configuration cannot be read, so the older process goes on; `carnet \
                 validate` says why",
            )
        })?;
        apply(readable, bound.gateway());
    }
    predecessor.replace().await
}

/// Not ready before the providers have spoken, where there are some.
fn hold(config: &InstallConfig, gateway: &Gateway) {
    if config.providers.is_any() {
        let reason = "the first configuration has not been read yet";
        gateway.readiness().hold(PROVIDERS, reason);
    } else {
        drop(gateway.apply(&RoutingConfig::default()));
    }
}

/// Serves what the providers say, until the process shall end.
async fn follow(mut latest: Latest, gateway: &Gateway, process: &Process) {
    while latest.changed().await.is_ok() {
        if let Some(merged) = latest.borrow_and_update().clone() {
            apply(merged, gateway);
        }
    }
    process.shutdown.cancelled().await;
}

fn apply(merged: Merged, gateway: &Gateway) {
    // What is wrong with it is logged.
    drop(gateway.apply_shared(&merged.config));
    gateway.note_current(merged.current);
    let readiness = gateway.readiness();
    match merged.readable {
        true => readiness.release(PROVIDERS),
        false => readiness.hold(PROVIDERS, "a configuration file could not be read"),
    }
}

/// Sends the log where the configuration says, or else to `output`, and spans to the collector,
/// where there is one. Findings about configuration are warnings, and are written at Traefik's
/// default level, too.
pub(super) fn log_as_told(
    install: &InstallConfig,
    output: &Output,
    process: &Process,
) -> Result<Option<Traces>, Failure> {
    let options = &install.log;
    let traces = install
        .tracing
        .as_ref()
        .map(Traces::of_gateway)
        .transpose()?;
    let level = match options.level.to_ascii_lowercase().as_str() {
        "error" => "warn".to_owned(),
        _ => options.level.clone(),
    };
    let format = if options.json {
        Format::Json
    } else {
        Format::Text
    };
    let file = options.file_path.as_deref();
    let output = file.map_or_else(
        || Ok(Arc::clone(output)),
        |file| super::log_file("log.filePath", file, process),
    )?;
    let tracer = traces.as_ref().map(Traces::tracer);
    log::install(&level, format, output, tracer);
    Ok(traces)
}
