//! Client assertions: recordings say in what they differ from a good one, scenarios what they hold.

use serde_json::{Map, Value, json};

/// Ids that the recording has written out, with their names.
const WRITTEN_OUT: [(&str, &str); 2] = [
    ("e40347de-8432-4e48-bde1-4a3b6bcf4a8f", "{{c.client_id}}"),
    ("2d12babb-e824-4513-8c07-8c92bdc2889e", "{{p.client_id}}"),
];

/// A value of a form.
pub(super) fn value(value: Value) -> Value {
    match value {
        Value::String(text) => named(text).into(),
        other => match other.get("assertion") {
            Some(recorded) => json!({"assertion": assertion(recorded)}),
            None => other,
        },
    }
}

/// The keys of assertions are made anew for each run: nobody has the private part of the recorded
/// one.
pub(super) fn with_open_keys(mut client: Value) -> Value {
    let keys = client
        .pointer_mut("/jwks/keys")
        .and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten() {
        let is_rsa = key.get("n").is_some();
        if let Some(members) = key.as_object_mut().filter(|_| is_rsa) {
            members.shift_remove("n");
            members.shift_remove("e");
            *key = json!({"generated_key": key});
        }
    }
    client
}

fn assertion(recorded: &Value) -> Value {
    let mut header = Map::new();
    for name in ["alg", "kid"] {
        if let Some(value) = recorded.get(name).filter(|value| !value.is_null()) {
            header.insert(name.to_owned(), value.clone());
        }
    }
    let mut claims = Map::from_iter([
        ("iss".to_owned(), json!("{{c.client_id}}")),
        ("sub".to_owned(), json!("{{c.client_id}}")),
        (
            "aud".to_owned(),
            json!("http://hydra.hydra.svc:4444/oauth2/token"),
        ),
        ("exp".to_owned(), json!("now+60")),
        ("iat".to_owned(), json!("now")),
        ("jti".to_owned(), json!("fresh")),
    ]);
    let differing = recorded.get("differs_from_good").and_then(Value::as_object);
    for (name, value) in differing.into_iter().flatten() {
        match value {
            Value::Null => claims.shift_remove(name),
            Value::String(text) => claims.insert(name.clone(), list_or_text(text)),
            other => claims.insert(name.clone(), other.clone()),
        };
    }
    let is_registered = recorded.get("signed_by_registered_key") == Some(&json!(true));
    let signed_by = if is_registered { "registered" } else { "other" };
    json!({"header": header, "claims": claims, "signed_by": signed_by})
}

/// Lists are recorded as Python prints them.
fn list_or_text(text: &str) -> Value {
    let list = text.starts_with('[').then(|| text.replace('\'', "\""));
    list.and_then(|list| serde_json::from_str(&list).ok())
        .unwrap_or_else(|| named(text.to_owned()).into())
}

fn named(text: String) -> String {
    let known = WRITTEN_OUT.iter().find(|(id, _)| *id == text);
    known.map_or(text, |(_, name)| (*name).to_owned())
}
