//! `oauth2.mtls` and `oauth2.dpop`: tokens that are bound to certificates and keys.

use super::tls::{self, Pem};
use crate::document::Fields;

/// `oauth2.mtls` (ours): certificates of clients (RFC 8705).
#[derive(Debug, Clone, Default)]
pub struct Mtls {
    /// `enabled`: certificates authenticate clients and bind their tokens, and TLS of the public
    /// port asks for them. Default false.
    pub enabled: bool,
    /// `client_ca`: the certificates of the authorities, PEM, that vouch for the clients of method
    /// `tls_client_auth`. Default none: nobody authenticates by it.
    pub client_ca: Option<Pem>,
    /// `header`: where a proxy of `serve.trusted_proxies` that ends TLS writes the certificate, as
    /// `X-Forwarded-Tls-Client-Cert` or `Client-Cert` (RFC 9440). Default none.
    pub header: Option<String>,
    /// `url`: where the endpoints that ask for certificates are, when browsers shall not be asked
    /// for any; the metadata names them (RFC 8705, section 5). Default none.
    pub url: Option<String>,
}

/// `oauth2.dpop` (ours): proofs that a key is at hand (RFC 9449).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dpop {
    /// `nonce_required`: a proof needs a nonce of the server. Default false.
    pub nonce_required: bool,
}

pub(super) fn mtls(fields: &mut Fields<'_>) -> Mtls {
    let mtls = Mtls {
        enabled: fields.boolean("enabled").unwrap_or(false),
        client_ca: fields.map("client_ca", tls::pem).flatten(),
        header: fields.text("header").filter(|name| !name.is_empty()),
        url: fields.text("url").filter(|url| !url.is_empty()),
    };
    let is_name = |name: &String| {
        let mut bytes = name.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !mtls.header.as_ref().is_none_or(is_name) {
        fields.error("header", "is no name of a header; write it as Client-Cert");
    }
    let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    if !mtls.url.as_ref().is_none_or(is_web) {
        fields.error("url", "is no address; write it as https://mtls.example.com");
    }
    mtls
}

pub(super) fn dpop(fields: &mut Fields<'_>) -> Dpop {
    Dpop {
        nonce_required: fields.boolean("nonce_required").unwrap_or(false),
    }
}
