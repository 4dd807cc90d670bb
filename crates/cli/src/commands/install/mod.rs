//! `install`: what a cluster needs before carnet can serve it, as manifests on standard output.
//! `config.rs` is how the gateway's install configuration is read, whichever command needs it.

mod config;
mod crds;
mod manifests;

pub(super) use config::{accept, document, from_flags, load};

use crate::args::{Install, Installed};
use crate::output::Failure;
use crate::process::Process;

/// Prints the manifests.
pub(super) fn run(args: &Install, process: &Process) -> Result<(), Failure> {
    match &args.what {
        Installed::Crds => crds::run(process),
        Installed::Manifests(args) => manifests::run(args, process),
    }
}
