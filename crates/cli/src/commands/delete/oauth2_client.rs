//! `delete oauth2-client`: clients by their ids.

use crate::api::Api;
use crate::args::{ApiFlags, Ids};
use crate::output::Failure;
use crate::process::Process;

/// Deletes the clients and prints the ids of those that are gone.
pub(super) async fn run(args: Ids, api_flags: &ApiFlags, process: &Process) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    super::each(args.ids, &api, &["admin", "clients"])
        .await
        .print(api_flags, process)
}
