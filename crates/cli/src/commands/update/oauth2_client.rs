//! `update oauth2-client`: the members that flags name, or all of them from a file.

use carnet_oauth::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::args::{ApiFlags, UpdateClient};
use crate::commands::{client_flags, shown};
use crate::output::Failure;
use crate::process::Process;

/// Changes the client and prints it, with its secret when that was changed.
pub(super) async fn run(
    args: UpdateClient,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    client_flags::refuse_encryption(&args.client.encryption)?;
    let api = Api::open(api_flags, process)?;
    let path = ["admin", "clients", &args.id];
    let request = if let Some(file) = &args.client.file {
        let client = client_flags::from_file(file, process).await?;
        api.request(Method::PUT, &path).json(&client)
    } else {
        let members = client_flags::members(args.client)?;
        if members.is_empty() {
            return Err(Failure::new(
                "there is nothing to change: name what shall change, such as --name, or --file",
            ));
        }
        // JSON Patch (RFC 6902): Hydra and carnet take `replace` for what was absent, too.
        let changes = members.into_iter().map(
            |(name, value)| json!({"op": "replace", "path": format!("/{name}"), "value": value}),
        );
        api.request(Method::PATCH, &path)
            .json(&changes.collect::<Value>())
    };
    let client: Client = api::send(request).await?.json()?;
    client_flags::doubt(&client, process);
    shown::client(&client)?.print(api_flags, process)
}
