//! What the server is told about tokens that are bound to certificates and keys.

use http::HeaderName;

use crate::certificate::ClientAuthorities;

/// `oauth2.mtls` (ours): certificates of clients (RFC 8705).
#[derive(Debug, Clone, Default)]
pub struct Mtls {
    /// `enabled`: whether certificates count, and TLS of the public port asks for them.
    pub is_enabled: bool,
    /// `client_ca`: who vouches for certificates of method `tls_client_auth`; nobody authenticates
    /// by it without.
    pub authorities: Option<ClientAuthorities>,
    /// `header`: where a proxy of `serve.trusted_proxies`, which ends TLS, writes the certificate.
    pub header: Option<HeaderName>,
    /// `url`: where the endpoints are that ask for certificates, when they are not the others.
    pub url: Option<String>,
}

impl Mtls {
    /// That address without a slash at its end.
    pub(crate) fn base(&self) -> Option<&str> {
        let url = self.url.as_deref().filter(|_| self.is_enabled)?;
        Some(url.strip_suffix('/').unwrap_or(url))
    }
}

/// `oauth2.dpop` (ours): proofs that a key is at hand (RFC 9449).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dpop {
    /// `nonce_required`: whether a proof needs a nonce of this server.
    pub needs_nonce: bool,
}
