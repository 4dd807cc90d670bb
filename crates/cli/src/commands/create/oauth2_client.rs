//! `create oauth2-client`: a client from flags or from a file.

use carnet_oauth::client::Client;
use serde_json::Value;

use crate::api::Api;
use crate::args::{ApiFlags, ClientFlags, CreateClient, EncryptionFlags};
use crate::commands::{read, shown};
use crate::output::Failure;
use crate::process::Process;

/// Creates the client and prints it, with the secret that is never shown again.
pub(super) async fn run(
    args: CreateClient,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    refuse_encryption(&args.client.encryption)?;
    let api = Api::open(api_flags, process)?;
    let mut client = match &args.client.file {
        Some(file) => from_file(file, process).await?,
        None => from_flags(args.client)?,
    };
    // The id of a file belongs to the server the file came from.
    client.client_id = args.id.unwrap_or_default();
    let created: Client = api.post(&["admin", "clients"], &client).await?;
    shown::client(&created)?.print(api_flags, process)
}

/// The secret would be printed in clear, to somebody who expects that it is not.
fn refuse_encryption(flags: &EncryptionFlags) -> Result<(), Failure> {
    let EncryptionFlags {
        pgp_key,
        pgp_key_url,
        keybase,
    } = flags;
    if [pgp_key, pgp_key_url, keybase]
        .into_iter()
        .any(Option::is_some)
    {
        return Err(Failure::new(
            "--pgp-key, --pgp-key-url and --keybase are not supported: leave them out and encrypt \
             the printed client yourself",
        ));
    }
    Ok(())
}

async fn from_file(file: &str, process: &Process) -> Result<Client, Failure> {
    let text = read(file, process).await?;
    serde_json::from_slice(&text).map_err(|error| {
        // What the file says is left out: it has a secret in it.
        Failure::new(format!(
            "`{file}` is no client in JSON: see line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

/// The client of the flags, with Hydra's defaults.
fn from_flags(flags: ClientFlags) -> Result<Client, Failure> {
    let metadata = flags.metadata.as_deref().unwrap_or("{}");
    let metadata: Value = serde_json::from_str(metadata)
        .map_err(|error| Failure::new(format!("the value of --metadata is no JSON: {error}")))?;
    let or = |flag: Option<String>, default: &str| flag.unwrap_or_else(|| default.to_owned());
    let one = |default: &str| Some(vec![default.to_owned()]);
    Ok(Client {
        client_name: flags.name.unwrap_or_default(),
        client_secret: flags.secret,
        redirect_uris: items(flags.redirect_uri),
        grant_types: items(flags.grant_type).or_else(|| one("authorization_code")),
        response_types: items(flags.response_type).or_else(|| one("code")),
        scope: items(flags.scope).unwrap_or_default().join(" "),
        audience: items(flags.audience).unwrap_or_default(),
        owner: flags.owner.unwrap_or_default(),
        policy_uri: flags.policy_uri.unwrap_or_default(),
        allowed_cors_origins: items(flags.allowed_cors_origin).unwrap_or_default(),
        tos_uri: flags.tos_uri.unwrap_or_default(),
        client_uri: flags.client_uri.unwrap_or_default(),
        logo_uri: flags.logo_uri.unwrap_or_default(),
        contacts: items(flags.contact),
        subject_type: or(flags.subject_type, "public"),
        sector_identifier_uri: flags.sector_identifier_uri.unwrap_or_default(),
        jwks_uri: flags.jwks_uri.unwrap_or_default(),
        token_endpoint_auth_method: or(flags.token_endpoint_auth_method, "client_secret_basic"),
        request_uris: items(flags.request_uri).unwrap_or_default(),
        request_object_signing_alg: or(flags.request_object_signing_alg, "RS256"),
        frontchannel_logout_uri: flags.frontchannel_logout_callback.unwrap_or_default(),
        frontchannel_logout_session_required: flags.frontchannel_logout_session_required,
        post_logout_redirect_uris: items(flags.post_logout_callback).unwrap_or_default(),
        backchannel_logout_uri: flags.backchannel_logout_callback.unwrap_or_default(),
        backchannel_logout_session_required: flags.backchannel_logout_session_required,
        metadata,
        access_token_strategy: flags.access_token_strategy.unwrap_or_default(),
        skip_consent: flags.skip_consent,
        skip_logout_consent: Some(flags.skip_logout_consent),
        ..Client::default()
    })
}

/// The items of a list flag; `--scope ""` is an empty list.
fn items(flag: Option<Vec<String>>) -> Option<Vec<String>> {
    flag.map(|items| items.into_iter().filter(|item| !item.is_empty()).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_hydras_default() {
        let client = from_flags(ClientFlags::default()).unwrap();
        assert_eq!(client.grant_types.unwrap(), ["authorization_code"]);
        assert_eq!(client.response_types.unwrap(), ["code"]);
        assert_eq!(client.token_endpoint_auth_method, "client_secret_basic");
        assert_eq!(client.subject_type, "public");
        assert_eq!(client.request_object_signing_alg, "RS256");
        assert_eq!(client.metadata, serde_json::json!({}));
        assert_eq!(client.scope, "");
    }

    #[test]
    fn scopes_are_one_text_and_an_empty_flag_is_an_empty_list() {
        let flags = ClientFlags {
            scope: Some(vec!["a".to_owned(), "b".to_owned()]),
            grant_type: Some(vec![String::new()]),
            ..ClientFlags::default()
        };
        let client = from_flags(flags).unwrap();
        assert_eq!(client.scope, "a b");
        assert_eq!(client.grant_types.unwrap(), [""; 0]);
    }

    #[test]
    fn metadata_that_is_no_json_and_encryption_are_refused() {
        let metadata = Some("{".to_owned());
        let error = from_flags(ClientFlags {
            metadata,
            ..ClientFlags::default()
        })
        .unwrap_err();
        assert!(error.to_string().contains("--metadata"), "{error}");
        let keybase = Some("me".to_owned());
        let flags = EncryptionFlags {
            keybase,
            ..EncryptionFlags::default()
        };
        assert!(refuse_encryption(&flags).is_err());
    }
}
