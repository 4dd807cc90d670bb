//! `consent`: the login and consent application that always says yes, with `hail-hydra`'s flags.

use std::sync::Arc;

use carnet_consent::Options;
use url::Url;

use super::listen;
use crate::args::Consent;
use crate::output::Failure;
use crate::process::Process;

/// Serves until the process shall end.
pub(super) async fn run(args: Consent, process: &Process) -> Result<(), Failure> {
    let admin_url = Url::parse(&args.admin_url).map_err(|error| {
        let url = &args.admin_url;
        Failure::new(format!(
            "-a {url} is no URL ({error}); write it as http://HOST:4445"
        ))
    })?;
    let options = Options {
        admin_url,
        resolve: Arc::clone(&process.resolve),
    };
    let listener = listen(&args.bind, process)?;
    carnet_consent::serve(options, listener, process.shutdown.clone())
        .await
        .map_err(|error| Failure::new(format!("consent cannot serve: {error}")))
}
