//! Who asks for a token: a client, and the caller for whom it does.

use std::sync::Arc;

use carnet_oauth::client_auth::{Credentials, Method};
use secrecy::SecretString;

use super::key::Key;

/// Credentials in every way they can be read, the likeliest first.
pub(super) type Readings = [Credentials];

/// What a token is asked for with.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(super) readings: Arc<Readings>,
    /// A caller's token, in the place of which another one is wanted.
    pub(super) subject: Option<Arc<SecretString>>,
}

impl Asker {
    /// The likeliest reading of the client's credentials.
    pub(super) fn likeliest(&self) -> Option<&Credentials> {
        self.readings.first()
    }

    /// The client, as it calls itself.
    pub(super) fn client_id(&self) -> &str {
        self.likeliest().map_or("", |likeliest| &likeliest.id)
    }

    /// One of the ways to ask.
    pub(super) fn way<'a>(&'a self, credentials: &'a Credentials, method: Method) -> Way<'a> {
        Way {
            credentials,
            method,
            subject: self.subject.as_deref(),
        }
    }
}

/// Who wants a token.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(super) key: Key,
    pub(super) asker: Asker,
}

impl Caller {
    /// The client, as it calls itself.
    pub(crate) fn client_id(&self) -> &str {
        self.asker.client_id()
    }
}

/// One of the ways to ask for a token.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) method: Method,
    pub(super) subject: Option<&'a SecretString>,
}
