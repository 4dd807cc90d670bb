//! Kubernetes objects, from a cluster or from manifests: read ([`manifests`], [`Objects`]) and
//! translated to routing configuration ([`translate`]), without any IO.
//!
//! Knows nothing of where objects come from, nor what a middleware does with its options.

pub mod crd;
pub mod manifests;
mod objects;
mod secret;

pub use objects::{ObjectName, Objects, PodOwner};
pub use secret::Secret;

/// Name of the provider, the suffix of its objects.
pub const NAME: &str = "kubernetescrd";
