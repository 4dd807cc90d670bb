//! `serve`: the authorization server, on both ports or on one, with Hydra's configuration.

use std::sync::Arc;

use carnet_authserver::{Authserver, store};

use self::socket::Socket;
use crate::args::{Called, Serve, ServeFlags, Served};
use crate::boot::{
    self,
    log::{self, Format},
};
use crate::output::{self, Failure};
use crate::process::Process;

pub(super) mod configuration;
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
    let format = match config.log.json {
        true => Format::Json,
        false => Format::Text,
    };
    log::install(&config.log.level, format, Arc::clone(&process.err));
    boot::forbid_dumps();
    let options = configuration::options(&config)?;
    options
        .check(config.dev)
        .map_err(|error| Failure::new(error.to_string()))?;
    let public = (ports != Served::Admin).then(|| Socket::open(&config.public, process));
    let admin = (ports != Served::Public).then(|| Socket::open(&config.admin, process));
    let (public, admin) = (public.transpose()?, admin.transpose()?);
    let store = store::open(configuration::dsn(&config)?).await;
    let store = store.map_err(|error| Failure::new(error.to_string()))?;
    let (clock, random) = (Arc::clone(&process.clock), Arc::clone(&process.random));
    let server = Authserver::new(options, store, clock, random).await;
    let server = server.map_err(|error| Failure::new(error.to_string()))?;
    warn_of_company(admin.as_ref());
    let shutdown = || process.shutdown.clone();
    let serving = tokio::try_join!(
        async {
            match public {
                Some(socket) => server.serve_public(socket.listener()?, shutdown()).await,
                None => Ok(()),
            }
        },
        async {
            match admin {
                Some(socket) => server.serve_admin(socket.listener()?, shutdown()).await,
                None => Ok(()),
            }
        },
    );
    serving
        .map(drop)
        .map_err(|error| Failure::new(format!("the server failed: {error}")))
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
