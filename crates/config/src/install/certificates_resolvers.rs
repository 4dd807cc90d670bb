//! `certificatesResolvers.<name>`: who gives certificates for the hosts of routers that name it.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::document::Fields;
use crate::secret;

/// Let's Encrypt's production.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// What a certificate of Let's Encrypt lives, in hours.
const NINETY_DAYS: u64 = 2160;

/// `acme`: certificates by RFC 8555.
#[derive(Debug, Clone, PartialEq)]
pub struct Acme {
    /// `email`: whom the authority may write to. Default: nobody.
    pub email: Option<String>,
    /// `caServer`: URL of the authority's directory. Default: Let's Encrypt's production.
    pub ca_server: String,
    /// `caCertificates`: files with the authorities that may have signed the certificate of
    /// `caServer`. Default: those of the system.
    pub ca_certificates: Vec<String>,
    /// `caSystemCertPool`: those of the system too. Default false.
    pub ca_system_cert_pool: bool,
    /// `caServerName`: name in the certificate of `caServer`. Default: the host of its URL.
    pub ca_server_name: Option<String>,
    /// `storage`: the file of accounts and certificates. Default `acme.json`.
    pub storage: String,
    /// `certificatesDuration`: hours that a certificate lives, which decides how long before its
    /// end it is renewed. Default 2160.
    pub certificates_duration: u64,
    /// `keyType` of certificates. Default `RSA4096`.
    pub key_type: KeyType,
    /// `profile` of the authority's that certificates have.
    pub profile: Option<String>,
    /// `disableCommonName`: certificates have alternative names only. Default false.
    pub disable_common_name: bool,
    /// `emailAddresses`: names of people in certificates, beside those of hosts.
    pub email_addresses: Vec<String>,
    /// `clientTimeout`: limit of a request to the authority. Default 2 min.
    pub client_timeout: Duration,
    /// `clientResponseHeaderTimeout`: limit of the head of its answer. Default 30 s.
    pub client_response_header_timeout: Duration,
    /// `certificateTimeout`: how long the authority may take to verify a host, and to make
    /// a certificate. Default 30 s.
    pub certificate_timeout: Duration,
    /// `httpChallenge.delay` or `tlsChallenge.delay`: wait before the authority is told to look.
    /// Default zero.
    pub delay: Duration,
    /// `eab`: an account elsewhere that the one here belongs to.
    pub eab: Option<Eab>,
    /// How it is proved that a host is ours.
    pub challenge: Challenge,
}

/// `keyType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// `EC256`: P-256.
    Ec256,
    /// `EC384`: P-384.
    Ec384,
    /// `RSA2048`.
    Rsa2048,
    /// `RSA4096`.
    Rsa4096,
}

/// `eab`: external account binding (RFC 8555 section 7.3.4).
#[derive(Debug, Clone)]
pub struct Eab {
    /// `kid`: the account there.
    pub kid: String,
    /// `hmacEncoded`: its key, in base64url.
    pub hmac_encoded: SecretString,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Eab {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
            && self.hmac_encoded.expose_secret() == other.hmac_encoded.expose_secret()
    }
}

/// `httpChallenge` or `tlsChallenge`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// `httpChallenge.entryPoint`: the authority asks there, which it does at port 80 (RFC 8555
    /// section 8.3).
    Http(String),
    /// `tlsChallenge`: the authority connects to port 443 (RFC 8737).
    Tls,
}

const KEY_TYPES: [(&str, KeyType); 4] = [
    ("EC256", KeyType::Ec256),
    ("EC384", KeyType::Ec384),
    ("RSA2048", KeyType::Rsa2048),
    ("RSA4096", KeyType::Rsa4096),
];

/// Reads `certificatesResolvers.<name>`. `None`: nobody can give certificates so; the findings say
/// why.
pub(super) fn read(fields: &mut Fields<'_>, entry_points: &[&str]) -> Option<Acme> {
    fields.not_yet("certificatesResolvers.*");
    let acme = fields.map("acme", |acme| Acme::read(acme, entry_points));
    acme.flatten()
}

impl Acme {
    /// Certificates of Let's Encrypt, everything else at its default.
    pub fn new(challenge: Challenge) -> Self {
        Self {
            email: None,
            ca_server: LETS_ENCRYPT.to_owned(),
            ca_certificates: Vec::new(),
            ca_system_cert_pool: false,
            ca_server_name: None,
            storage: "acme.json".to_owned(),
            certificates_duration: NINETY_DAYS,
            key_type: KeyType::Rsa4096,
            profile: None,
            disable_common_name: false,
            email_addresses: Vec::new(),
            client_timeout: Duration::from_secs(120),
            client_response_header_timeout: Duration::from_secs(30),
            certificate_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            eab: None,
            challenge,
        }
    }

    fn read(fields: &mut Fields<'_>, entry_points: &[&str]) -> Option<Self> {
        fields.not_yet("certificatesResolvers.*.acme");
        // Read in any case, so that each mistake is found at once.
        let mut acme = Self::new(Challenge::Tls);
        let challenge = Challenge::read(fields, entry_points, &mut acme.delay);
        let mut text = |key| fields.text(key).filter(|text| !text.is_empty());
        acme.email = text("email");
        acme.ca_server_name = text("caServerName");
        acme.profile = text("profile");
        acme.ca_server = text("caServer").unwrap_or(acme.ca_server);
        acme.storage = text("storage").unwrap_or(acme.storage);
        if !acme.ca_server.starts_with("https://") {
            let message = "expects the https URL of a directory: what an authority signs is worth \
                           what the connection to it is worth";
            fields.error("caServer", message);
        }
        acme.ca_certificates = fields.texts("caCertificates");
        acme.ca_system_cert_pool = fields.boolean("caSystemCertPool").unwrap_or(false);
        acme.email_addresses = fields.texts("emailAddresses");
        for (key, timeout) in [
            ("clientTimeout", &mut acme.client_timeout),
            (
                "clientResponseHeaderTimeout",
                &mut acme.client_response_header_timeout,
            ),
            ("certificateTimeout", &mut acme.certificate_timeout),
        ] {
            if let Some(given) = fields.duration(key) {
                *timeout = given;
            }
        }
        if let Some(hours) = fields.number("certificatesDuration") {
            acme.certificates_duration = hours;
        }
        if let Some(key_type) = fields.word("keyType", &KEY_TYPES) {
            acme.key_type = key_type;
        }
        acme.disable_common_name = fields.boolean("disableCommonName").unwrap_or(false);
        acme.eab = fields.map("eab", Eab::read).flatten();
        acme.challenge = challenge?;
        Some(acme)
    }
}

impl Eab {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let kid = fields.required_text("kid");
        let hmac_encoded = secret::secret(fields, "hmacEncoded");
        if hmac_encoded.is_none() {
            fields.error("hmacEncoded", "is missing: the key of the account `kid`");
        }
        Some(Self {
            kid: kid?,
            hmac_encoded: hmac_encoded?,
        })
    }
}

impl Challenge {
    fn read(fields: &mut Fields<'_>, entry_points: &[&str], delay: &mut Duration) -> Option<Self> {
        let http = fields.map("httpChallenge", |http| {
            *delay = http.duration("delay").unwrap_or_default();
            let entry_point = http.required_text("entryPoint")?;
            if !entry_points.contains(&entry_point.as_str()) {
                let near = crate::nearest::suggestion(&entry_point, entry_points.iter().copied());
                let message = format!("no entry point is called `{entry_point}`{near}");
                http.error("entryPoint", message);
            }
            Some(Self::Http(entry_point))
        });
        let tls = fields.map("tlsChallenge", |tls| {
            *delay = tls.duration("delay").unwrap_or_default();
            Self::Tls
        });
        let challenge = tls.or(http.flatten());
        if challenge.is_none() {
            let message = "needs `tlsChallenge` or `httpChallenge.entryPoint`; no certificate is \
                           asked for";
            fields.warn("tlsChallenge", message);
        }
        challenge
    }
}
