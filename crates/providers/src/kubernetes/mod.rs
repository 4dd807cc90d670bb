//! Kubernetes objects, from a [`cluster`] or from [`manifests`]: kept ([`Objects`]) and translated
//! to routing configuration ([`translate()`]), or run without a cluster ([`workloads`]).
//!
//! Only [`cluster`] does IO. Nothing here knows what a middleware does with its options.

pub mod cluster;
pub mod crd;
pub mod ingress;
pub mod manifests;
mod objects;
mod secret;
mod translate;
mod unserved;
pub mod workloads;

pub use objects::{ObjectName, Objects, PodOwner};
pub use secret::Secret;
pub use translate::{IngressOptions, Options, translate, translate_all, translate_ingresses};
pub use unserved::unserved;

/// The label by which an EndpointSlice names its Service.
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Keys under which a Secret or ConfigMap holds the certificates of authorities.
const AUTHORITY_KEYS: [&str; 2] = ["tls.ca", "ca.crt"];

/// Name of the provider of Traefik's own kinds, the suffix of its objects.
pub const NAME: &str = "kubernetescrd";

/// Name of the provider of Ingresses.
pub const INGRESS_NAME: &str = "kubernetes";
