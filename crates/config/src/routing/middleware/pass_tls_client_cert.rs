//! `passTLSClientCert`: tells the service who the client is, by its certificate.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `passTLSClientCert`, Traefik's: tells the service who the client is, by its certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassTlsClientCert {
    /// `X-Forwarded-Tls-Client-Cert`: the certificates themselves. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pem: bool,
    /// `X-Forwarded-Tls-Client-Cert-Info`: what they say. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<CertInfo>,
}

/// Which parts of a certificate are told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertInfo {
    /// The end of its time, in seconds since 1970. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_after: bool,
    /// The beginning of it. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_before: bool,
    /// Its other names. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sans: bool,
    /// Its number. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub serial_number: bool,
    /// Whom it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<NameInfo>,
    /// Who gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<NameInfo>,
}

/// Which parts of a name are told. All are off by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub struct NameInfo {
    /// `DC`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub domain_component: bool,
    /// `C`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub country: bool,
    /// `ST`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub province: bool,
    /// `L`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locality: bool,
    /// `O`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub organization: bool,
    /// `OU`; of the subject alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub organizational_unit: bool,
    /// `SN`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub serial_number: bool,
    /// `CN`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub common_name: bool,
}

impl PassTlsClientCert {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let pem = fields.boolean("pem").unwrap_or(false);
        let info = fields.section("info", CertInfo::read);
        if !pem && info.is_none() {
            fields.error("", "tells nothing; set `pem`, or parts of `info`");
        }
        Some(Self { pem, info })
    }
}

impl CertInfo {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut flag = |key| fields.boolean(key).unwrap_or(false);
        let (not_after, not_before) = (flag("notAfter"), flag("notBefore"));
        let (sans, serial_number) = (flag("sans"), flag("serialNumber"));
        Self {
            not_after,
            not_before,
            sans,
            serial_number,
            subject: fields.section("subject", |subject| NameInfo {
                organizational_unit: subject.boolean("organizationalUnit").unwrap_or(false),
                ..NameInfo::read(subject)
            }),
            issuer: fields.section("issuer", NameInfo::read),
        }
    }
}

impl NameInfo {
    fn read(fields: &mut Fields<'_>) -> Self {
        let mut flag = |key| fields.boolean(key).unwrap_or(false);
        Self {
            domain_component: flag("domainComponent"),
            country: flag("country"),
            province: flag("province"),
            locality: flag("locality"),
            organization: flag("organization"),
            organizational_unit: false,
            serial_number: flag("serialNumber"),
            common_name: flag("commonName"),
        }
    }
}
