//! `import oauth2-client`: clients from files, as another server had them.

use carnet_oauth::client::Client;
use serde_json::Value;

use crate::api::Api;
use crate::args::{ApiFlags, ImportClients};
use crate::commands::{client_flags, shown};
use crate::output::Failure;
use crate::process::Process;

/// Creates the clients, whatever becomes of the others, and prints those that are there now.
pub(super) async fn run(
    args: ImportClients,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    client_flags::refuse_encryption(&args.encryption)?;
    let api = Api::open(api_flags, process)?;
    let clients = clients(args.files, process).await?;
    let (mut created, mut failures) = (Vec::<Client>::new(), Vec::new());
    for (file, client) in clients {
        match api.post(&["admin", "clients"], &client).await {
            Ok(client) => created.push(client),
            Err(failure) => {
                let id = &client.client_id;
                failures.push(format!(
                    "{failure}\nThe client `{id}` of `{file}` was not imported."
                ));
            }
        }
    }
    match created.as_slice() {
        [client] => shown::client(client)?,
        clients => shown::clients(clients)?,
    }
    .print(api_flags, process)?;
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::verbatim(failures.join("\n")))
}

/// The clients of all files and where each is from. Nothing is imported unless all can be read.
async fn clients(
    mut files: Vec<String>,
    process: &Process,
) -> Result<Vec<(String, Client)>, Failure> {
    if files.is_empty() {
        files.push("-".to_owned());
    }
    let mut clients = Vec::new();
    for file in files {
        let several = match client_flags::json(&file, process).await? {
            Value::Array(several) => several,
            one => vec![one],
        };
        for json in several {
            clients.push((file.clone(), client_flags::client(json, &file)?));
        }
    }
    Ok(clients)
}
