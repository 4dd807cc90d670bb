//! Grant types.

/// The name of the grant that machines use (RFC 6749, section 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The name of the grant of codes (RFC 6749, section 4.1).
pub const AUTHORIZATION_CODE: &str = "authorization_code";

/// The name of the grant of refresh tokens (RFC 6749, section 6).
pub const REFRESH_TOKEN: &str = "refresh_token";

/// A grant type that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A client on its own behalf.
    ClientCredentials,
    /// A code that a person's browser brought.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
}

impl Grant {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => CLIENT_CREDENTIALS,
            Self::AuthorizationCode => AUTHORIZATION_CODE,
            Self::RefreshToken => REFRESH_TOKEN,
        }
    }

    /// The grant of that name; names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}
