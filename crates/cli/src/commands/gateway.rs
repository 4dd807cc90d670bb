//! `gateway`: the data plane alone, from Traefik's configuration, with the file provider.

use std::sync::Arc;

use carnet_config::install::{InstallConfig, Log};
use carnet_providers::Update;
use carnet_providers::aggregate::{Aggregate, Merged};
use carnet_providers::file::{self, FileProvider};
use tokio::sync::{mpsc, watch};

use super::data_plane::DataPlane;
use super::install;
use crate::args::TraefikFlags;
use crate::boot;
use crate::boot::log::{self, Format};
use crate::output::Failure;
use crate::process::{Output, Process};

/// What holds the readiness back until every provider was read.
const PROVIDERS: &str = "providers";

/// Serves until the process shall end.
pub(super) async fn run(typed: TraefikFlags, process: &Process) -> Result<(), Failure> {
    let config = install::load(&typed.flags, process)?;
    log_as_told(&config.log, &process.out)?;
    boot::forbid_dumps();
    let data_plane = DataPlane::start(&config, process)?;
    follow_providers(&config, &data_plane, process).await;
    data_plane.stop().await;
    Ok(())
}

/// Serves what the providers say, until the process shall end.
async fn follow_providers(config: &InstallConfig, data_plane: &DataPlane, process: &Process) {
    let Some(file) = config.providers.file.clone() else {
        tracing::warn!(
            "no provider is configured, so every request is answered 404; add one, such as \
             providers.file"
        );
        return process.shutdown.cancelled().await;
    };
    let readiness = data_plane.gateway().readiness();
    readiness.hold(PROVIDERS, "the first configuration has not been read yet");
    let (sender, updates) = mpsc::channel::<Update>(1);
    let (merged, mut latest) = watch::channel(None);
    let provider = FileProvider::new(file, Arc::clone(&process.env));
    let reload = boot::notify_on_hangup(provider.reload());
    let aggregate = Aggregate::new([file::NAME.to_owned()], config.providers.throttle);
    let apply = async {
        while latest.changed().await.is_ok() {
            let Some(Merged { config, readable }) = latest.borrow_and_update().clone() else {
                continue;
            };
            data_plane.apply(&config);
            match readable {
                true => readiness.release(PROVIDERS),
                false => readiness.hold(PROVIDERS, "a configuration file could not be read"),
            }
        }
    };
    let shutdown = || process.shutdown.clone();
    tokio::join!(
        provider.run(sender, shutdown()),
        aggregate.run(updates, merged, shutdown()),
        apply,
    );
    reload.abort();
}

/// Sends the log where the configuration says, or else to `output`. Findings about configuration
/// are warnings, and are written at Traefik's default level, too.
pub(super) fn log_as_told(options: &Log, output: &Output) -> Result<(), Failure> {
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
        |file| super::append("log.filePath", file),
    )?;
    log::install(&level, format, output, None);
    Ok(())
}
