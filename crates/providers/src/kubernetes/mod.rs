//! Kubernetes objects, from a cluster or from manifests: read ([`manifests`], [`Objects`]) and
//! translated to routing configuration ([`translate()`]), or run without a cluster ([`workloads`]).
//!
//! Does no IO; knows nothing of where objects come from, nor what a middleware does with its options.

pub mod crd;
pub mod manifests;
mod objects;
mod secret;
mod translate;
pub mod workloads;

pub use objects::{ObjectName, Objects, PodOwner};
pub use secret::Secret;
pub use translate::{Options, translate};

/// The label by which an EndpointSlice names its Service.
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Name of the provider, the suffix of its objects.
pub const NAME: &str = "kubernetescrd";
