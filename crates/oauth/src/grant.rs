//! Grant types.

/// The name of the grant that machines use (RFC 6749, section 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The name of the grant of codes (RFC 6749, section 4.1).
pub const AUTHORIZATION_CODE: &str = "authorization_code";

/// The name of the grant of refresh tokens (RFC 6749, section 6).
pub const REFRESH_TOKEN: &str = "refresh_token";

/// The name of the grant of devices (RFC 8628).
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The name of the grant of assertions (RFC 7523, section 2.1).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The name of the grant of tokens (RFC 8693).
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A grant type that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// A client on its own behalf.
    ClientCredentials,
    /// A code that a person's browser brought.
    AuthorizationCode,
    /// A refresh token.
    RefreshToken,
    /// A device whose person is elsewhere.
    DeviceCode,
    /// An assertion of an issuer that is trusted.
    JwtBearer,
    /// A token that was shown to the client.
    TokenExchange,
}

impl Grant {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::ClientCredentials,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::JwtBearer,
        Self::TokenExchange,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => CLIENT_CREDENTIALS,
            Self::AuthorizationCode => AUTHORIZATION_CODE,
            Self::RefreshToken => REFRESH_TOKEN,
            Self::DeviceCode => DEVICE_CODE,
            Self::JwtBearer => JWT_BEARER,
            Self::TokenExchange => TOKEN_EXCHANGE,
        }
    }

    /// The grant of that name; names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}
