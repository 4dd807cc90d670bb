//! `hydra_oauth2_access`: tokens that count at Hydra. Of an opaque one the row is all there is; of
//! a signed one it says that it was not revoked.

use carnet_oauth::Confirmation;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ImportError;
use super::key::{self, Opener};
use super::row::Row;
use super::source::Table;
use crate::store::{Holder, TokenRow};

/// Access tokens.
pub(super) static TABLE: Table = Table {
    name: "hydra_oauth2_access",
    name_columns: &["signature"],
    columns: &[
        "signature",
        "client_id",
        "subject",
        "requested_at",
        "expires_at",
        "granted_scope",
        "granted_audience",
        "session_data",
        "active",
    ],
    order: "signature",
};

/// Why opaque tokens stay when their secret does.
pub(super) const NO_SECRET: &str = "opaque tokens; they would count if Hydra's system secret were \
                                    among secrets.system, behind the new one";

/// What a row is.
#[derive(Debug)]
pub(super) enum Found {
    /// An opaque token.
    Opaque(TokenRow),
    /// A signed token, which says the rest itself.
    Signed(TokenRow),
    /// Nothing that is taken, and why.
    Not(&'static str),
}

/// Reads a row.
pub(super) fn read(row: &Row, openers: &[Opener], now: i64) -> Result<Found, ImportError> {
    if !row.flag("active") {
        return Ok(Found::Not("access tokens that were revoked"));
    }
    let Some(session) = session(row, openers) else {
        return Ok(Found::Not(
            "access tokens whose session none of the system secrets opens",
        ));
    };
    let expires_at = match row.time("expires_at")? {
        Some(time) => Some(time),
        None => time(session.pointer("/id_token/expires_at/access_token")),
    };
    let Some(expires_at) = expires_at else {
        return Ok(Found::Not("access tokens that do not say when they end"));
    };
    if expires_at.as_second() <= now {
        return Ok(Found::Not("access tokens that have expired"));
    }
    let token = TokenRow {
        digest: row.text("signature").to_owned(),
        client_id: row.text("client_id").to_owned(),
        scopes: row.list("granted_scope")?,
        audiences: row.list("granted_audience")?,
        issued_at: row.time("requested_at")?.unwrap_or_default().as_second(),
        expires_at: expires_at.as_second(),
        ext: match session.get("extra") {
            Some(Value::Object(extra)) => extra.clone(),
            _ => Map::new(),
        },
        holder: Holder::default(),
        confirmation: Confirmation::default(),
    };
    let signed_with = session.get("kid").and_then(Value::as_str);
    Ok(match signed_with.unwrap_or_default() {
        "" if row.text("subject") == token.client_id => Found::Opaque(token),
        "" => Found::Not("opaque access tokens of people, who log in again"),
        _ => Found::Signed(token),
    })
}

/// The session, which Hydra seals unless it was told not to.
fn session(row: &Row, openers: &[Opener]) -> Option<Value> {
    let text = row.text("session_data");
    if text.starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    serde_json::from_slice(&key::open(openers, text)?).ok()
}

fn time(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}
