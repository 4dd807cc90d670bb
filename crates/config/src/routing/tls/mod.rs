//! `tls`: how clients' connections are encrypted. Certificates are chosen by the name that a client
//! asks for, options by the routers of that name.

use std::collections::BTreeMap;

use crate::diagnostics::Object;

mod certificate;
mod options;

pub use certificate::{Certificate, CertificateStore, DefaultGeneratedCert};
pub use options::{CipherSuite, ClientAuth, ClientAuthType, Curve, Spoken, TlsOptions, TlsVersion};

/// The section `tls` of a document, or the TLS kinds of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tls {
    /// `tls.certificates`, and the Secrets that routers and stores name.
    pub certificates: Vec<Object<Certificate>>,
    /// `tls.options`, `TLSOption`. `default` is everybody's, its name has no provider.
    pub options: BTreeMap<String, Object<TlsOptions>>,
    /// `tls.stores`, `TLSStore`. Only `default` is used.
    pub stores: BTreeMap<String, Object<CertificateStore>>,
}
