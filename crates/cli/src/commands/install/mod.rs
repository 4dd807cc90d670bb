//! `install`: what a cluster needs before carnet can serve it, as manifests on standard output.
//! `config.rs` is how the gateway's install configuration is read, whichever command needs it.

mod config;
mod crds;
mod manifests;

pub(super) use config::{accept, document, from_flags, load};

use crate::args::{Called, Install, Installed};
use crate::output;
use crate::process::Process;

/// Prints the manifests.
pub(super) fn run(args: &Install, process: &Process) -> u8 {
    let printed = match &args.what {
        None => return super::help(Some("install"), Called::Carnet, process),
        Some(Installed::Crds) => crds::run(process),
        Some(Installed::Manifests(args)) => manifests::run(args, process),
    };
    output::finish(process, printed)
}
