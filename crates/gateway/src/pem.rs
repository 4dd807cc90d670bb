//! PEM texts of a configuration to what the TLS library takes. Messages never quote the text.

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a text, at least one. `what` is how messages call them.
pub(crate) fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{what} cannot be read; give PEM, from BEGIN to END CERTIFICATE"))?;
    match certificates.is_empty() {
        true => Err(format!("{what} hold no PEM certificate")),
        false => Ok(certificates),
    }
}

/// The private key of a text.
pub(crate) fn private_key(pem: &str, what: &str) -> Result<PrivateKeyDer<'static>, String> {
    // The parser's own message may quote the text, so it is left out.
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| format!("{what} is no PEM private key"))
}

/// The authorities of some bundles.
pub(crate) fn authorities<'a>(
    bundles: impl Iterator<Item = &'a str>,
) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for bundle in bundles {
        for certificate in certificates(bundle, "the trusted certificates")? {
            roots
                .add(certificate)
                .map_err(|error| format!("a trusted certificate cannot be used: {error}"))?;
        }
    }
    Ok(roots)
}
