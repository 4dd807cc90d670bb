//! What certificates say, in Traefik's notation: `Subject="CN=a";SAN="b,c"`, several certificates
//! after commas, the whole escaped as Go escapes a value of a query.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use carnet_config::routing::middleware::pass_tls_client_cert::{CertInfo, NameInfo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls_pki_types::CertificateDer;
use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::der_parser::oid;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// What Go's `url.QueryEscape` escapes; a space becomes `+`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The types of the parts of a name (RFC 4519).
const DOMAIN_COMPONENT: Oid<'static> = oid!(0.9.2342.19200300.100.1.25);
const COMMON_NAME: Oid<'static> = oid!(2.5.4.3);
const SERIAL_NUMBER: Oid<'static> = oid!(2.5.4.5);
const COUNTRY: Oid<'static> = oid!(2.5.4.6);
const LOCALITY: Oid<'static> = oid!(2.5.4.7);
const PROVINCE: Oid<'static> = oid!(2.5.4.8);
const ORGANIZATION: Oid<'static> = oid!(2.5.4.10);
const ORGANIZATIONAL_UNIT: Oid<'static> = oid!(2.5.4.11);

/// The value of the header.
pub(super) fn of(shown: &[CertificateDer<'_>], parts: &CertInfo) -> String {
    // One that cannot be read says nothing; its place stays, so that nobody takes it.
    let texts = shown.iter().map(|der| {
        let read = X509Certificate::from_der(der).ok();
        read.map(|(_, read)| one(&read, parts)).unwrap_or_default()
    });
    let text = texts.collect::<Vec<String>>().join(",");
    utf8_percent_encode(&text, ESCAPED)
        .to_string()
        .replace("%20", "+")
}

fn one(certificate: &X509Certificate<'_>, parts: &CertInfo) -> String {
    let validity = certificate.validity();
    let named = |name: &X509Name<'_>, wanted: &Option<NameInfo>| {
        let wanted = wanted.as_ref()?;
        let name = distinguished(name, wanted);
        (!name.is_empty()).then_some(name)
    };
    let fields = [
        ("Subject", named(certificate.subject(), &parts.subject)),
        ("Issuer", named(certificate.issuer(), &parts.issuer)),
        (
            "SerialNumber",
            parts
                .serial_number
                .then(|| certificate.tbs_certificate.serial.to_string()),
        ),
        (
            "NB",
            parts
                .not_before
                .then(|| validity.not_before.timestamp().to_string()),
        ),
        (
            "NA",
            parts
                .not_after
                .then(|| validity.not_after.timestamp().to_string()),
        ),
        (
            "SAN",
            parts.sans.then(|| other_names(certificate)).flatten(),
        ),
    ];
    let fields = fields.into_iter();
    let fields = fields.filter_map(|(name, value)| Some(format!("{name}=\"{}\"", value?)));
    fields.collect::<Vec<_>>().join(";")
}

/// The wanted parts of a name. Of numbers and common names the last one counts, as in Go.
fn distinguished(name: &X509Name<'_>, wanted: &NameInfo) -> String {
    let values = |oid: &Oid<'_>| -> Vec<String> {
        let attributes = name.iter_attributes();
        let attributes = attributes.filter(|attribute| attribute.attr_type() == oid);
        attributes.filter_map(text).collect()
    };
    let last = |oid: &Oid<'_>| values(oid).pop().into_iter().collect();
    let parts: [(bool, &str, Vec<String>); 8] = [
        (wanted.domain_component, "DC", values(&DOMAIN_COMPONENT)),
        (wanted.country, "C", values(&COUNTRY)),
        (wanted.province, "ST", values(&PROVINCE)),
        (wanted.locality, "L", values(&LOCALITY)),
        (wanted.organization, "O", values(&ORGANIZATION)),
        (
            wanted.organizational_unit,
            "OU",
            values(&ORGANIZATIONAL_UNIT),
        ),
        (wanted.serial_number, "SN", last(&SERIAL_NUMBER)),
        (wanted.common_name, "CN", last(&COMMON_NAME)),
    ];
    let told = parts.into_iter().filter(|(is_wanted, ..)| *is_wanted);
    let told = told.flat_map(|(_, key, values)| {
        let values = values.into_iter().filter(|value| !value.is_empty());
        values.map(move |value| format!("{key}={value}"))
    });
    told.collect::<Vec<_>>().join(",")
}

/// The text of a part of a name, in whatever kind of string it is written.
fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    match attribute.as_str() {
        Ok(text) => Some(text.to_owned()),
        Err(_) => {
            let bytes = attribute.as_slice();
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Names of hosts, then addresses of mail, of machines, and URIs.
fn other_names(certificate: &X509Certificate<'_>) -> Option<String> {
    let names = certificate.subject_alternative_name().ok().flatten()?;
    let names = &names.value.general_names;
    let of_kind = |kind: fn(&GeneralName<'_>) -> Option<String>| names.iter().filter_map(kind);
    let hosts = of_kind(|name| match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        _ => None,
    });
    let mail = of_kind(|name| match name {
        GeneralName::RFC822Name(address) => Some((*address).to_owned()),
        _ => None,
    });
    let machines = of_kind(|name| match name {
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    });
    let uris = of_kind(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    let all: Vec<String> = hosts.chain(mail).chain(machines).chain(uris).collect();
    (!all.is_empty()).then(|| all.join(","))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(|b| IpAddr::from(Ipv4Addr::from(b)));
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|b| IpAddr::from(Ipv6Addr::from(b)));
    Some(four.or_else(|_| sixteen()).ok()?.to_canonical())
}
