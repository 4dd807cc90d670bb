//! Secrets: `data` (base64) and `stringData` (text, which wins), never printed.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use carnet_config::diagnostics::Diagnostic;
use carnet_config::document::{Node, Value};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::manifests::ManifestObject;

/// The values of a Secret.
#[derive(Debug, Clone, Default)]
pub struct Secret {
    values: BTreeMap<String, SecretSlice<u8>>,
}

impl Secret {
    /// Reads an object of kind Secret.
    ///
    /// # Errors
    /// A value that is no base64, or no text; the message names its key.
    pub(super) fn read(object: &ManifestObject) -> Result<Self, Diagnostic> {
        let mut values = BTreeMap::new();
        for (key, node) in entries(object, "data")? {
            let encoded = value(object, "data", key, node)?;
            let packed: String = encoded.split_ascii_whitespace().collect();
            let bytes = STANDARD.decode(packed).map_err(|_| {
                object.finding(
                    &["data", key],
                    "this is no base64; write plain text under `stringData`",
                )
            })?;
            values.insert(key.to_owned(), bytes.into());
        }
        for (key, node) in entries(object, "stringData")? {
            let text = value(object, "stringData", key, node)?;
            values.insert(key.to_owned(), text.as_bytes().to_vec().into());
        }
        Ok(Self { values })
    }

    /// The keys there are.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A value as text; `None` when the key is absent or its value is not UTF-8.
    pub fn text(&self, key: &str) -> Option<SecretString> {
        let bytes = self.values.get(key)?.expose_secret();
        Some(str::from_utf8(bytes).ok()?.to_owned().into())
    }
}

fn entries<'a>(
    object: &'a ManifestObject,
    field: &'static str,
) -> Result<Vec<(&'a str, &'a Node)>, Diagnostic> {
    match object.node.member(field).map(|node| &node.value) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Map(members)) => Ok(members
            .iter()
            .map(|member| (member.key.as_str(), &member.value))
            .collect()),
        Some(_) => Err(object.finding(&[field], "expects a map of texts")),
    }
}

fn value<'a>(
    object: &ManifestObject,
    field: &str,
    key: &str,
    node: &'a Node,
) -> Result<&'a str, Diagnostic> {
    match node.value {
        Value::Null => Ok(""),
        _ => node
            .scalar()
            .ok_or_else(|| object.finding(&[field, key], "expects a text")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::kubernetes::manifests;

    fn read(body: &str) -> Result<Secret, Diagnostic> {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{body}");
        Secret::read(&manifests::parse(&text, "s.yaml").unwrap().objects[0])
    }

    #[test]
    fn string_data_wins_over_data_and_numbers_are_their_text() {
        let secret = read("data: {a: eA==, b: eQ==}\nstringData: {b: z, c: 0755}\n").unwrap();
        let text = |key| secret.text(key).map(|text| text.expose_secret().to_owned());
        assert_eq!(text("a").as_deref(), Some("x"));
        assert_eq!(text("b").as_deref(), Some("z"));
        assert_eq!(text("c").as_deref(), Some("0755"));
        assert_eq!(text("d"), None);
    }

    // Holds SE-05.
    #[test]
    fn neither_findings_nor_debug_show_a_value() {
        let finding = read("data: {a: canary!}\n").unwrap_err();
        assert_eq!(finding.key, "data.a");
        assert!(!finding.to_string().contains("canary"));
        let secret = read("stringData: {a: canary}\n").unwrap();
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
