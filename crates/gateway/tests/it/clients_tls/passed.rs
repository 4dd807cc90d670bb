//! `passTLSClientCert`.

use rcgen::{CertificateParams, DnType, Issuer, KeyPair, SanType};
use rustls_pki_types::PrivateKeyDer;

use super::{Certificate, Clients, Encrypted, Shown};
use crate::stand::{Plan, Stand, Whoami};

/// A client with every part of a name, and other names of every kind.
fn client(clients: &Clients) -> (Shown, Vec<u8>) {
    let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let name = &mut params.distinguished_name;
    for (kind, value) in [
        (DnType::CountryName, "FR"),
        (DnType::StateOrProvinceName, "Some State"),
        (DnType::LocalityName, "A, B"),
        (DnType::OrganizationName, "O=1"),
        (DnType::OrganizationalUnitName, "Ünit"),
        (DnType::CommonName, "a.test"),
        (DnType::CustomDnType(vec![2, 5, 4, 5]), "77"),
        (
            DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]),
            "org",
        ),
    ] {
        name.push(kind, value);
    }
    params.serial_number = Some(vec![1, 0, 0, 0, 0, 0, 0, 0, 1].into());
    params.subject_alt_names = vec![
        SanType::URI("https://a.test/x?y".try_into().unwrap()),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
        SanType::Rfc822Name("a@a.test".try_into().unwrap()),
        SanType::DnsName("a.test".try_into().unwrap()),
    ];
    let pair = KeyPair::generate().unwrap();
    let issuer: &Issuer<'_, KeyPair> = &clients.issuer;
    let made = params.signed_by(&pair, issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
    let der = made.der().to_vec();
    (Some((vec![made.der().clone()], key)), der)
}

async fn stand(url: &str, options: &str, authorities: &str, trusts: bool) -> Stand {
    let yaml = format!(
        "http:\n  routers:\n    r: {{rule: Host(`a.test`), service: s, middlewares: [who], \
         tls: {{options: m}}}}\n  middlewares:\n    who: {{passTLSClientCert: {options}}}\n  \
         services:\n    s: {{loadBalancer: {{servers: [{{url: '{url}'}}]}}}}\ntls:\n  options:\n    \
         m: {{clientAuth: {authorities}}}\n  certificates:\n{}",
        Certificate::of(&["a.test"]).yaml()
    );
    // Callers are believed what proxies say, so that the middleware alone is in the way of the rest.
    let mut plan = Plan::default();
    plan.entry_point.forwarded_headers.insecure = trusts;
    Stand::planned(plan, &yaml).await
}

const FORGED: &str = "X-Forwarded-Tls-Client-Cert: forged\r\nX-Forwarded-Tls-Client-Cert-Info: forged\r\n\
                      X_Forwarded_Tls_Client_Cert: forged\r\nX.Forwarded.Tls.Client.Cert.Info: forged\r\n";

async fn seen(stand: &Stand, shown: Shown) -> String {
    let mut connection = Encrypted::of(stand.address, "a.test", shown).await.unwrap();
    let (status, text) = connection.ask("a.test", FORGED).await.unwrap();
    assert_eq!(status, 200);
    assert!(!text.contains("forged"), "{text}");
    text
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let start = format!("X-Forwarded-Tls-Client-{name}: ");
    text.lines()
        .find_map(|line| line.strip_prefix(start.as_str()))
}

// Holds HI-14.
#[tokio::test]
async fn the_service_gets_the_certificate_and_what_it_says_and_nothing_that_a_caller_says() {
    use base64::Engine as _;
    let whoami = Whoami::start();
    let clients = Clients::new();
    let authorities = clients.yaml("VerifyClientCertIfGiven");
    let all = "{domainComponent: true, country: true, province: true, locality: true, \
               organization: true, organizationalUnit: true, serialNumber: true, commonName: true}";
    let options = format!(
        "{{pem: true, info: {{subject: {all}, serialNumber: true, sans: true, notBefore: true}}}}"
    );
    let believing = stand(&whoami.url, &options, &authorities, true).await;
    seen(&believing, client(&clients).0).await;
    let stand = stand(&whoami.url, &options, &authorities, false).await;
    let (shown, der) = client(&clients);
    let text = seen(&stand, shown).await;
    let encoded = base64::engine::general_purpose::STANDARD.encode(der);
    assert_eq!(field(&text, "Cert"), Some(encoded.as_str()));
    let expected = "Subject%3D%22DC%3Dorg%2CC%3DFR%2CST%3DSome+State%2CL%3DA%2C+B%2CO%3DO%3D1%2C\
                    OU%3D%C3%9Cnit%2CSN%3D77%2CCN%3Da.test%22%3BSerialNumber%3D%2218446744073709551617%22%3B\
                    NB%3D%22157766400%22%3B\
                    SAN%3D%22a.test%2Ca%40a.test%2C2001%3Adb8%3A%3A1%2Chttps%3A%2F%2Fa.test%2Fx%3Fy%22";
    assert_eq!(field(&text, "Cert-Info"), Some(expected));
    // Who shows none is nobody.
    let text = seen(&stand, None).await;
    assert_eq!(
        (field(&text, "Cert"), field(&text, "Cert-Info")),
        (None, None)
    );
}
