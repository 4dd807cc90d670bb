//! `get jwk`: the keys of sets.

use crate::api::Api;
use crate::args::{ApiFlags, GetJwk};
use crate::commands::shown::{self, KeySet};
use crate::output::Failure;
use crate::process::Process;

/// Prints the keys of all sets as one collection, a key that is alone as itself.
pub(super) async fn run(
    args: GetJwk,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let mut keys = Vec::new();
    for set in &args.sets {
        let found: KeySet = api.get(&["admin", "keys", set]).await?;
        keys.extend(found.keys(set, args.public));
    }
    // A collection has one name, or none when there are several.
    let name = match args.sets.as_slice() {
        [set] => set,
        _ => "",
    };
    match keys.as_slice() {
        [key] => shown::key(key),
        keys => shown::key_set(name, keys),
    }
    .print(api_flags, process)
}
