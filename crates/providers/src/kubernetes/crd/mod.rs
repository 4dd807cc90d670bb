//! The kinds of `traefik.io/v1alpha1`, one file a kind, as they are written: checked key by key,
//! references not yet looked up. A kind that is broken keeps its place and says why.
//!
//! Knows nothing of other objects; [`super::translate()`] does. To add an option: read it in the file
//! of its kind, carry it over in `translate/`, add it to a golden case.

use carnet_config::diagnostics::Diagnostic;
use carnet_config::document::{Fields, Spelling};

use super::manifests::ManifestObject;

mod definition;
mod ingress_route;
mod reference;
mod servers_transport;
mod service;
mod tls_option;
mod tls_store;
mod traefik_service;

pub use definition::definitions;
pub use ingress_route::{IngressRoute, Route, Tls};
pub use reference::Reference;
pub use servers_transport::{CertificateSource, ServersTransport};
pub use service::{ServiceEntry, ServicePort};
pub use tls_option::TlsOption;
pub use tls_store::TlsStore;
pub use traefik_service::{Failover, Mirroring, TraefikService};

/// A reader of an object's `spec`, or the finding that it is missing.
pub(super) fn spec(object: &ManifestObject) -> Result<Fields<'_>, Diagnostic> {
    let spec = object.node.member("spec");
    let spec = spec.ok_or_else(|| object.finding(&["spec"], "`spec` is missing"))?;
    let label = object.identity.to_string();
    Ok(Fields::below(
        spec,
        label,
        "spec".to_owned(),
        Spelling::Exact,
    ))
}
