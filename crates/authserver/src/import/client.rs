//! `hydra_client`: all a client says about itself, its hashes and its lifetimes.

use carnet_oauth::client::{Client, Lifespan, Lifespans};

use super::row::Row;
use super::source::Table;
use super::{ImportError, ImportReport};
use crate::domain::secret;
use crate::store::{ClientRow, RotatedSecret};

/// Clients.
pub(super) static TABLE: Table = Table {
    name: "hydra_client",
    name_columns: &["id"],
    columns: &[
        "id",
        "client_name",
        "client_secret",
        "rotated_secrets",
        "redirect_uris",
        "grant_types",
        "response_types",
        "scope",
        "owner",
        "policy_uri",
        "tos_uri",
        "client_uri",
        "logo_uri",
        "contacts",
        "client_secret_expires_at",
        "sector_identifier_uri",
        "jwks",
        "jwks_uri",
        "request_uris",
        "token_endpoint_auth_method",
        "request_object_signing_alg",
        "userinfo_signed_response_alg",
        "subject_type",
        "allowed_cors_origins",
        "audience",
        "created_at",
        "updated_at",
        "frontchannel_logout_uri",
        "frontchannel_logout_session_required",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "metadata",
        "token_endpoint_auth_signing_alg",
        "registration_access_token_signature",
        "access_token_strategy",
        "skip_consent",
        "skip_logout_consent",
        "authorization_code_grant_access_token_lifespan",
        "authorization_code_grant_id_token_lifespan",
        "authorization_code_grant_refresh_token_lifespan",
        "client_credentials_grant_access_token_lifespan",
        "implicit_grant_access_token_lifespan",
        "implicit_grant_id_token_lifespan",
        "jwt_bearer_grant_access_token_lifespan",
        "refresh_token_grant_id_token_lifespan",
        "refresh_token_grant_access_token_lifespan",
        "refresh_token_grant_refresh_token_lifespan",
        "device_authorization_grant_id_token_lifespan",
        "device_authorization_grant_access_token_lifespan",
        "device_authorization_grant_refresh_token_lifespan",
        "password_grant_access_token_lifespan",
        "password_grant_refresh_token_lifespan",
    ],
    order: "id",
};

const REGISTRATION: &str = "registration_access_token_signature";
const PASSWORD: [&str; 2] = [
    "password_grant_access_token_lifespan",
    "password_grant_refresh_token_lifespan",
];

/// A row as our store keeps it.
pub(super) fn read(row: &Row) -> Result<ClientRow, ImportError> {
    let client = Client {
        redirect_uris: Some(row.list("redirect_uris")?),
        grant_types: Some(row.list("grant_types")?),
        response_types: Some(row.list("response_types")?),
        audience: row.list("audience")?,
        allowed_cors_origins: row.list("allowed_cors_origins")?,
        contacts: Some(row.list("contacts")?),
        client_secret_expires_at: row.number("client_secret_expires_at")?.unwrap_or_default(),
        jwks: row.json("jwks")?,
        request_uris: row.list("request_uris")?,
        created_at: shown(row, "created_at", "%Y-%m-%dT%H:%M:%SZ")?,
        updated_at: shown(row, "updated_at", "%Y-%m-%dT%H:%M:%S%.fZ")?,
        post_logout_redirect_uris: row.list("post_logout_redirect_uris")?,
        metadata: metadata(row)?,
        lifespans: lifespans(row)?,
        ..texts(row)
    };
    Ok(ClientRow {
        client,
        secret_hash: row.text("client_secret").to_owned(),
        rotated: rotated(row)?,
    })
}

/// The members that are texts and truths.
fn texts(row: &Row) -> Client {
    let text = |column| row.text(column).to_owned();
    Client {
        client_id: text("id"),
        client_name: text("client_name"),
        scope: text("scope"),
        owner: text("owner"),
        policy_uri: text("policy_uri"),
        tos_uri: text("tos_uri"),
        client_uri: text("client_uri"),
        logo_uri: text("logo_uri"),
        subject_type: text("subject_type"),
        sector_identifier_uri: text("sector_identifier_uri"),
        jwks_uri: text("jwks_uri"),
        token_endpoint_auth_method: text("token_endpoint_auth_method"),
        token_endpoint_auth_signing_alg: text("token_endpoint_auth_signing_alg"),
        request_object_signing_alg: text("request_object_signing_alg"),
        userinfo_signed_response_alg: text("userinfo_signed_response_alg"),
        frontchannel_logout_uri: text("frontchannel_logout_uri"),
        frontchannel_logout_session_required: row.flag("frontchannel_logout_session_required"),
        backchannel_logout_uri: text("backchannel_logout_uri"),
        backchannel_logout_session_required: row.flag("backchannel_logout_session_required"),
        access_token_strategy: text("access_token_strategy"),
        skip_consent: row.flag("skip_consent"),
        skip_logout_consent: row.optional_flag("skip_logout_consent"),
        ..Client::default()
    }
}

/// Tells what of a client stays behind.
pub(super) fn notes(row: &Row, client: &ClientRow, report: &mut ImportReport) {
    if !row.text(REGISTRATION).is_empty() {
        let why = "registration access tokens; clients are managed on the admin port";
        report.leave("hydra_client, registration tokens", 1, why);
    }
    if PASSWORD.iter().any(|column| row.value(column).is_some()) {
        let why = "lifetimes of the password grant, which no server should have";
        report.leave("hydra_client, password lifespans", 1, why);
    }
    let hash = client.secret_hash.as_str();
    let has_secret = !client.client.is_public() && !hash.is_empty();
    if has_secret && !secret::is_readable(hash) {
        let id = &client.client.client_id;
        let why = "a hash of a kind that is not known; give the client a new secret";
        report.leave(format!("hydra_client, secret of `{id}`"), 1, why);
    }
}

/// Whether a client is here as it is there. Its hash may be another: ours is renewed when used.
pub(super) fn same(ours: &ClientRow, theirs: &ClientRow) -> bool {
    let json = |row: &ClientRow| serde_json::to_value(row.client.clone().as_stored()).ok();
    json(ours) == json(theirs)
}

fn metadata(row: &Row) -> Result<serde_json::Value, ImportError> {
    match row.text("metadata") {
        "" => Ok(serde_json::json!({})),
        text => serde_json::from_str(text).map_err(|error| row.damaged("metadata", error)),
    }
}

/// Hydra's own list of hashes; it does not say when they were replaced.
fn rotated(row: &Row) -> Result<Vec<RotatedSecret>, ImportError> {
    let changed = row.time("updated_at")?.unwrap_or_default().as_second();
    let hashes = row.list("rotated_secrets")?.into_iter();
    let secret = |hash| RotatedSecret {
        hash,
        rotated_at: changed,
        last_used_at: None,
    };
    Ok(hashes.map(secret).collect())
}

fn shown(row: &Row, column: &str, format: &str) -> Result<String, ImportError> {
    let time = row.time(column)?.unwrap_or_default();
    Ok(time.strftime(format).to_string())
}

fn lifespans(row: &Row) -> Result<Lifespans, ImportError> {
    let span = |name: &str| {
        let nanoseconds = row.number(&format!("{name}_lifespan"))?;
        Ok::<_, ImportError>(nanoseconds.map(Lifespan::from_nanoseconds))
    };
    Ok(Lifespans {
        authorization_code_grant_access_token_lifespan: span(
            "authorization_code_grant_access_token",
        )?,
        authorization_code_grant_id_token_lifespan: span("authorization_code_grant_id_token")?,
        authorization_code_grant_refresh_token_lifespan: span(
            "authorization_code_grant_refresh_token",
        )?,
        client_credentials_grant_access_token_lifespan: span(
            "client_credentials_grant_access_token",
        )?,
        implicit_grant_access_token_lifespan: span("implicit_grant_access_token")?,
        implicit_grant_id_token_lifespan: span("implicit_grant_id_token")?,
        jwt_bearer_grant_access_token_lifespan: span("jwt_bearer_grant_access_token")?,
        refresh_token_grant_id_token_lifespan: span("refresh_token_grant_id_token")?,
        refresh_token_grant_access_token_lifespan: span("refresh_token_grant_access_token")?,
        refresh_token_grant_refresh_token_lifespan: span("refresh_token_grant_refresh_token")?,
        device_authorization_grant_id_token_lifespan: span("device_authorization_grant_id_token")?,
        device_authorization_grant_access_token_lifespan: span(
            "device_authorization_grant_access_token",
        )?,
        device_authorization_grant_refresh_token_lifespan: span(
            "device_authorization_grant_refresh_token",
        )?,
    })
}
