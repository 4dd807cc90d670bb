//! `delete jwk`: sets of keys by their names.

use crate::api::Api;
use crate::args::{ApiFlags, Ids};
use crate::output::Failure;
use crate::process::Process;

/// Deletes the sets and prints the names of those that are gone.
pub(super) async fn run(args: Ids, api_flags: &ApiFlags, process: &Process) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    super::each(args.ids, &api, &["admin", "keys"])
        .await
        .print(api_flags, process)
}
