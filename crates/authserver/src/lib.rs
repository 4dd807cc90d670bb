//! The OAuth 2.0 authorization server, for machines, behind the API of Ory Hydra.
//!
//! Three floors: `http` parses, calls and renders; `domain` knows clients, grants, scopes and keys,
//! but neither HTTP nor SQL; [`store`] knows rows, but not what a token means.
//! Start at [`Authserver`] and [`Options`].

mod certificate;
mod domain;
mod fetch;
mod http;
pub mod import;
pub mod options;
mod ports;
mod server;
pub mod store;

pub use carnet_jose::{Algorithm, RsaBits};
pub use carnet_oauth::{
    client::TokenLimits, client_assertion::AssertionAudience, scope::Strategy as ScopeStrategy,
};

pub use crate::{
    certificate::{ClientAuthorities, NoAuthorities},
    domain::{Error, Rotation},
    http::serve::{Listener, TlsError},
    options::{
        AccessTokenStrategy, AssertionIssuer, Cookies, Cors, Discovery, Dpop, Endpoint, Guesses,
        HookKey, HookKeyPlace, IssuerKeys, JwtGrant, Limits, Mtls, Options, OptionsError, People,
        SameSite, ScopeClaim, TokenHook, TokenProfile, Workload,
    },
    ports::{Adopt, PortOptions, Ports, RequestLog, SPANS, TlsOptions, TraceParent},
    server::Authserver,
};
