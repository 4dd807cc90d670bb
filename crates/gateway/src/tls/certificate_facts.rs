//! What a certificate says of itself, for those who watch over its end.

use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CertificateFacts {
    /// The subject's common name; empty when it has none.
    pub(crate) common_name: String,
    /// The serial number, in decimals as Go writes it.
    pub(crate) serial: String,
    /// The names of hosts it is for, sorted.
    pub(crate) names: Vec<String>,
    /// Its end, in seconds since 1970.
    pub(crate) not_after: i64,
}

impl CertificateFacts {
    /// `None` when it cannot be read.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let common = parsed.subject().iter_common_name().next();
        let common = common.and_then(|name| name.as_str().ok());
        let alternatives = parsed.subject_alternative_name().ok().flatten();
        let general = alternatives
            .iter()
            .flat_map(|names| &names.value.general_names);
        let names = general.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        Some(Self {
            common_name: common.unwrap_or_default().to_owned(),
            serial: parsed.tbs_certificate.serial.to_string(),
            names,
            not_after: parsed.validity().not_after.timestamp(),
        })
    }
}
