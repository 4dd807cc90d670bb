//! Clients and keys as all verbs show them: their columns, and their JSON as Hydra's own commands
//! write it.

use carnet_oauth::client::Client;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::output::Failure;
use crate::report::{Report, sorted};

const CLIENT: &[&str] = &[
    "CLIENT ID",
    "CLIENT SECRET",
    "GRANT TYPES",
    "RESPONSE TYPES",
    "SCOPE",
    "AUDIENCE",
    "REDIRECT URIS",
];

const KEY: &[&str] = &["SET ID", "KEY ID", "ALGORITHM", "USE"];

/// The column of a key's id.
const KEY_ID: usize = 1;

/// The members of keys that may be seen by everybody (RFC 7517 and RFC 7518): all others are left
/// out of public parts, so that a kind of key we do not know cannot leak.
const PUBLIC: [&str; 13] = [
    "alg", "crv", "e", "key_ops", "kid", "kty", "n", "use", "x", "x5c", "x5t", "x5t#S256", "y",
];

/// One client.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn client(client: &Client) -> Result<Report, Failure> {
    let mut json = members(client)?;
    if let Value::Object(members) = &mut json {
        members.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    }
    Ok(Report::object(CLIENT, row(client), json))
}

/// Several clients.
///
/// # Errors
/// When one cannot be written as JSON.
pub(super) fn clients(clients: &[Client]) -> Result<Report, Failure> {
    let json = clients.iter().map(members).collect::<Result<Value, _>>()?;
    Ok(Report::list(
        CLIENT,
        clients.iter().map(row).collect(),
        json,
    ))
}

/// A page of clients; `next` names the page after it and is empty on the last one.
///
/// # Errors
/// When one cannot be written as JSON.
pub(super) fn page(clients: &[Client], next: String) -> Result<Report, Failure> {
    let items = clients.iter().map(members).collect::<Result<Value, _>>()?;
    let json = json!({
        "items": items,
        "next_page_token": next,
        "is_last_page": next.is_empty(),
    });
    let rows = clients.iter().map(row).collect();
    Ok(Report::list(CLIENT, rows, json).with_next_page(next))
}

/// What a client has; what it has not (`null`) is left out.
fn members(client: &Client) -> Result<Value, Failure> {
    let mut json = serde_json::to_value(client)
        .map_err(|error| Failure::new(format!("the client cannot be shown: {error}")))?;
    if let Value::Object(members) = &mut json {
        members.retain(|_, value| !value.is_null());
    }
    Ok(sorted(json))
}

fn row(client: &Client) -> Vec<String> {
    use secrecy::ExposeSecret as _;

    let list = |items: &Option<Vec<String>>| items.as_deref().unwrap_or_default().join(", ");
    let secret = client
        .client_secret
        .as_ref()
        .map(|secret| secret.expose_secret().to_owned());
    vec![
        client.client_id.clone(),
        secret.unwrap_or_default(),
        list(&client.grant_types),
        list(&client.response_types),
        client.scope.clone(),
        client.audience.join(","),
        list(&client.redirect_uris),
    ]
}

/// A set of keys as the admin API answers it, private parts included.
#[derive(Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Map<String, Value>>,
}

/// A key and the set it is of.
pub(super) struct Key {
    set: String,
    members: Value,
}

impl From<Vec<Map<String, Value>>> for KeySet {
    fn from(keys: Vec<Map<String, Value>>) -> Self {
        Self { keys }
    }
}

impl KeySet {
    /// The keys of a set, whole or their public parts.
    pub(super) fn keys(self, set: &str, public: bool) -> Vec<Key> {
        let keys = self.keys.into_iter().map(|mut members| {
            members.retain(|name, value| {
                !value.is_null() && (!public || PUBLIC.contains(&name.as_str()))
            });
            Key {
                set: set.to_owned(),
                members: sorted(Value::Object(members)),
            }
        });
        keys.collect()
    }
}

/// One key.
pub(super) fn key(key: &Key) -> Report {
    Report::object(KEY, key.row(), key.members.clone()).identified_by(KEY_ID)
}

/// Several keys, as a set with a name.
pub(super) fn key_set(name: &str, keys: &[Key]) -> Report {
    let members: Vec<&Value> = keys.iter().map(|key| &key.members).collect();
    let json = json!({"set": name, "keys": members});
    Report::list(KEY, keys.iter().map(Key::row).collect(), json).identified_by(KEY_ID)
}

impl Key {
    fn row(&self) -> Vec<String> {
        let text = |name: &str| self.members[name].as_str().unwrap_or_default().to_owned();
        vec![self.set.clone(), text("kid"), text("alg"), text("use")]
    }
}

/// A moment as Go prints it, to the second.
pub(super) fn time(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}
