//! Options that hold credentials: weakly typed texts that never show up in a message.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

use crate::document::Fields;

/// Whether two maps have the same secrets. It tells an old configuration from a new one; no client has
/// a say in either, so how long it takes tells nobody anything.
pub(crate) fn are_equal(
    one: &BTreeMap<String, SecretString>,
    other: &BTreeMap<String, SecretString>,
) -> bool {
    let is_equal =
        |(one, other): (&SecretString, &SecretString)| one.expose_secret() == other.expose_secret();
    one.keys().eq(other.keys()) && one.values().zip(other.values()).all(is_equal)
}

/// A credential of which only the holder knows, like a client secret.
pub(crate) fn secret(fields: &mut Fields<'_>, key: &'static str) -> Option<SecretString> {
    credential(fields, key).map(SecretString::from)
}

/// A credential, like a client id. An empty one counts as absent. One that still is the variable
/// which a template should have replaced is an error; a reference to a Kubernetes secret that
/// nobody resolved is a literal, as in Traefik, with a warning; one of the file provider's is an
/// error.
pub(crate) fn credential(fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key).filter(|text| !text.is_empty())?;
    look_at(fields, key, &text);
    Some(text)
}

/// What [`credential`] says about a text.
pub(crate) fn look_at(fields: &mut Fields<'_>, key: &str, text: &str) {
    refuse_placeholder(fields, key, text);
    if text.starts_with("urn:k8s:") {
        let message = "is taken to the letter: only Kubernetes objects refer to secrets so, as \
                       `urn:k8s:secret:NAME:KEY`; files write `urn:file:PATH` or `urn:env:NAME`";
        fields.warn(key, message);
    }
    if text.starts_with("urn:file:") || text.starts_with("urn:env:") {
        let message = "refers to a file or a variable, which only middlewares of the file \
                       provider can";
        fields.error(key, message);
    }
}

/// An error where a template left its variable in a credential.
pub(crate) fn refuse_placeholder(fields: &mut Fields<'_>, key: &str, text: &str) {
    if let Some(variable) = Placeholder::of(text) {
        let name = variable.printable().map_or_else(
            || "a variable that nothing replaced".to_owned(),
            |name| format!("`{name}`, which nothing replaced"),
        );
        let message = format!("is still {name}; set it before you apply the file");
        fields.error(key, message);
    }
}

/// `$NAME` or `${NAME}`, as `envsubst` replaces them.
struct Placeholder<'a> {
    text: &'a str,
    braced: bool,
}

impl<'a> Placeholder<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix('$')?;
        let inner = rest.strip_prefix('{').and_then(|r| r.strip_suffix('}'));
        let name = inner.unwrap_or(rest);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(is_word);
        is_name.then_some(Self {
            text,
            braced: inner.is_some(),
        })
    }

    /// `$word` in lower case might be a secret after all: it is refused, but not repeated.
    fn printable(&self) -> Option<&'a str> {
        let is_shouted = !self.text.contains(|c: char| c.is_ascii_lowercase());
        (self.braced || is_shouted).then_some(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Placeholder;

    #[test]
    fn whole_variables_are_placeholders_and_nothing_else_is() {
        let rows = [
            ("$CLIENT_ID", Some(Some("$CLIENT_ID"))),
            ("${CLIENT_ID}", Some(Some("${CLIENT_ID}"))),
            ("${client_id}", Some(Some("${client_id}"))),
            ("$hunter2", Some(None)),
            ("$", None),
            ("${}", None),
            ("$2y$10$abc", None),
            ("${A", None),
            ("a$B", None),
            ("$A$B", None),
            ("$A-B", None),
        ];
        for (text, expected) in rows {
            let found = Placeholder::of(text).map(|placeholder| placeholder.printable());
            assert_eq!(found, expected, "{text}");
        }
    }
}
