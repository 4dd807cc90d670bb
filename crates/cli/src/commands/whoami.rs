//! `whoami`: the echo application alone, with the flags of `traefik/whoami`.

use carnet_whoami::Options;

use super::listen;
use crate::args::Whoami;
use crate::output::Failure;
use crate::process::Process;

/// The port where neither flag nor environment names one.
const PORT: &str = "80";

/// Serves until the process shall end.
pub(super) async fn run(args: Whoami, process: &Process) -> Result<(), Failure> {
    let set =
        |flag: Option<String>, variable: &str| flag.or_else(|| process.env.get(variable).cloned());
    let port = set(args.port, "WHOAMI_PORT_NUMBER").unwrap_or_else(|| PORT.to_owned());
    let options = Options {
        name: set(args.name, "WHOAMI_NAME").unwrap_or_default(),
        hostname: process.hostname.to_string(),
        env: process.env.as_ref().clone(),
        verbose: args.verbose,
    };
    let listener = listen(&format!(":{port}"), process)?;
    carnet_whoami::serve(options, listener, process.shutdown.clone())
        .await
        .map_err(|error| Failure::new(format!("whoami cannot serve: {error}")))
}
