//! Certificates and keys: PEM text, or the file that holds it. Traefik takes either in one option.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{Middleware, RoutingConfig, ServersTransport};
use crate::diagnostics::{Diagnostic, Object, Position, Severity};
use crate::document::Fields;

/// What every PEM text has and no path.
const MARK: &str = "-----BEGIN";

/// PEM text, or the path where it is until the provider has read it.
#[derive(Clone)]
pub enum Pem {
    /// A path, as written.
    File {
        /// The path.
        path: String,
        /// Dotted path of the option that names it.
        key: String,
        /// Where the option stands.
        position: Position,
    },
    /// The text; of a key it is a secret, so of all.
    Text(SecretString),
}

impl Pem {
    /// Reads an option that must be there.
    pub(super) fn required(fields: &mut Fields<'_>, key: &'static str) -> Option<Self> {
        let text = fields.required_text(key)?;
        Some(Self::read(text, fields.dotted(key), fields.position()))
    }

    /// Reads an option that may be there; an empty one is not.
    pub(super) fn optional(fields: &mut Fields<'_>, key: &'static str) -> Option<Self> {
        let text = fields.text(key).filter(|text| !text.is_empty())?;
        Some(Self::read(text, fields.dotted(key), fields.position()))
    }

    /// Reads an option that is a set of keys in JSON, or the path of one; an empty one is neither.
    pub(super) fn optional_set(fields: &mut Fields<'_>, key: &'static str) -> Option<Self> {
        let text = fields.text(key).filter(|text| !text.is_empty())?;
        Some(match text.trim_start().starts_with('{') {
            true => Self::from(text),
            false => Self::read(text, fields.dotted(key), fields.position()),
        })
    }

    /// Reads an option that is a list of them.
    pub(super) fn list(fields: &mut Fields<'_>, key: &'static str) -> Vec<Self> {
        let dotted = fields.dotted(key);
        let texts = fields.placed_texts(key).into_iter().enumerate();
        let texts = texts.map(|(index, (text, node))| (index, text, node.position.clone()));
        texts
            .map(|(index, text, at)| Self::read(text, format!("{dotted}[{index}]"), &at))
            .collect()
    }

    fn read(text: String, key: String, position: &Position) -> Self {
        match text.contains(MARK) {
            true => Self::Text(text.into()),
            false => Self::File {
                path: text,
                key,
                position: position.clone(),
            },
        }
    }

    /// The text; `None` while it is in a file that nobody has read.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose_secret()),
            Self::File { .. } => None,
        }
    }
}

impl From<String> for Pem {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text([PEM])"),
        }
    }
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Pem {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { path: one, .. }, Self::File { path: other, .. }) => one == other,
            _ => self.text().is_some() && self.text() == other.text(),
        }
    }
}

/// Options that hold certificates or keys.
pub(super) trait HoldsPem {
    /// All of them.
    fn pems(&mut self) -> Vec<&mut Pem>;
}

impl RoutingConfig {
    /// Puts the text of files in the place of their paths. `read` gives a file's text, or why it
    /// has none; an object with a file that cannot be read is closed.
    pub fn read_files(&mut self, read: &mut dyn FnMut(&str) -> Result<SecretString, String>) {
        for (name, object) in self.servers_transports.iter_mut() {
            fill(object, &format!("serversTransport {name}"), read);
        }
        let tls = &mut *self.tls;
        for object in &mut tls.certificates {
            fill(object, "tls certificate", read);
        }
        for (name, object) in &mut tls.options {
            fill(object, &format!("tls option {name}"), read);
        }
        for (name, object) in &mut tls.stores {
            fill(object, &format!("tls store {name}"), read);
        }
        for (name, object) in self.middlewares.iter_mut() {
            fill(object, &format!("middleware {name}"), read);
            let kind = object.value.as_ref().map_or("", Middleware::kind);
            let outcome = match &mut object.value {
                Some(Middleware::BasicAuth(auth)) => auth.read_users_file(read),
                Some(Middleware::DigestAuth(auth)) => auth.read_users_file(read),
                _ => continue,
            };
            if let Err(message) = outcome {
                object.diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    object: format!("middleware {name}"),
                    key: format!("{kind}.usersFile"),
                    message,
                    position: None,
                });
            }
        }
    }
}

impl ServersTransport {
    /// The same of a transport that belongs to no provider.
    ///
    /// # Errors
    /// One sentence about the first file that cannot be read.
    pub fn read_files(
        &mut self,
        read: &mut dyn FnMut(&str) -> Result<SecretString, String>,
    ) -> Result<(), String> {
        for pem in self.pems() {
            if let Pem::File { path, key, .. } = pem {
                let text = read(path)
                    .map_err(|reason| format!("{key}: `{path}` cannot be read: {reason}"))?;
                *pem = Pem::Text(text);
            }
        }
        Ok(())
    }
}

impl HoldsPem for Middleware {
    fn pems(&mut self) -> Vec<&mut Pem> {
        match self {
            Self::Jwt(options) => options.pems(),
            Self::RateLimit(options) => options.pems(),
            Self::ForwardAuth(options) => options.pems(),
            _ => Vec::new(),
        }
    }
}

fn fill<T: HoldsPem>(
    object: &mut Object<T>,
    name: &str,
    read: &mut dyn FnMut(&str) -> Result<SecretString, String>,
) {
    for pem in object.value.iter_mut().flat_map(HoldsPem::pems) {
        let Pem::File {
            path,
            key,
            position,
        } = pem
        else {
            continue;
        };
        match read(path) {
            Ok(text) => *pem = Pem::Text(text),
            Err(reason) => object.diagnostics.push(Diagnostic {
                severity: Severity::Error,
                object: name.to_owned(),
                key: key.clone(),
                message: format!("`{path}` cannot be read: {reason}"),
                position: Some(position.clone()),
            }),
        }
    }
}
