//! The certificates that may be shown, found by the name a client asks for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::{CertificateFacts, Issued};
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
    /// Its first and its last second.
    validity: (SystemTime, SystemTime),
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
        let names_of = chain.first().map(names).unwrap_or_default();
        let validity = chain.first().and_then(validity);
        let key = any_supported_type(key)
            .map_err(|_| "the certificate's key is of no kind that is spoken".to_owned())?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match()
            .map_err(|_| "the certificate and its key do not belong together".to_owned())?;
        Ok(Self {
            key: Arc::new(key),
            names: names_of,
            validity: validity.ok_or("the certificate cannot be read")?,
        })
    }

    /// Whether it is for all of these names.
    pub(super) fn covers(&self, names: &[String]) -> bool {
        names.iter().all(|name| {
            let name = name.to_ascii_lowercase();
            self.names.contains(&name) || wildcard(&name).is_some_and(|w| self.names.contains(&w))
        })
    }

    /// Whether it is for the same names as another.
    pub(super) fn has_names_of(&self, other: &Self) -> bool {
        self.names == other.names
    }

    /// When it ends.
    pub(super) fn ends_at(&self) -> SystemTime {
        self.validity.1
    }

    /// How long it lives.
    pub(super) fn lifetime(&self) -> Duration {
        let (first, last) = self.validity;
        last.duration_since(first).unwrap_or_default()
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

fn validity(certificate: &CertificateDer<'_>) -> Option<(SystemTime, SystemTime)> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let time = |time: ASN1Time| {
        let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    };
    let validity = parsed.validity();
    Some((time(validity.not_before)?, time(validity.not_after)?))
}

/// The name of a certificate for all names beside this one.
fn wildcard(name: &str) -> Option<String> {
    let (_, rest) = name.split_once('.')?;
    Some(format!("*.{rest}"))
}

/// Certificates by their names.
#[derive(Debug, Default)]
pub(super) struct ByName(BTreeMap<String, Vec<Arc<CertifiedKey>>>);

impl ByName {
    /// Those of one name stay in their order.
    pub(super) fn new<'a>(identities: impl Iterator<Item = &'a Identity>) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for identity in identities {
            for name in &identity.names {
                let keys = by_name.entry(name.clone()).or_default();
                keys.push(Arc::clone(&identity.key));
            }
        }
        Self(by_name)
    }

    /// Those of exactly this name, else those of all names beside it (`*.a.test`).
    pub(super) fn of(&self, name: &str) -> &[Arc<CertifiedKey>] {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let beside = || self.0.get(&wildcard(&name)?);
        let found = self.0.get(&name).or_else(beside);
        found.map_or(&[], Vec::as_slice)
    }
}

/// All certificates of a snapshot, and those that authorities give meanwhile.
#[derive(Debug)]
pub(crate) struct Certificates {
    by_name: ByName,
    issued: Arc<Issued>,
    default: Option<Arc<CertifiedKey>>,
    default_issued: Option<String>,
}

/// Shown for names that no other certificate has.
#[derive(Debug)]
pub(crate) struct DefaultCertificate<'a> {
    pub(crate) identity: Option<&'a Identity>,
    /// The name of one that an authority gives, which is shown as soon as it is there.
    pub(crate) issued: Option<&'a String>,
}

impl Certificates {
    /// Those that are configured, and those that authorities give.
    pub(crate) fn new(
        identities: &[Identity],
        issued: &Arc<Issued>,
        default: &DefaultCertificate<'_>,
    ) -> Self {
        Self {
            by_name: ByName::new(identities.iter()),
            issued: Arc::clone(issued),
            default: default.identity.map(|identity| Arc::clone(&identity.key)),
            default_issued: default.issued.cloned(),
        }
    }

    /// Whether a name has a certificate that was configured.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.by_name.of(name).is_empty()
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
        let name = hello.server_name().unwrap_or_default();
        let schemes = hello.signature_schemes();
        let fits = |certified: &CertifiedKey| certified.key.choose_scheme(schemes).is_some();
        let Certificates {
            by_name,
            issued,
            default,
            default_issued,
        } = &*self.certificates;
        let configured = by_name.of(name).iter().find(|key| fits(key));
        let fitting = configured.cloned().or_else(|| issued.find(name, fits));
        match fitting {
            Some(key) => Some(key),
            None if self.is_strict => None,
            None => {
                let given = default_issued.as_ref();
                let given = given.and_then(|name| issued.find(name, fits));
                given.or_else(|| default.clone())
            }
        }
    }
}
