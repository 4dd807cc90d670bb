//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705, section 2): a client shows a
//! certificate that an authority gave to a name, or one that is registered itself.

mod distinguished_name;

pub(in crate::domain) use distinguished_name::DistinguishedName;

use std::net::IpAddr;

use carnet_oauth::{client::Client, client_auth::Method};
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

use crate::{certificate::Certificate, domain::Authority};

/// The methods by which a certificate authenticates.
const METHODS: [Method; 2] = [Method::TlsClientAuth, Method::SelfSignedTlsClientAuth];

/// Whether a client is registered with a certificate, and how.
pub(super) fn method_of(client: &Client) -> Option<Method> {
    let name = client.token_endpoint_auth_method.as_str();
    METHODS.into_iter().find(|method| method.name() == name)
}

impl Authority {
    /// Whether the certificate that was shown is the client's.
    pub(super) async fn is_certified(
        &self,
        client: &Client,
        method: Method,
        shown: Option<&Certificate>,
    ) -> bool {
        let Some(shown) = shown else {
            return false;
        };
        if method == Method::SelfSignedTlsClientAuth {
            let thumbprint = shown.thumbprint();
            return self.client_keys.has_certificate(client, &thumbprint).await;
        }
        let authorities = self.options.mtls.authorities.as_ref();
        let is_vouched_for =
            authorities.is_some_and(|authorities| authorities.vouch_for(shown, self.now()));
        is_vouched_for && is_named(client, shown.der())
    }
}

/// The names by which a client may be registered, by their members; exactly one counts.
pub(in crate::domain) fn registered(client: &Client) -> Vec<(&'static str, &str)> {
    let names = [
        (
            "tls_client_auth_subject_dn",
            &client.tls_client_auth_subject_dn,
        ),
        ("tls_client_auth_san_dns", &client.tls_client_auth_san_dns),
        ("tls_client_auth_san_uri", &client.tls_client_auth_san_uri),
        ("tls_client_auth_san_ip", &client.tls_client_auth_san_ip),
        (
            "tls_client_auth_san_email",
            &client.tls_client_auth_san_email,
        ),
    ];
    let names = names.into_iter();
    names
        .map(|(member, name)| (member, name.as_str()))
        .filter(|(_, name)| !name.is_empty())
        .collect()
}

/// Whether a certificate has the one name that is registered (section 2.1.2).
fn is_named(client: &Client, der: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return false;
    };
    let [(member, name)] = registered(client)[..] else {
        return false;
    };
    if member == "tls_client_auth_subject_dn" {
        let registered = DistinguishedName::parse(name);
        return registered.is_some_and(|registered| registered.is_of(certificate.subject()));
    }
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return false;
    };
    let mut names = names.value.general_names.iter();
    names.any(|known| match (member, known) {
        ("tls_client_auth_san_dns", GeneralName::DNSName(known)) => {
            known.eq_ignore_ascii_case(name)
        }
        ("tls_client_auth_san_uri", GeneralName::URI(known)) => *known == name,
        ("tls_client_auth_san_ip", GeneralName::IPAddress(known)) => is_address(known, name),
        ("tls_client_auth_san_email", GeneralName::RFC822Name(known)) => is_mailbox(known, name),
        _ => false,
    })
}

/// Binary as in the certificate, text as registered.
fn is_address(known: &[u8], name: &str) -> bool {
    match name.parse() {
        Ok(IpAddr::V4(address)) => known == address.octets(),
        Ok(IpAddr::V6(address)) => known == address.octets(),
        Err(_) => false,
    }
}

/// Of a mail address only the host is without case (RFC 5280, section 7.5).
fn is_mailbox(known: &str, name: &str) -> bool {
    match (known.rsplit_once('@'), name.rsplit_once('@')) {
        (Some((known, at)), Some((name, host))) => known == name && at.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn with(name: SanType) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        signed.der().to_vec()
    }

    fn client(member: &str, name: &str) -> Client {
        serde_json::from_value(serde_json::json!({member: name})).unwrap()
    }

    // Holds MT-01.
    #[test]
    fn a_name_is_compared_with_those_of_its_own_kind() {
        let dns = |text: &str| with(SanType::DnsName(text.try_into().unwrap()));
        let uri = |text: &str| with(SanType::URI(text.try_into().unwrap()));
        let mail = |text: &str| with(SanType::Rfc822Name(text.try_into().unwrap()));
        let address = |text: &str| with(SanType::IpAddress(text.parse().unwrap()));
        for (member, name, certificate, expected) in [
            ("san_dns", "a.example", dns("a.example"), true),
            ("san_dns", "A.example", dns("a.EXAMPLE"), true),
            ("san_dns", "b.a.example", dns("*.a.example"), false),
            ("san_dns", "a.example", uri("a.example"), false),
            ("san_dns", "a.example", dns("a.example.evil"), false),
            ("san_uri", "spiffe://a/b", uri("spiffe://a/b"), true),
            ("san_uri", "spiffe://a/b", uri("spiffe://A/b"), false),
            ("san_uri", "spiffe://a/b", uri("spiffe://a/b/c"), false),
            ("san_ip", "192.0.2.1", address("192.0.2.1"), true),
            ("san_ip", "2001:db8:0:0::1", address("2001:db8::1"), true),
            ("san_ip", "192.0.2.1", address("192.0.2.2"), false),
            ("san_ip", "192.0.2.1", dns("192.0.2.1"), false),
            ("san_ip", "192.0.2.1", address("::ffff:192.0.2.1"), false),
            ("san_email", "a@b.example", mail("a@B.example"), true),
            ("san_email", "a@b.example", mail("A@b.example"), false),
            ("san_email", "a", mail("a"), false),
        ] {
            let client = client(&format!("tls_client_auth_{member}"), name);
            assert_eq!(is_named(&client, &certificate), expected, "{member} {name}");
        }
        let mut both = client("tls_client_auth_san_dns", "a.example");
        both.tls_client_auth_san_uri = "a:b".to_owned();
        assert!(!is_named(&both, &dns("a.example")));
        assert!(!is_named(&Client::default(), &dns("a.example")));
        assert!(!is_named(&both, b"no certificate"));
    }
}
