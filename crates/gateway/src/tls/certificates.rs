//! The certificates that may be shown, found by the name a client asks for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::CertificateFacts;
use crate::pem;

/// What the generated certificate is called. Traefik's name.
const DEFAULT_NAME: &str = "TRAEFIK DEFAULT CERT";
/// How long it is valid, in days.
const DEFAULT_DAYS: i64 = 365;
const SECONDS_A_DAY: i64 = 86_400;

/// A certificate with its key and the names it is for.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    key: Arc<CertifiedKey>,
    /// Lower case.
    names: Vec<String>,
}

impl Identity {
    /// Reads a chain and its key. The error is one sentence.
    pub(crate) fn of_pem(cert: &str, key: &str) -> Result<Self, String> {
        let chain = pem::certificates(cert, "the certificate")?;
        let key = pem::private_key(key, "the certificate's key")?;
        Self::new(chain, &key)
    }

    /// A new certificate that nobody has signed, for clients that ask for a name without one.
    pub(crate) fn generated(now: SystemTime) -> Result<Self, String> {
        let failed = |error: rcgen::Error| format!("no certificate can be generated: {error}");
        let since = now.duration_since(SystemTime::UNIX_EPOCH);
        let since = i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or_default();
        let day = |day: i64| {
            let (year, month, day) = civil(since / SECONDS_A_DAY + day);
            rcgen::date_time_ymd(year, month, day)
        };
        let mut params = CertificateParams::default();
        params.not_before = day(-1);
        params.not_after = day(DEFAULT_DAYS);
        params.distinguished_name = DistinguishedName::new();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, DEFAULT_NAME);
        let pair = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&pair).map_err(failed)?;
        let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
        Self::new(vec![certificate.der().clone()], &key)
    }

    /// What the certificate says of itself.
    pub(crate) fn facts(&self) -> Option<CertificateFacts> {
        CertificateFacts::of(self.key.cert.first()?)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'static>,
    ) -> Result<Self, String> {
        let names = chain.first().map(names).unwrap_or_default();
        let key = any_supported_type(key)
            .map_err(|_| "the certificate's key is of no kind that is spoken".to_owned())?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_| "the certificate and its key do not belong together".to_owned())?;
        Ok(Self {
            key: Arc::new(key),
            names,
        })
    }
}

/// Year, month and day of the days since 1970.
fn civil(days: i64) -> (i32, u8, u8) {
    let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days));
    let [month, day] = [date.month(), date.day()].map(|part| u8::try_from(part).unwrap_or(1));
    (i32::from(date.year()), month, day)
}

/// The names of a certificate: those of its extension, else its common name (Go's rule for SNI).
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let alternatives = parsed.subject_alternative_name().ok().flatten();
    let names: Vec<_> = match alternatives {
        Some(names) => {
            let names = names.value.general_names.iter();
            names.filter_map(name).collect()
        }
        None => {
            let common = parsed.subject().iter_common_name();
            let common = common.filter_map(|name| name.as_str().ok());
            common.map(str::to_ascii_lowercase).collect()
        }
    };
    names
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).ok().map(IpAddr::from);
            let v6 = || <[u8; 16]>::try_from(*bytes).ok().map(IpAddr::from);
            v4.or_else(v6).map(|address| address.to_string())
        }
        _ => None,
    }
}

/// All certificates of a snapshot.
#[derive(Debug)]
pub(crate) struct Certificates {
    by_name: BTreeMap<String, Vec<Arc<CertifiedKey>>>,
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// `default` is shown for names that no other has.
    pub(crate) fn new(identities: &[Identity], default: Option<&Identity>) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for identity in identities {
            for name in &identity.names {
                let keys = by_name.entry(name.clone()).or_default();
                keys.push(Arc::clone(&identity.key));
            }
        }
        Self {
            by_name,
            default: default.map(|identity| Arc::clone(&identity.key)),
        }
    }

    /// Those of exactly this name, else those of all names beside it (`*.a.test`).
    fn of_name(&self, name: &str) -> &[Arc<CertifiedKey>] {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let wildcard = || {
            let (_, rest) = name.split_once('.')?;
            self.by_name.get(&format!("*.{rest}"))
        };
        let found = self.by_name.get(&name).or_else(wildcard);
        found.map_or(&[], Vec::as_slice)
    }
}

/// Chooses for one handshake.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) certificates: Arc<Certificates>,
    /// Whether a name without a certificate is refused.
    pub(super) is_strict: bool,
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self
            .certificates
            .of_name(hello.server_name().unwrap_or_default());
        let schemes = hello.signature_schemes();
        let fitting = keys
            .iter()
            .find(|certified| certified.key.choose_scheme(schemes).is_some());
        match fitting {
            Some(key) => Some(Arc::clone(key)),
            None if self.is_strict => None,
            None => self.certificates.default.clone(),
        }
    }
}
