//! `serve`: the authorization server, on both ports or on one, with Hydra's configuration, which
//! may change while it runs (`reload.rs`).

use std::sync::Arc;

use carnet_authserver::{Authserver, Options, store};
use carnet_config::install::authserver::{AuthserverConfig, LogFormat};

use self::reload::Running;
use self::socket::Socket;
use crate::args::{Called, Serve, ServeFlags, Served};
use crate::boot::log::{self, Format, Lines, LogLevel};
use crate::boot::{self, Traces};
use crate::output::{self, Failure};
use crate::process::Process;

mod assertion_issuers;
pub(super) mod configuration;
mod reload;
mod socket;
mod tls;

/// Runs the command of the noun.
pub(super) async fn run(args: Serve, called: Called, process: &Process) -> u8 {
    match args.what {
        None => super::help(Some("serve"), called, process),
        Some(ports) => output::finish(process, serve(ports, args.flags, process).await),
    }
}

async fn serve(ports: Served, flags: ServeFlags, process: &Process) -> Result<(), Failure> {
    let config = configuration::read(&flags.config, flags.dev, process)?;
    let traces = config.tracing.as_ref().map(Traces::start).transpose()?;
    let level = log_as_told(&config, traces.as_ref(), process);
    boot::forbid_dumps();
    let options = configuration::options(&config)?;
    options
        .check(config.dev)
        .map_err(|error| Failure::new(error.to_string()))?;
    let public = (ports != Served::Admin).then(|| Socket::open(&config.public, process));
    let admin = (ports != Served::Public).then(|| Socket::open(&config.admin, process));
    let (public, admin) = (public.transpose()?, admin.transpose()?);
    let server = start(&config, options, process).await?;
    warn_of_company(admin.as_ref());
    let running = Running {
        server: server.clone(),
        flags,
        started: config,
        level,
    };
    let served = async {
        let shutdown = || process.shutdown.clone();
        tokio::try_join!(
            async {
                match &public {
                    Some(socket) => server.serve_public(socket.listener()?, shutdown()).await,
                    None => Ok(()),
                }
            },
            async {
                match &admin {
                    Some(socket) => server.serve_admin(socket.listener()?, shutdown()).await,
                    None => Ok(()),
                }
            },
        )
    };
    let outcome = tokio::select! {
        outcome = served => outcome,
        never = running.follow(process) => match never {},
    };
    if let Some(traces) = traces {
        traces.end().await;
    }
    outcome
        .map(drop)
        .map_err(|error| Failure::new(format!("the server failed: {error}")))
}

async fn start(
    config: &AuthserverConfig,
    options: Options,
    process: &Process,
) -> Result<Authserver, Failure> {
    let store = store::open(configuration::dsn(config)?).await;
    let store = store.map_err(|error| Failure::new(error.to_string()))?;
    let (clock, random) = (Arc::clone(&process.clock), Arc::clone(&process.random));
    let server = Authserver::new(options, store, clock, random).await;
    server.map_err(|error| Failure::new(error.to_string()))
}

fn log_as_told(config: &AuthserverConfig, traces: Option<&Traces>, process: &Process) -> LogLevel {
    let json = |is_pretty| {
        let clock = Arc::clone(&process.clock);
        Format::Hydra(Lines { clock, is_pretty })
    };
    let format = match config.log.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => json(false),
        LogFormat::JsonPretty => json(true),
    };
    let (output, tracer) = (Arc::clone(&process.err), traces.map(Traces::tracer));
    log::install(&config.log.level, format, output, tracer)
}

/// Says once who else may reach the admin port.
fn warn_of_company(admin: Option<&Socket>) {
    let address = admin.and_then(Socket::address);
    if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
        tracing::warn!(
            %address,
            "the admin port has no authentication and others may reach it; set serve.admin.host, \
             or keep others from it"
        );
    }
}
