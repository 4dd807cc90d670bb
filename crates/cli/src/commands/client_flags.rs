//! A client as flags or a file describe it, for the verbs that send one.

use carnet_config::nearest::suggestion;
use carnet_oauth::client::Client;
use carnet_oauth::client_auth::Method;
use carnet_oauth::grant::Grant;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::read;
use crate::args::{ClientFlags, EncryptionFlags};
use crate::output::{self, Failure};
use crate::process::Process;

/// The secret would be printed in clear, to somebody who expects that it is not.
///
/// # Errors
/// When one of the flags is set.
pub(super) fn refuse_encryption(flags: &EncryptionFlags) -> Result<(), Failure> {
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

/// Says what a server keeps and never acts on: both Hydra and ours take any word for a grant or a
/// method.
pub(super) fn doubt(client: &Client, process: &Process) {
    let grants = Grant::ALL.map(Grant::name);
    let unknown = client.grant_types.iter().flatten();
    let unknown = unknown.filter(|name| !grants.contains(&name.as_str()) && *name != "implicit");
    for name in unknown {
        let near = suggestion(name, grants);
        let text = format!("warning: nobody gets tokens by the grant type `{name}`{near}");
        output::say(process, &text);
    }
    let (methods, name) = (
        Method::ALL.map(Method::name),
        &client.token_endpoint_auth_method,
    );
    if !name.is_empty() && !methods.contains(&name.as_str()) {
        let near = suggestion(name, methods);
        let text = format!("warning: nobody can authenticate by the method `{name}`{near}");
        output::say(process, &text);
    }
}

/// The client in a file.
///
/// # Errors
/// When the file cannot be read or is no client.
pub(super) async fn from_file(file: &str, process: &Process) -> Result<Client, Failure> {
    client(json(file, process).await?, file)
}

/// The JSON in a file.
///
/// # Errors
/// When the file cannot be read or is no JSON. What it says is not told: it has secrets in it.
pub(super) async fn json(file: &str, process: &Process) -> Result<Value, Failure> {
    let text = read(file, process).await?;
    serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::new(format!(
            "`{file}` is no JSON: see line {line}, column {column}"
        ))
    })
}

/// A client in JSON of a file.
///
/// # Errors
/// When it is something else. What it says is not told: it has a secret in it.
pub(super) fn client(json: Value, file: &str) -> Result<Client, Failure> {
    let client = Some(json)
        .filter(Value::is_object)
        .map(serde_json::from_value);
    client.and_then(Result::ok).ok_or_else(|| {
        Failure::new(format!(
            "`{file}` has no client in it, or one with a member of the wrong type; the members are \
             those of `carnet get oauth2-client ID --format json-pretty`"
        ))
    })
}

/// The client of the flags, with Hydra's defaults for what is not said.
///
/// # Errors
/// When a value that must be JSON is none.
pub(super) fn from_flags(flags: ClientFlags) -> Result<Client, Failure> {
    const DEFAULTS: [(&str, &str); 7] = [
        ("grant_types", r#"["authorization_code"]"#),
        ("response_types", r#"["code"]"#),
        ("token_endpoint_auth_method", r#""client_secret_basic""#),
        ("subject_type", r#""public""#),
        ("request_object_signing_alg", r#""RS256""#),
        ("metadata", "{}"),
        ("skip_logout_consent", "false"),
    ];
    let mut members = members(flags)?;
    for (name, default) in DEFAULTS {
        if !members.contains_key(name) {
            members.insert(
                name.to_owned(),
                serde_json::from_str(default).unwrap_or_default(),
            );
        }
    }
    serde_json::from_value(Value::Object(members))
        .map_err(|error| Failure::new(format!("the flags make no client: {error}")))
}

/// The members that flags name, and no other.
///
/// # Errors
/// When a value that must be JSON is none.
pub(super) fn members(flags: ClientFlags) -> Result<Map<String, Value>, Failure> {
    let secret = flags.secret.as_ref().map(ExposeSecret::expose_secret);
    let limits = flags.token_limits;
    let members = [
        ("client_name", flags.name.map(Value::from)),
        ("client_secret", secret.map(Value::from)),
        ("redirect_uris", flags.redirect_uri.map(list)),
        ("grant_types", flags.grant_type.map(list)),
        ("response_types", flags.response_type.map(list)),
        (
            "scope",
            flags.scope.map(|scopes| Value::from(scopes.join(" "))),
        ),
        ("audience", flags.audience.map(list)),
        ("owner", flags.owner.map(Value::from)),
        ("policy_uri", flags.policy_uri.map(Value::from)),
        ("allowed_cors_origins", flags.allowed_cors_origin.map(list)),
        ("tos_uri", flags.tos_uri.map(Value::from)),
        ("client_uri", flags.client_uri.map(Value::from)),
        ("logo_uri", flags.logo_uri.map(Value::from)),
        ("contacts", flags.contact.map(list)),
        ("subject_type", flags.subject_type.map(Value::from)),
        (
            "sector_identifier_uri",
            flags.sector_identifier_uri.map(Value::from),
        ),
        ("jwks_uri", flags.jwks_uri.map(Value::from)),
        (
            "token_endpoint_auth_method",
            flags.token_endpoint_auth_method.map(Value::from),
        ),
        ("request_uris", flags.request_uri.map(list)),
        (
            "request_object_signing_alg",
            flags.request_object_signing_alg.map(Value::from),
        ),
        (
            "frontchannel_logout_uri",
            flags.frontchannel_logout_callback.map(Value::from),
        ),
        (
            "frontchannel_logout_session_required",
            flags.frontchannel_logout_session_required.map(Value::from),
        ),
        (
            "post_logout_redirect_uris",
            flags.post_logout_callback.map(list),
        ),
        (
            "backchannel_logout_uri",
            flags.backchannel_logout_callback.map(Value::from),
        ),
        (
            "backchannel_logout_session_required",
            flags.backchannel_logout_session_required.map(Value::from),
        ),
        ("metadata", json_of("--metadata", flags.metadata)?),
        ("token_limits", json_of("--token-limits", limits)?),
        (
            "access_token_strategy",
            flags.access_token_strategy.map(Value::from),
        ),
        (
            "access_token_profile",
            flags.access_token_profile.map(Value::from),
        ),
        (
            "access_token_claims",
            json_of("--access-token-claims", flags.access_token_claims)?,
        ),
        ("may_act_for", flags.may_act_for.map(list)),
        ("skip_consent", flags.skip_consent.map(Value::from)),
        (
            "skip_logout_consent",
            flags.skip_logout_consent.map(Value::from),
        ),
    ];
    let said = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(said.collect())
}

fn json_of(flag: &str, text: Option<String>) -> Result<Option<Value>, Failure> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| Failure::new(format!("the value of {flag} is no JSON: {error}")))
}

/// The items of a list flag; `--scope ""` is an empty list.
fn list(items: Vec<String>) -> Value {
    items.into_iter().filter(|item| !item.is_empty()).collect()
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
        assert_eq!(
            (client.scope.as_str(), client.skip_logout_consent),
            ("", Some(false))
        );
        assert!(client.client_secret.is_none());
    }

    #[test]
    fn scopes_are_one_text_and_an_empty_flag_is_an_empty_list() {
        let flags = ClientFlags {
            scope: Some(vec!["a".to_owned(), "b".to_owned()]),
            grant_type: Some(vec![String::new()]),
            ..ClientFlags::default()
        };
        let members = members(flags).unwrap();
        let members = serde_json::to_string(&members).unwrap();
        assert_eq!(members, r#"{"grant_types":[],"scope":"a b"}"#);
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
