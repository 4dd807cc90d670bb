//! `digestAuth`: who may pass, by a name and a password that is not sent (RFC 7616).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Serialize;

use super::basic_auth::{BasicAuth, Items};
use crate::document::Fields;

/// `digestAuth`, Traefik's. Its options are those of `basicAuth`, but that a user is
/// `name:realm:digest`, as `htdigest` writes it: MD5 of `name:realm:password`, in hexadecimal digits.
/// The users are by name and realm, joined by a colon.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DigestAuth(pub BasicAuth);

const ITEMS: Items = Items {
    form: "name:realm:digest",
    parse: parse_users,
};

impl DigestAuth {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self(BasicAuth::of(fields, &ITEMS)))
    }

    /// As that of `basicAuth`.
    pub(in crate::routing) fn read_users_file(
        &mut self,
        read: &mut dyn FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<(), String> {
        self.0.read_file_of(&ITEMS, read)
    }
}

/// Reads the items; the first of a name and realm stays. The error is one sentence, without an item.
fn parse_users(
    items: &mut dyn Iterator<Item = &str>,
) -> Result<BTreeMap<String, SecretString>, String> {
    let mut users = BTreeMap::new();
    for (at, item) in items.enumerate() {
        let place = at + 1;
        let parts: Vec<&str> = item.split(':').collect();
        let [name, realm, digest] = parts.as_slice() else {
            return Err(format!(
                "user {place} is not `name:realm:digest`, with two colons"
            ));
        };
        let is_digest = digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_digest {
            return Err(format!(
                "the digest of user {place} is none; make one with `htdigest`"
            ));
        }
        let digest = digest.to_ascii_lowercase();
        let entry = users.entry(format!("{name}:{realm}"));
        entry.or_insert_with(|| digest.into());
    }
    Ok(users)
}
