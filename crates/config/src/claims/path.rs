//! Where a claim stands in a token.

use std::fmt;

use serde_json::Value;

/// Where a claim stands in a token: names from the root, joined by dots; `\.` is a dot inside a
/// name and `\\` a backslash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(pub Vec<String>);

impl ClaimPath {
    /// Parses a path. The error is one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut names = vec![String::new()];
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '.' {
                names.push(String::new());
                continue;
            }
            let escaped = match c {
                '\\' => rest.next_if(|next| matches!(next, '.' | '\\')),
                _ => None,
            };
            if let Some(name) = names.last_mut() {
                name.push(escaped.unwrap_or(c));
            }
        }
        if names.iter().any(String::is_empty) {
            return Err("a name in the path of the claim is empty; write `\\.` for a dot".into());
        }
        Ok(Self(names))
    }

    /// The claim, if the token has it. Walks objects; never an index of a list.
    pub fn find<'a>(&self, claims: &'a Value) -> Option<&'a Value> {
        self.0
            .iter()
            .try_fold(claims, |value, name| value.as_object()?.get(name))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .0
            .iter()
            .map(|name| name.replace('\\', "\\\\").replace('.', "\\."))
            .collect();
        f.write_str(&names.join("."))
    }
}
