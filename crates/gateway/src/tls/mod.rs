//! TLS towards clients: which certificate is shown, by which options, and who the client is. Knows
//! no sockets and no routers. `policy.rs` are options ready for handshakes, `spoken.rs` what they
//! have in common with handshakes with servers; `certificates.rs` finds the certificate of a name,
//! `client_auth.rs` judges those of clients.

pub(crate) mod acme;
mod certificate_facts;
mod certificates;
mod client_auth;
mod handshakes;
mod policy;
mod session;
pub(crate) mod spoken;

pub(crate) use acme::Issued;
pub(crate) use certificate_facts::CertificateFacts;
pub(crate) use certificates::{Certificates, DefaultCertificate, Identity};
pub(crate) use handshakes::{Handshake, Handshakes};
pub(crate) use policy::Policy;
pub use session::TlsSession;
