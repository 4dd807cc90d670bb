//! The errors of RFC 6749, section 5.2, and of its family.

use serde::{Deserialize, Serialize};

/// A code of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorCode {
    /// The request lacks a parameter or has a bad one.
    InvalidRequest,
    /// The client is not who it says.
    InvalidClient,
    /// The grant is not valid.
    InvalidGrant,
    /// The client may not use the grant.
    UnauthorizedClient,
    /// The grant type is unknown.
    UnsupportedGrantType,
    /// The scope is unknown or not allowed.
    InvalidScope,
    /// A policy says no.
    AccessDenied,
    /// Something is broken.
    ServerError,
    /// Something is out of reach for now.
    TemporarilyUnavailable,
    /// A bearer token is missing or bad.
    RequestUnauthorized,
    /// A resource is unknown or not allowed (RFC 8707).
    InvalidTarget,
    /// An assertion was used before (Hydra's code).
    JtiKnown,
    /// The response type is unknown or not the client's.
    UnsupportedResponseType,
    /// The response mode is unknown.
    UnsupportedResponseMode,
    /// `state` is too short to protect anything (Hydra's code).
    InvalidState,
    /// The browser is not the one that began (Hydra's code).
    RequestForbidden,
    /// The person would have to log in, and must not be asked (OpenID Connect Core, section 3.1.2.6).
    LoginRequired,
    /// The person would have to consent, and must not be asked.
    ConsentRequired,
    /// Parameters came in a signed text (`request`), which is not taken.
    RequestNotSupported,
    /// Parameters lie elsewhere (`request_uri`), from where they are not fetched.
    RequestUriNotSupported,
    /// The client describes itself in its request (`registration`), which is not taken.
    RegistrationNotSupported,
    /// The person of a device has not consented yet (RFC 8628, section 3.5).
    AuthorizationPending,
    /// The code of a device is over.
    ExpiredToken,
}

impl ErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::RequestUnauthorized => "request_unauthorized",
            Self::InvalidTarget => "invalid_target",
            Self::JtiKnown => "jti_known",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedResponseMode => "unsupported_response_mode",
            Self::InvalidState => "invalid_state",
            Self::RequestForbidden => "request_forbidden",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::AuthorizationPending => "authorization_pending",
            Self::ExpiredToken => "expired_token",
        }
    }
}

/// An error with a sentence for the people who read it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct Error {
    /// The code.
    pub code: ErrorCode,
    /// The sentence.
    pub description: String,
}

impl Error {
    /// An error.
    #[must_use]
    pub fn new(code: ErrorCode, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }
}

/// An error on the wire. The code is a text: other servers have codes of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The code.
    pub error: String,
    /// The sentence.
    #[serde(default)]
    pub error_description: String,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        Self {
            error: error.code.as_str().to_owned(),
            error_description: printable(&error.description),
        }
    }
}

/// RFC 6749 allows `%x20-21 / %x23-5B / %x5D-7E` in a description, and what a request sent must not
/// come back raw.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Holds TE-23, TE-24.
    #[test]
    fn descriptions_carry_nothing_that_the_rfc_forbids() {
        let error = Error::new(ErrorCode::InvalidScope, "a \"b\" \\ \r\n\0 \u{fc}");
        let body = ErrorBody::from(&error);
        assert_eq!(body.error, "invalid_scope");
        assert_eq!(body.error_description, "a 'b' / ??? ?");
    }
}
