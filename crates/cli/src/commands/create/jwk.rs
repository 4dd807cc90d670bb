//! `create jwk`: a key in a set.

use serde::Serialize;

use crate::api::Api;
use crate::args::{ApiFlags, CreateJwk};
use crate::commands::shown::{self, KeySet};
use crate::output::Failure;
use crate::process::Process;

/// What the admin API wants to know of a new key.
#[derive(Debug, Serialize)]
struct NewKey<'a> {
    alg: &'a str,
    kid: &'a str,
    #[serde(rename = "use")]
    usage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_ahead: Option<&'a str>,
}

/// Creates the key and prints it.
pub(super) async fn run(
    args: CreateJwk,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let key = NewKey {
        alg: &args.alg,
        kid: args.key.as_deref().unwrap_or_default(),
        usage: &args.usage,
        publish_ahead: args.publish_ahead.as_deref(),
    };
    let created: KeySet = api.post(&["admin", "keys", &args.set], &key).await?;
    let keys = created.keys(&args.set, args.public);
    shown::key_set(&args.set, &keys).print(api_flags, process)
}
