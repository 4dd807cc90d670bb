//! Distinguished names as people write them (RFC 4514), and whether a certificate has one: attribute
//! by attribute, in order, texts without regard to case and to how much space is in them (RFC 5280,
//! section 7.1), however they are encoded.

use percent_encoding::percent_decode_str;
use x509_parser::{asn1_rs::Tag, x509::X509Name};

/// The names of attributes (RFC 4514, section 3, and two more that tools write) and their numbers.
const NAMES: [(&str, &str); 11] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

/// The kinds of text that are compared as text; RFC 5280 knows no others that are still made.
const TEXTS: [Tag; 3] = [Tag::Utf8String, Tag::PrintableString, Tag::Ia5String];

/// An attribute: its number and its text, folded.
type Attribute = (String, String);

/// A distinguished name.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::domain) struct DistinguishedName {
    /// In the order of the certificate, which is the reverse of the text; of each element the
    /// attributes sorted.
    elements: Vec<Vec<Attribute>>,
}

impl DistinguishedName {
    /// Reads a text; `None` when it is no name, or one with an attribute in hexadecimal BER.
    pub(in crate::domain) fn parse(text: &str) -> Option<Self> {
        let mut elements = Vec::new();
        for element in split(text, ',') {
            let mut attributes = Vec::new();
            for attribute in split(element, '+') {
                attributes.push(parse_attribute(attribute)?);
            }
            attributes.sort();
            elements.push(attributes);
        }
        elements.reverse();
        Some(Self { elements })
    }

    /// Whether a certificate has this name.
    pub(super) fn is_of(&self, name: &X509Name<'_>) -> bool {
        let elements = name.iter_rdn().map(|element| {
            let attributes = element.iter().map(|attribute| {
                let value = attribute.attr_value();
                let text = attribute.as_str().ok()?;
                let is_text = TEXTS.contains(&value.tag());
                is_text.then(|| (attribute.attr_type().to_id_string(), folded(text)))
            });
            let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
            attributes.sort();
            Some(attributes)
        });
        let elements: Option<Vec<_>> = elements.collect();
        elements.is_some_and(|elements| elements == self.elements)
    }
}

/// The parts of a text between marks that are not escaped.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut from, mut is_escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == mark && !is_escaped {
            parts.push(&text[from..at]);
            from = at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    parts.push(&text[from..]);
    parts
}

fn parse_attribute(text: &str) -> Option<Attribute> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim_start());
    if value.starts_with('#') {
        return None;
    }
    Some((number(name)?, folded(&unescaped(value)?)))
}

fn number(name: &str) -> Option<String> {
    let named = NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    if let Some((_, number)) = named {
        return Some((*number).to_owned());
    }
    let is_number = name.contains('.')
        && name
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| name.to_owned())
}

/// Without its escapes: `\\,` and `\\2C` both are a comma.
fn unescaped(text: &str) -> Option<String> {
    const SPECIAL: &str = "\"+,;<>= #\\";
    let mut encoded = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => encoded.push_str("%25"),
            '\\' => match rest.next()? {
                special if SPECIAL.contains(special) => encoded.push(special),
                high => {
                    let low = rest.next()?;
                    (high.is_ascii_hexdigit() && low.is_ascii_hexdigit()).then_some(())?;
                    // Bytes of UTF-8, which only make sense together.
                    encoded.extend(['%', high, low]);
                }
            },
            '"' | ';' | '<' | '>' | '\0' => return None,
            c => encoded.push(c),
        }
    }
    let decoded = percent_decode_str(&encoded).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// A text as it is compared: small, each run of spaces one, none around.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair};
    use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

    use super::*;

    fn is_of(written: &str, attributes: &[(DnType, DnValue)]) -> bool {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in attributes {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, certificate) = X509Certificate::from_der(signed.der()).unwrap();
        let name = DistinguishedName::parse(written);
        name.is_some_and(|name| name.is_of(certificate.subject()))
    }

    // Holds MT-01.
    #[test]
    fn a_name_is_the_same_in_order_and_in_text_and_however_it_is_encoded() {
        let utf8 = |text: &str| DnValue::Utf8String(text.to_owned());
        let printable = |text: &str| DnValue::PrintableString(text.try_into().unwrap());
        let (c, o, cn) = (
            DnType::CountryName,
            DnType::OrganizationName,
            DnType::CommonName,
        );
        let mixed = [
            (c.clone(), printable("DE")),
            (o.clone(), utf8("Acme, Inc.")),
            (cn.clone(), printable("orders")),
        ];
        for (written, expected) in [
            ("CN=orders,O=Acme\\, Inc.,C=DE", true),
            ("cn=Orders, o=ACME\\2c  inc., c=de", true),
            ("2.5.4.3=orders,2.5.4.10=Acme\\2C Inc.,2.5.4.6=DE", true),
            ("C=DE,O=Acme\\, Inc.,CN=orders", false),
            ("CN=orders,C=DE,O=Acme\\, Inc.", false),
            ("CN=orders,O=Acme\\, Inc.", false),
            ("CN=orders+O=Acme\\, Inc.,C=DE", false),
            ("CN=orders,OU=Acme\\, Inc.,C=DE", false),
            ("CN=orders2,O=Acme\\, Inc.,C=DE", false),
            ("CN=orders,O=Acme,O=Inc.,C=DE", false),
            ("CN=#0c066f7264657273,O=Acme\\, Inc.,C=DE", false),
            ("orders", false),
            ("", false),
        ] {
            assert_eq!(is_of(written, &mixed), expected, "{written}");
        }
        let folded = [(cn.clone(), utf8("B\u{fc}ro  1 +%"))];
        assert!(is_of("CN=b\\c3\\bcro 1 \\+%", &folded));
        let teletex = [(cn, DnValue::BmpString("orders".try_into().unwrap()))];
        assert!(!is_of("CN=orders", &teletex));
    }

    #[test]
    fn texts_that_are_no_names_are_none() {
        for text in [
            "CN", "=a", "XX=a", "CN=a,", "CN=a\\", "CN=a\\zz", "CN=\"a\"", "2..5=a",
        ] {
            assert_eq!(DistinguishedName::parse(text), None, "{text}");
        }
        let name = DistinguishedName::parse("CN=a+OU=b,O=c").unwrap();
        assert_eq!(name.elements.len(), 2);
    }
}
