//! What can go wrong between accepting a request and answering it.
//!
//! A [`Fault`] is our failure; a 401 or a redirect that a middleware chose to give may be one too,
//! or a plain response. Only `respond.rs` knows which status a fault becomes. Its [`Reason`] is
//! a closed list, the metric label and the access log's word; who is to blame, whether another
//! attempt may help and what the client reads follow from it. The cause is for the log alone: no
//! text of a backend, a token endpoint or a library can reach a client.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::body::BodyError;

/// A request that could not be served.
#[derive(Debug)]
pub struct Fault {
    reason: Reason,
    retry_after: Option<Duration>,
    cause: Option<BodyError>,
}

/// Whose doing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client's: another request might do.
    Client,
    /// A backend's or a token endpoint's.
    Upstream,
    /// The gateway's or its configuration's.
    Gateway,
}

/// Why a request could not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The request is malformed or dangerous to read.
    BadRequest,
    /// `CONNECT`: the gateway is no forward proxy.
    ConnectMethod,
    /// `TRACE`: it would show what the gateway adds to a request.
    TraceMethod,
    /// `Expect` with something else than `100-continue`.
    UnknownExpectation,
    /// The connection was made under other TLS options than the host's.
    Misdirected,
    /// No router matches.
    NoRoute,
    /// The router, or something it needs, is missing or broken.
    RouterClosed,
    /// The service has no server, or none that is well.
    NoServer,
    /// The request's body is larger than what is kept of it.
    BodyTooLarge,
    /// There is no memory left for a request of this size.
    NoRoom,
    /// The client left before there was an answer.
    ClientGone,
    /// The caller sent no credentials that could be read, or wrong ones.
    CallerUnauthenticated,
    /// The authorization server grants this caller nothing here.
    CallerForbidden,
    /// The service that `forwardAuth` asks gave no answer that could be read.
    AuthService,
    /// The caller sent no token.
    TokenMissing,
    /// The caller sent a token that is wrong, or not his to use.
    TokenInvalid,
    /// The proof of a key beside a token is missing or wrong, or was used before.
    ProofInvalid,
    /// The proof of a key lacks a nonce of ours that still counts.
    NonceMissing,
    /// Nobody can say now whether a token is right: its keys, or its server, are out of reach.
    TokenUnverifiable,
    /// The token's claims do not satisfy the middleware's `claims`.
    ClaimsUnsatisfied,
    /// The token endpoint could not be reached, was overloaded or failed, retries included.
    TokenEndpointUnavailable,
    /// The token endpoint gave no answer in time.
    TokenEndpointTimeout,
    /// The token endpoint's answer is no token answer.
    TokenEndpointAnswer,
    /// The token endpoint refused the gateway's own credentials or request.
    TokenRefused,
    /// The backend's name does not resolve.
    UpstreamName,
    /// The backend does not accept connections.
    UpstreamConnect,
    /// The TLS handshake with the backend failed.
    UpstreamTls,
    /// The route leads back to the gateway.
    Loop,
    /// The backend closed the connection or broke the protocol before it answered.
    UpstreamBroken,
    /// No connection to the backend in time.
    UpstreamDialTimeout,
    /// The backend began no answer in time.
    UpstreamHeaderTimeout,
    /// A defect of the gateway.
    Internal,
}

impl Fault {
    /// A fault without a cause.
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            retry_after: None,
            cause: None,
        }
    }

    /// What the log says of it. Must hold no secret.
    #[must_use]
    pub fn because(mut self, cause: impl Into<BodyError>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// When the client may ask again: sent as `Retry-After`, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The wait asked of the client, if any.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whose doing it is.
    pub fn side(&self) -> Side {
        self.reason.side()
    }

    /// Whether the request reached nobody, so that another attempt does no harm.
    pub fn retry(&self) -> bool {
        self.reason.retry()
    }

    /// What the client reads.
    pub fn text(&self) -> &'static str {
        self.reason.text()
    }
}

impl Reason {
    /// The word of logs and metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::ConnectMethod => "connect_method",
            Self::TraceMethod => "trace_method",
            Self::UnknownExpectation => "unknown_expectation",
            Self::Misdirected => "misdirected",
            Self::NoRoute => "no_route",
            Self::RouterClosed => "router_closed",
            Self::NoServer => "no_server",
            Self::BodyTooLarge => "body_too_large",
            Self::NoRoom => "no_room",
            Self::ClientGone => "client_gone",
            Self::CallerUnauthenticated => "caller_unauthenticated",
            Self::CallerForbidden => "caller_forbidden",
            Self::AuthService => "auth_service",
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::ProofInvalid => "proof_invalid",
            Self::NonceMissing => "nonce_missing",
            Self::TokenUnverifiable => "token_unverifiable",
            Self::ClaimsUnsatisfied => "claims_unsatisfied",
            Self::TokenEndpointUnavailable => "token_endpoint_unavailable",
            Self::TokenEndpointTimeout => "token_endpoint_timeout",
            Self::TokenEndpointAnswer => "token_endpoint_answer",
            Self::TokenRefused => "token_refused",
            Self::UpstreamName => "upstream_name",
            Self::UpstreamConnect => "upstream_connect",
            Self::UpstreamTls => "upstream_tls",
            Self::Loop => "loop",
            Self::UpstreamBroken => "upstream_broken",
            Self::UpstreamDialTimeout => "upstream_dial_timeout",
            Self::UpstreamHeaderTimeout => "upstream_header_timeout",
            Self::Internal => "internal",
        }
    }

    /// Whose doing it is.
    pub fn side(self) -> Side {
        match self {
            Self::BadRequest
            | Self::ConnectMethod
            | Self::TraceMethod
            | Self::UnknownExpectation
            | Self::Misdirected
            | Self::NoRoute
            | Self::BodyTooLarge
            | Self::ClientGone
            | Self::CallerUnauthenticated
            | Self::CallerForbidden
            | Self::TokenMissing
            | Self::TokenInvalid
            | Self::ProofInvalid
            | Self::NonceMissing
            | Self::ClaimsUnsatisfied => Side::Client,
            Self::AuthService
            | Self::TokenUnverifiable
            | Self::TokenEndpointUnavailable
            | Self::TokenEndpointTimeout
            | Self::TokenEndpointAnswer
            | Self::TokenRefused
            | Self::UpstreamName
            | Self::UpstreamConnect
            | Self::UpstreamTls
            | Self::UpstreamBroken
            | Self::UpstreamDialTimeout
            | Self::UpstreamHeaderTimeout => Side::Upstream,
            Self::RouterClosed | Self::NoServer | Self::NoRoom | Self::Loop | Self::Internal => {
                Side::Gateway
            }
        }
    }

    /// Whether the request reached nobody, so that another attempt does no harm.
    pub fn retry(self) -> bool {
        matches!(
            self,
            Self::UpstreamName
                | Self::UpstreamConnect
                | Self::UpstreamTls
                | Self::UpstreamDialTimeout
        )
    }

    /// What the client reads: Traefik's words, byte for byte, where it has any.
    pub fn text(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::ConnectMethod
            | Self::TraceMethod
            | Self::UnknownExpectation
            | Self::AuthService => "",
            Self::Misdirected => "Misdirected Request\n",
            Self::NoRoute => "404 page not found\n",
            Self::NoServer => "no available server\n",
            Self::BodyTooLarge => "Request body too large\n",
            Self::RouterClosed
            | Self::NoRoom
            | Self::TokenEndpointUnavailable
            | Self::TokenUnverifiable => "Service Unavailable",
            Self::ClientGone => "Client Closed Request",
            Self::CallerUnauthenticated
            | Self::TokenMissing
            | Self::TokenInvalid
            | Self::ProofInvalid
            | Self::NonceMissing => "401 Unauthorized\n",
            Self::CallerForbidden | Self::ClaimsUnsatisfied => "Forbidden",
            Self::TokenEndpointAnswer
            | Self::TokenRefused
            | Self::UpstreamName
            | Self::UpstreamConnect
            | Self::UpstreamTls
            | Self::UpstreamBroken => "Bad Gateway",
            Self::TokenEndpointTimeout
            | Self::UpstreamDialTimeout
            | Self::UpstreamHeaderTimeout => "Gateway Timeout",
            Self::Loop => "Loop Detected",
            Self::Internal => "Internal Server Error",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.label())?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| cause.as_ref() as &(dyn Error + 'static))
    }
}
