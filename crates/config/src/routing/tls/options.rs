//! `tls.options.<name>`: versions, ciphers, and whether clients show certificates.

use crate::document::Fields;
use crate::routing::pem::{HoldsPem, Pem};

/// TLS options. Traefik `tls.options.<name>`, `TLSOption`.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsOptions {
    /// `minVersion`, `maxVersion` and `cipherSuites`.
    pub spoken: Spoken,
    /// `curvePreferences`, the best first; empty: all that are spoken.
    pub curve_preferences: Vec<Curve>,
    /// `sniStrict`: a client that asks for a name no certificate has is refused. Default false: it
    /// is shown the default certificate.
    pub sni_strict: bool,
    /// `alpnProtocols`. Default `h2` and `http/1.1`.
    pub alpn_protocols: Vec<String>,
    /// `disableSessionTickets`. Default false.
    pub disable_session_tickets: bool,
    /// `clientAuth`.
    pub client_auth: ClientAuth,
}

/// What is spoken in a handshake, to clients or to servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// `minVersion`. Default TLS 1.2, which is also the least that is spoken.
    pub min_version: TlsVersion,
    /// `maxVersion`. Default TLS 1.3.
    pub max_version: TlsVersion,
    /// `cipherSuites` of TLS 1.2, the best first; empty: all that are spoken.
    pub cipher_suites: Vec<CipherSuite>,
}

impl Default for Spoken {
    fn default() -> Self {
        Self {
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            cipher_suites: Vec::new(),
        }
    }
}

/// `clientAuth`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientAuth {
    /// `caFiles`: who signs clients' certificates.
    pub ca_files: Vec<Pem>,
    /// `clientAuthType`. Default: none without `caFiles`, with them the strictest.
    pub kind: ClientAuthType,
}

/// `clientAuthType`, in Go's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuthType {
    /// Never asked for.
    #[default]
    NoClientCert,
    /// Asked for, not needed, not verified.
    RequestClientCert,
    /// Needed, not verified.
    RequireAnyClientCert,
    /// Verified when it is there.
    VerifyClientCertIfGiven,
    /// Needed and verified.
    RequireAndVerifyClientCert,
}

/// A version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// A cipher suite of TLS 1.2 that is spoken: forward secret, authenticated encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are IANA's")]
pub enum CipherSuite {
    EcdheEcdsaAes256GcmSha384,
    EcdheEcdsaAes128GcmSha256,
    EcdheEcdsaChacha20Poly1305,
    EcdheRsaAes256GcmSha384,
    EcdheRsaAes128GcmSha256,
    EcdheRsaChacha20Poly1305,
}

/// A key exchange that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Go's")]
pub enum Curve {
    X25519,
    CurveP256,
    CurveP384,
    X25519Mlkem768,
}

/// IANA's names, with Go's older ones for the two of ChaCha20.
const CIPHER_SUITES: [(&str, CipherSuite); 8] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::EcdheEcdsaAes256GcmSha384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::EcdheEcdsaAes128GcmSha256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::EcdheEcdsaChacha20Poly1305,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        CipherSuite::EcdheEcdsaChacha20Poly1305,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::EcdheRsaAes256GcmSha384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::EcdheRsaAes128GcmSha256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::EcdheRsaChacha20Poly1305,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        CipherSuite::EcdheRsaChacha20Poly1305,
    ),
];

const CURVES: [(&str, Curve); 7] = [
    ("X25519", Curve::X25519),
    ("CurveP256", Curve::CurveP256),
    ("P256", Curve::CurveP256),
    ("CurveP384", Curve::CurveP384),
    ("P384", Curve::CurveP384),
    ("X25519MLKEM768", Curve::X25519Mlkem768),
    ("CurveX25519MLKEM768", Curve::X25519Mlkem768),
];

const CLIENT_AUTH_TYPES: [(&str, ClientAuthType); 5] = [
    ("NoClientCert", ClientAuthType::NoClientCert),
    ("RequestClientCert", ClientAuthType::RequestClientCert),
    ("RequireAnyClientCert", ClientAuthType::RequireAnyClientCert),
    (
        "VerifyClientCertIfGiven",
        ClientAuthType::VerifyClientCertIfGiven,
    ),
    (
        "RequireAndVerifyClientCert",
        ClientAuthType::RequireAndVerifyClientCert,
    ),
];

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            spoken: Spoken::default(),
            curve_preferences: Vec::new(),
            sni_strict: false,
            alpn_protocols: vec!["h2".to_owned(), "http/1.1".to_owned()],
            disable_session_tickets: false,
            client_auth: ClientAuth::default(),
        }
    }
}

impl TlsOptions {
    /// Reads `tls.options.<name>`.
    pub(in crate::routing) fn read(fields: &mut Fields<'_>) -> Self {
        let mut options = Self::read_handshake(fields);
        let client_auth = fields.map("clientAuth", |client_auth| {
            let ca_files = Pem::list(client_auth, "caFiles");
            ClientAuth {
                kind: ClientAuthType::read(client_auth, "caFiles", !ca_files.is_empty()),
                ca_files,
            }
        });
        options.client_auth = client_auth.unwrap_or_default();
        options
    }

    /// Reads what `tls.options.<name>` and `TLSOption.spec` have in common: everything but
    /// `clientAuth`, whose certificates the latter keeps in other objects.
    pub fn read_handshake(fields: &mut Fields<'_>) -> Self {
        // Go decides by itself; so does the TLS library here.
        fields.boolean("preferServerCipherSuites");
        let mut options = Self {
            spoken: Spoken::read(fields),
            curve_preferences: known(fields, "curvePreferences", &CURVES),
            sni_strict: fields.boolean("sniStrict").unwrap_or(false),
            disable_session_tickets: fields.boolean("disableSessionTickets").unwrap_or(false),
            ..Self::default()
        };
        let protocols = fields.texts("alpnProtocols");
        if !protocols.is_empty() {
            options.alpn_protocols = protocols;
        }
        options
    }
}

impl Spoken {
    pub(in crate::routing) fn read(fields: &mut Fields<'_>) -> Self {
        let mut spoken = Self {
            cipher_suites: known(fields, "cipherSuites", &CIPHER_SUITES),
            ..Self::default()
        };
        spoken.read_versions(fields);
        spoken
    }

    fn read_versions(&mut self, fields: &mut Fields<'_>) {
        let words = [
            ("VersionTLS10", None),
            ("VersionTLS11", None),
            ("VersionTLS12", Some(TlsVersion::Tls12)),
            ("VersionTLS13", Some(TlsVersion::Tls13)),
        ];
        match fields.word("minVersion", &words) {
            Some(Some(version)) => self.min_version = version,
            Some(None) => fields.warn("minVersion", "the least that is spoken is TLS 1.2"),
            None => {}
        }
        match fields.word("maxVersion", &words) {
            Some(Some(version)) => self.max_version = version,
            Some(None) => fields.error("maxVersion", "the least that is spoken is TLS 1.2"),
            None => {}
        }
        if self.min_version > self.max_version {
            fields.error("maxVersion", "is below `minVersion`");
        }
    }
}

impl ClientAuthType {
    /// Reads `clientAuthType`, which is beside the authorities under `ca_key`. Traefik verifies
    /// where there are some and no word about it.
    pub fn read(fields: &mut Fields<'_>, ca_key: &str, has_authorities: bool) -> Self {
        let written = fields.word("clientAuthType", &CLIENT_AUTH_TYPES);
        let kind = match (written, has_authorities) {
            (Some(kind), _) => kind,
            (None, true) => Self::RequireAndVerifyClientCert,
            (None, false) => Self::NoClientCert,
        };
        if kind.verifies() && !has_authorities {
            let message = format!("verifies certificates, but `{ca_key}` names no authority");
            fields.error("clientAuthType", message);
        }
        kind
    }

    /// Whether a certificate that was shown must be signed by an authority.
    pub fn verifies(self) -> bool {
        matches!(
            self,
            Self::VerifyClientCertIfGiven | Self::RequireAndVerifyClientCert
        )
    }

    /// Whether there is no connection without a certificate.
    pub fn requires(self) -> bool {
        matches!(
            self,
            Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert
        )
    }
}

/// The items of a list that are spoken. What only other libraries speak is left out with a warning;
/// a list of which nothing is left is an error: it must not become "all".
fn known<T: Copy>(fields: &mut Fields<'_>, key: &'static str, words: &[(&str, T)]) -> Vec<T> {
    let texts = fields.texts(key);
    let mut known = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(text))
        {
            Some((_, meaning)) => known.push(*meaning),
            None => {
                let message = format!("`{text}` is not spoken; it is left out");
                fields.warn(&format!("{key}[{index}]"), message);
            }
        }
    }
    if known.is_empty() && !texts.is_empty() {
        let names: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let message = format!("none of them is spoken; take from {}", names.join(", "));
        fields.error(key, message);
    }
    known
}

impl HoldsPem for TlsOptions {
    fn pems(&mut self) -> Vec<&mut Pem> {
        self.client_auth.ca_files.iter_mut().collect()
    }
}
