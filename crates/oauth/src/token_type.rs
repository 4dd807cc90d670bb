//! Types of tokens (RFC 8693, section 3).

/// An access token, signed or opaque.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A JWT.
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What stands for the kind of a token that is none to be shown (section 2.2.1).
pub const NOT_APPLICABLE: &str = "N_A";
