//! The only place where an error becomes a status.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use carnet_jose::Algorithm;
use carnet_oauth::{Error as OauthError, ErrorBody, ErrorCode, dpop, error::printable};
use utoipa::{
    IntoResponses, PartialSchema as _,
    openapi::{ContentBuilder, RefOr, Response as DescribedResponse, ResponseBuilder},
};

use crate::{
    domain::{AdminError, Missing, TokenError},
    http::{answer, body::BodyError},
};

/// When to come back, in seconds.
const RETRY_AFTER: u64 = 1;

/// What a client's next proof of possession is to have (RFC 9449, section 8).
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static(dpop::NONCE_HEADER);

/// An error of an endpoint of RFC 6749 and its family, and whether its body ends with a newline.
#[derive(Debug)]
pub(super) struct OauthFailure {
    error: TokenError,
    newline: bool,
    /// The status, when it is not that of the error.
    status: Option<StatusCode>,
}

impl OauthFailure {
    /// An error of an endpoint whose bodies end with a newline.
    pub(super) fn with_newline(self) -> Self {
        Self {
            newline: true,
            ..self
        }
    }
}

impl From<TokenError> for OauthFailure {
    fn from(error: TokenError) -> Self {
        Self {
            error,
            newline: false,
            status: None,
        }
    }
}

impl From<OauthError> for OauthFailure {
    fn from(error: OauthError) -> Self {
        TokenError::from(error).into()
    }
}

impl From<BodyError> for OauthFailure {
    fn from(error: BodyError) -> Self {
        let (status, text) = body_failure(error);
        let error = TokenError::refused(ErrorCode::InvalidRequest, text);
        Self {
            error,
            newline: false,
            status: Some(status),
        }
    }
}

impl IntoResponse for OauthFailure {
    fn into_response(self) -> Response {
        let wait = match &self.error {
            TokenError::Limited(wait) => whole_seconds(*wait),
            _ => RETRY_AFTER,
        };
        let nonce = self.error.nonce();
        let (status, error) = self.error.into_answer();
        let status = self.status.unwrap_or(status);
        let write = if self.newline {
            answer::json
        } else {
            answer::bare_json
        };
        let body = ErrorBody::from(&error);
        let mut response = answer::uncached(write(status, answer::OAUTH_JSON, &body));
        if status == StatusCode::UNAUTHORIZED {
            answer::set(
                &mut response,
                header::WWW_AUTHENTICATE,
                "Basic realm=\"oauth2\"",
            );
        }
        if error.code == ErrorCode::TemporarilyUnavailable {
            answer::set_text(&mut response, header::RETRY_AFTER, &wait.to_string());
        }
        if let Some(nonce) = nonce {
            answer::set_text(&mut response, DPOP_NONCE, &nonce);
        }
        response
    }
}

impl TokenError {
    /// The nonce that the client is to use.
    fn nonce(&self) -> Option<String> {
        match self {
            Self::Nonce(nonce) => Some(nonce.clone()),
            _ => None,
        }
    }

    fn into_answer(self) -> (StatusCode, OauthError) {
        match self {
            Self::Refused(error) => (status_of(error.code), error),
            Self::Nonce(_) => (StatusCode::BAD_REQUEST, needs_nonce()),
            Self::Busy => (
                StatusCode::TOO_MANY_REQUESTS,
                later("Too many requests wait."),
            ),
            Self::Limited(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                later("Too many requests for now."),
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                later("The database does not answer."),
            ),
        }
    }
}

/// Rounded up: who comes a moment early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// An error of an endpoint that takes a bearer token (RFC 6750, section 3).
#[derive(Debug)]
pub(super) struct BearerFailure(OauthFailure);

impl<E: Into<OauthFailure>> From<E> for BearerFailure {
    fn from(error: E) -> Self {
        Self(error.into().with_newline())
    }
}

impl IntoResponse for BearerFailure {
    fn into_response(self) -> Response {
        let nonce = self.0.error.nonce();
        let Some((challenge, body)) = challenge(&self.0.error) else {
            return self.0.into_response();
        };
        let mut response = answer::json(StatusCode::UNAUTHORIZED, answer::ERROR_JSON, &body);
        answer::set_text(&mut response, header::WWW_AUTHENTICATE, &challenge);
        if let Some(nonce) = nonce {
            answer::set_text(&mut response, DPOP_NONCE, &nonce);
        }
        response
    }
}

/// What a bearer is asked for (RFC 6750, section 3, and RFC 9449, section 7.1); `None` where nothing
/// that it shows would help.
fn challenge(error: &TokenError) -> Option<(String, ErrorBody)> {
    let (code, body) = match error {
        TokenError::Refused(error) => (error.code, ErrorBody::from(error)),
        TokenError::Nonce(_) => (ErrorCode::UseDpopNonce, ErrorBody::from(&needs_nonce())),
        _ => return None,
    };
    let told = format!(
        "error=\"{}\",error_description=\"{}\"",
        body.error, body.error_description
    );
    let challenge = match code {
        ErrorCode::RequestUnauthorized => format!("Bearer {told}"),
        ErrorCode::InvalidToken => format!("Bearer {told}, DPoP {}", algorithms()),
        ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce => {
            format!("DPoP {told},{}", algorithms())
        }
        _ => return None,
    };
    Some((challenge, body))
}

/// By what a proof may be signed.
fn algorithms() -> String {
    format!("algs=\"{}\"", Algorithm::ALL.map(Algorithm::name).join(" "))
}

fn needs_nonce() -> OauthError {
    let text = "The DPoP proof needs the nonce of this answer.";
    OauthError::new(ErrorCode::UseDpopNonce, text)
}

fn later(text: &str) -> OauthError {
    OauthError::new(ErrorCode::TemporarilyUnavailable, text)
}

const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::RequestUnauthorized | ErrorCode::InvalidToken => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::AccessDenied | ErrorCode::RequestForbidden => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::UnsupportedResponseMode
        | ErrorCode::InvalidState
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::AuthorizationPending
        | ErrorCode::ExpiredToken
        | ErrorCode::InvalidDpopProof
        | ErrorCode::UseDpopNonce
        | ErrorCode::JtiKnown => StatusCode::BAD_REQUEST,
    }
}

const fn body_failure(error: BodyError) -> (StatusCode, &'static str) {
    match error {
        BodyError::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long."),
        BodyError::Late => (
            StatusCode::REQUEST_TIMEOUT,
            "The body did not come in time.",
        ),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "The body could not be read."),
    }
}

/// An error of the admin API.
#[derive(Debug)]
pub(super) enum AdminFailure {
    /// What the domain said.
    Domain(AdminError),
    /// The body was not read.
    Body(BodyError),
}

impl From<AdminError> for AdminFailure {
    fn from(error: AdminError) -> Self {
        Self::Domain(error)
    }
}

impl From<BodyError> for AdminFailure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl IntoResponses for AdminFailure {
    fn responses() -> Described {
        described(&[
            (StatusCode::BAD_REQUEST, "The request cannot be used"),
            (StatusCode::NOT_FOUND, "It is not there"),
            (StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
            (StatusCode::CONFLICT, "One of that name is there already"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long"),
            (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
            ),
        ])
    }
}

impl IntoResponses for OauthFailure {
    fn responses() -> Described {
        described(&[
            (StatusCode::BAD_REQUEST, "The request cannot be used"),
            (StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long"),
            (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
            ),
        ])
    }
}

/// The errors of endpoints at which clients say who they are, for the description.
pub(super) struct ClientFailure;

impl IntoResponses for ClientFailure {
    fn responses() -> Described {
        let mut all = OauthFailure::responses();
        all.extend(described(&[
            (
                StatusCode::UNAUTHORIZED,
                "The client is not known by these credentials",
            ),
            (StatusCode::FORBIDDEN, "The request was refused"),
            (StatusCode::TOO_MANY_REQUESTS, "Too many requests wait"),
        ]));
        all
    }
}

impl IntoResponses for BearerFailure {
    fn responses() -> Described {
        let mut all = OauthFailure::responses();
        all.extend(described(&[(
            StatusCode::UNAUTHORIZED,
            "The token does not count",
        )]));
        all
    }
}

/// The errors of endpoints that take nothing, for the description.
pub(super) struct Failed;

impl IntoResponses for Failed {
    fn responses() -> Described {
        described(&[
            (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer",
            ),
        ])
    }
}

type Described = BTreeMap<String, RefOr<DescribedResponse>>;

/// Errors as the description of the API has them.
fn described(failures: &[(StatusCode, &str)]) -> Described {
    let response = |text: &str| {
        let body = ContentBuilder::new().schema(Some(ErrorBody::schema()));
        ResponseBuilder::new()
            .description(text)
            .content(answer::ERROR_JSON, body.build())
            .build()
    };
    let failures = failures.iter();
    failures
        .map(|(status, text)| (status.as_u16().to_string(), response(text).into()))
        .collect()
}

/// What scripts know Hydra's answers by.
const NOT_FOUND: &str = "Unable to locate the resource";
const CONFLICT: &str =
    "Unable to insert or update resource because a resource with that value exists already";
const MALFORMED: &str = "The request was malformed or contained invalid parameters";

impl IntoResponse for AdminFailure {
    fn into_response(self) -> Response {
        let (status, error, text) = match self {
            Self::Body(error) => {
                let (status, text) = body_failure(error);
                (status, MALFORMED, text.to_owned())
            }
            Self::Domain(error) => domain_failure(error),
        };
        let body = ErrorBody {
            error: error.to_owned(),
            error_description: printable(&text),
        };
        let mut response = answer::json(status, answer::ERROR_JSON, &body);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            answer::set_text(&mut response, header::RETRY_AFTER, &RETRY_AFTER.to_string());
        }
        response
    }
}

fn domain_failure(error: AdminError) -> (StatusCode, &'static str, String) {
    let bad = StatusCode::BAD_REQUEST;
    match error {
        AdminError::NotFound(Missing::Resource) => {
            (StatusCode::NOT_FOUND, NOT_FOUND, String::new())
        }
        AdminError::NotFound(Missing::KeySet) => (
            StatusCode::NOT_FOUND,
            "Not Found",
            "There is no such key set.".to_owned(),
        ),
        AdminError::NotFound(Missing::Challenge) => (
            StatusCode::NOT_FOUND,
            "Not Found",
            "There is no request of that challenge.".to_owned(),
        ),
        AdminError::Conflict => (StatusCode::CONFLICT, CONFLICT, String::new()),
        AdminError::Malformed(text) => (bad, MALFORMED, text),
        AdminError::Metadata(text) => (bad, "invalid_client_metadata", text),
        AdminError::RedirectUri(text) => (bad, "invalid_redirect_uri", text),
        AdminError::UnsupportedAlgorithm => {
            let text = "Member 'alg' must be one of RS256, RS384, RS512, PS256, PS384, PS512, \
                        ES256, ES384, ES512, EdDSA, ML-DSA-44, ML-DSA-65.";
            (bad, "Bad Request", text.to_owned())
        }
        AdminError::Parameter(text) => (bad, "invalid_request", text),
        AdminError::Unauthorized => (
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
            "There is no such client, or its token is another one.".to_owned(),
        ),
        AdminError::Expired => (
            StatusCode::UNAUTHORIZED,
            "request_unauthorized",
            "The request took too long: its browser has to begin again.".to_owned(),
        ),
        AdminError::Forbidden(text) => (StatusCode::FORBIDDEN, "request_forbidden", text),
        AdminError::Disabled(text) => (
            StatusCode::NOT_FOUND,
            "The requested resource could not be found",
            text.to_owned(),
        ),
        AdminError::Absent(text) => (bad, "missing_required_parameter", text),
        AdminError::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The database does not answer.".to_owned(),
        ),
        AdminError::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "The server failed; its log says why.".to_owned(),
        ),
    }
}
