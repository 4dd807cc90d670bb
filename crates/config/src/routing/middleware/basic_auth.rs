//! `basicAuth`: who may pass, by name and password (RFC 7617).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};

use crate::document::Fields;
use crate::secret::are_equal;

/// `basicAuth`, Traefik's: who may pass, by name and password (RFC 7617).
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasicAuth {
    /// Items `name:hash`; the hash is `$2y$` (`htpasswd -nB name`), `$apr1$`, `$1$` or `{SHA}`.
    #[serde(serialize_with = "redacted")]
    #[schemars(with = "Vec<String>")]
    pub users: BTreeMap<String, SecretString>,
    /// File with more of them, one a line, read again when it changes. Names that are in `users` stay
    /// as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_file: Option<String>,
    /// Told to clients. Default `traefik`.
    pub realm: String,
    /// Header in which the service gets the name. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_field: Option<String>,
    /// Takes the password off the request. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remove_header: bool,
}

/// Names and not one hash.
fn redacted<S: Serializer>(
    users: &BTreeMap<String, SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(users.keys().map(|name| format!("{name}:REDACTED")))
}

impl PartialEq for BasicAuth {
    fn eq(&self, other: &Self) -> bool {
        let rest = |auth: &Self| {
            let field = auth.header_field.clone();
            (
                auth.users_file.clone(),
                auth.realm.clone(),
                field,
                auth.remove_header,
            )
        };
        are_equal(&self.users, &other.users) && rest(self) == rest(other)
    }
}

/// How items of `users` are written and read.
pub(super) struct Items {
    /// How one is written.
    pub(super) form: &'static str,
    /// Reads some of them.
    pub(super) parse: fn(&mut dyn Iterator<Item = &str>) -> Result<Users, String>,
}

/// Secrets by names.
type Users = BTreeMap<String, SecretString>;

const ITEMS: Items = Items {
    form: "name:hash",
    parse: |items| parse_users(items),
};

impl BasicAuth {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self::of(fields, &ITEMS))
    }

    /// Reads the options where `users` are these items.
    pub(super) fn of(fields: &mut Fields<'_>, items: &Items) -> Self {
        let users = fields.texts("users");
        let users_file = fields.text("usersFile").filter(|path| !path.is_empty());
        let realm = fields.text("realm").filter(|realm| !realm.is_empty());
        let header_field = fields.text("headerField").filter(|name| !name.is_empty());
        let remove_header = fields.boolean("removeHeader").unwrap_or(false);
        if users.is_empty() && users_file.is_none() {
            let message = format!(
                "there is no user, so nobody could pass; name them in `users` as `{}`, or in \
                 `usersFile`",
                items.form
            );
            fields.error("users", message);
        }
        let users = match (items.parse)(&mut users.iter().map(String::as_str)) {
            Ok(users) => users,
            Err(message) => {
                fields.error("users", message);
                BTreeMap::new()
            }
        };
        Self {
            users,
            users_file,
            realm: realm.unwrap_or_else(|| "traefik".to_owned()),
            header_field,
            remove_header,
        }
    }

    /// Adds the users of `usersFile`: one a line, without empty lines and those that begin with `#`.
    /// The error is one sentence.
    pub(in crate::routing) fn read_users_file(
        &mut self,
        read: &mut dyn FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<(), String> {
        self.read_file_of(&ITEMS, read)
    }

    /// As [`Self::read_users_file`], where lines are these items.
    pub(super) fn read_file_of(
        &mut self,
        items: &Items,
        read: &mut dyn FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<(), String> {
        let Some(path) = &self.users_file else {
            return Ok(());
        };
        let text = read(path).map_err(|reason| format!("`{path}` cannot be read: {reason}"))?;
        let lines = text.expose_secret().lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let users = (items.parse)(&mut lines).map_err(|reason| format!("`{path}`: {reason}"))?;
        for (name, hash) in users {
            self.users.entry(name).or_insert(hash);
        }
        match self.users.is_empty() {
            true => Err(format!("`{path}` names no user, so nobody could pass")),
            false => Ok(()),
        }
    }
}

/// Reads `name:hash` items; the first of a name stays. The error is one sentence, without an item.
fn parse_users(items: &mut dyn Iterator<Item = &str>) -> Result<Users, String> {
    let mut users = BTreeMap::new();
    for (at, item) in items.enumerate() {
        let place = at + 1;
        let pair = item.split_once(':').filter(|(_, hash)| !hash.contains(':'));
        let Some((name, hash)) = pair else {
            return Err(format!("user {place} is not `name:hash`, with one colon"));
        };
        if !is_known(hash) {
            return Err(format!(
                "the hash of user {place} is of no kind that is verified; make one with \
                 `htpasswd -nB name`"
            ));
        }
        users.entry(name.to_owned()).or_insert_with(|| hash.into());
    }
    Ok(users)
}

pub(super) fn is_known(hash: &str) -> bool {
    let kinds = ["$2a$", "$2b$", "$2x$", "$2y$", "$apr1$", "$1$", "{SHA}"];
    kinds.iter().any(|kind| hash.starts_with(kind))
}
