//! Grant types.

/// The name of the grant that machines use (RFC 6749, section 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A grant type that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A client on its own behalf.
    ClientCredentials,
}

impl Grant {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => CLIENT_CREDENTIALS,
        }
    }

    /// The grant of that name; names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ClientCredentials]
            .into_iter()
            .find(|grant| grant.name() == name)
    }
}
