//! Where configuration comes from: files ([`mod@file`]) and Kubernetes objects ([`kubernetes`]), brought
//! together by [`aggregate`].
//!
//! The only room that watches files and reads manifests. It knows nothing of the gateway, nor what
//! a middleware does: it hands over typed routing configuration and findings.

use carnet_config::diagnostics::Diagnostic;
use carnet_config::routing::RoutingConfig;

pub mod aggregate;
pub mod file;
pub mod kubernetes;
mod names;
mod references;
pub mod watch;

/// How much of a provider's configuration an [`Update`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it: what it does not hold is no more.
    All,
    /// Services, in the places of those of their names; all else stays.
    Services,
}

/// What one provider has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Name of the provider, the suffix of its objects: `file`, `kubernetescrd`.
    pub provider: String,
    /// Its routers, services and middlewares, named as written.
    pub config: RoutingConfig,
    /// How much of it that is.
    pub scope: Scope,
    /// Findings about whole sources since the last update; each is said once. Findings about an
    /// object are with the object.
    pub diagnostics: Vec<Diagnostic>,
    /// False while something that was there at the start could not be read yet.
    pub readable: bool,
    /// False while something cannot be read, whenever that began: what it said before counts.
    pub current: bool,
}
