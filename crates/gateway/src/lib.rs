//! The data plane: one request, one straight line.
//!
//! Knows typed options and sockets; refuses to know configuration text, Kubernetes objects and the
//! authorization server, which it meets over HTTP as anybody does. Start at `entry_point/line.rs`,
//! the way of a request, or at `snapshot/`, the way of a configuration.

mod access_log;
mod api;
pub mod body;
mod budget;
mod canonical;
mod chunked;
mod cookies;
mod entry_point;
pub mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod host;
mod jwks;
mod metrics;
pub mod middleware;
mod pem;
mod proofs;
mod respond;
mod room;
mod router;
mod seldom;
mod service;
mod shard;
mod snapshot;
mod supplies;
mod tls;
mod token_source;
mod traces;
pub mod upstream;

pub use api::Readiness;
pub use gateway::{Gateway, Options, Output};
pub use supplies::Resolve;
pub use tls::TlsSession;
pub use tls::acme::{CertificatesResolver, Storage};
pub use token_source::{CachedToken, ProviderFigures};
pub use traces::{SPANS, SpanIds, TraceContext, Tracing};
