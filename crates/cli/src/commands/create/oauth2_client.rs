//! `create oauth2-client`: a client from flags or from a file.

use carnet_oauth::client::Client;

use crate::api::Api;
use crate::args::{ApiFlags, CreateClient};
use crate::commands::{client_flags, shown};
use crate::output::Failure;
use crate::process::Process;

/// Creates the client and prints it, with the secret that is never shown again.
pub(super) async fn run(
    args: CreateClient,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    client_flags::refuse_encryption(&args.client.encryption)?;
    let api = Api::open(api_flags, process)?;
    let mut client = match &args.client.file {
        Some(file) => client_flags::from_file(file, process).await?,
        None => client_flags::from_flags(args.client)?,
    };
    // The id of a file belongs to the server the file came from.
    client.client_id = args.id.unwrap_or_default();
    let created: Client = api.post(&["admin", "clients"], &client).await?;
    client_flags::doubt(&created, process);
    shown::client(&created)?.print(api_flags, process)
}
