//! `get oauth2-client`: clients by their ids.

use carnet_oauth::client::Client;

use crate::api::Api;
use crate::args::{ApiFlags, Ids};
use crate::commands::shown;
use crate::output::Failure;
use crate::process::Process;

/// Prints the clients: all of them, or none when one is missing.
pub(super) async fn run(args: Ids, api_flags: &ApiFlags, process: &Process) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let mut clients: Vec<Client> = Vec::new();
    for id in &args.ids {
        clients.push(api.get(&["admin", "clients", id]).await?);
    }
    match clients.as_slice() {
        [client] => shown::client(client)?,
        clients => shown::clients(clients)?,
    }
    .print(api_flags, process)
}
