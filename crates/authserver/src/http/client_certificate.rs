//! The certificate of a client: that of its connection or, where a proxy that was named as trusted
//! ended TLS, the one that the proxy writes into a header. From nobody else is that header read.

use axum::http::{HeaderMap, HeaderName, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{certificate::Certificate, http::serve::Connected, options::Options};

/// The certificate that the client of a request showed, where certificates count.
pub(super) fn of(parts: &Parts, options: &Options) -> Option<Certificate> {
    let mtls = &options.mtls;
    if !mtls.is_enabled {
        return None;
    }
    let peer = parts.extensions.get::<Connected>().and_then(|at| at.peer);
    let is_proxy = peer.is_some_and(|peer| {
        let proxies = &options.trusted_proxies;
        proxies.iter().any(|range| range.contains(&peer.ip()))
    });
    match &mtls.header {
        // A certificate of the proxy's own is not its client's.
        Some(name) if is_proxy => forwarded(&parts.headers, name),
        _ => parts.extensions.get().cloned(),
    }
}

/// What a proxy writes: one certificate or a chain, in whichever form; `None` of two fields.
fn forwarded(headers: &HeaderMap, name: &HeaderName) -> Option<Certificate> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let text = percent_decode_str(value.to_str().ok()?)
        .decode_utf8()
        .ok()?;
    let chain: Option<Vec<_>> = match text.contains("-----BEGIN") {
        // nginx: `$ssl_client_escaped_cert`.
        true => CertificateDer::pem_slice_iter(text.as_bytes())
            .map(Result::ok)
            .collect(),
        // Traefik: `X-Forwarded-Tls-Client-Cert`; RFC 9440: `Client-Cert`, between colons.
        false => text.split(',').map(|part| bare(part.trim())).collect(),
    };
    Certificate::new(chain?)
}

fn bare(text: &str) -> Option<CertificateDer<'static>> {
    let inner = text
        .strip_prefix(':')
        .and_then(|text| text.strip_suffix(':'));
    let der = STANDARD.decode(inner.unwrap_or(text)).ok()?;
    (!der.is_empty()).then(|| der.into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn proxies_write_certificates_in_several_ways() {
        let (one, two) = (STANDARD.encode(b"one"), STANDARD.encode(b"two"));
        let pem = format!("-----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----\n");
        let escaped = pem.replace('\n', "%0A").replace(' ', "%20");
        for (value, expected) in [
            (one.clone(), Some(&b"one"[..])),
            (format!("{one},{two}"), Some(b"one")),
            (format!(":{one}:"), Some(b"one")),
            (escaped, Some(b"one")),
            (String::new(), None),
            (format!("{one},"), None),
            ("no base64".to_owned(), None),
            ("-----BEGIN CERTIFICATE-----".to_owned(), None),
        ] {
            let name = HeaderName::from_static("client-cert");
            let mut headers = HeaderMap::new();
            headers.append(&name, value.parse().unwrap());
            let found = forwarded(&headers, &name);
            assert_eq!(found.as_ref().map(Certificate::der), expected, "{value}");
            headers.append(&name, value.parse().unwrap());
            assert!(forwarded(&headers, &name).is_none());
        }
    }
}
