//! What a servers transport says of TLS: versions, cipher suites, a URI in the server's certificate,
//! and the transport of services that name none.

use std::sync::Arc;

use carnet_config::routing::ServersTransport;
use carnet_config::routing::tls::{CipherSuite, Spoken, TlsVersion};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::clients_tls::pem;
use crate::stand::{Plan, Stand, routes};
use crate::tls::through;

const URI: &str = "spiffe://a.test/backend";

/// A server with TLS, and the authority that knows it.
struct Encrypted {
    url: String,
    authority: String,
}

impl Encrypted {
    /// Its certificate is for these names and [`URI`]; of TLS 1.2 it speaks one suite alone.
    async fn start(names: &[&str], versions: &[&'static SupportedProtocolVersion]) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let uri = SanType::URI(URI.try_into().unwrap());
        params.subject_alt_names.push(uri);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();

        let mut provider = aws_lc_rs::default_provider();
        let spoken = cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
        let suites = &mut provider.cipher_suites;
        suites.retain(|suite| suite.tls13().is_some() || *suite == spoken);
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config))));
        Self {
            url,
            authority: pem("CERTIFICATE", issuer.der()),
        }
    }

    fn trusting(&self) -> ServersTransport {
        ServersTransport {
            root_cas: vec![self.authority.clone().into()],
            ..ServersTransport::default()
        }
    }

    /// The status that a client gets over a transport.
    async fn status(&self, transport: ServersTransport) -> u16 {
        let stand = Stand::new("http: {}").await;
        stand.gateway.apply(&through(&self.url, transport));
        stand.get("a", &[]).await.status
    }

    async fn status_with(&self, spoken: Spoken) -> u16 {
        self.status(ServersTransport {
            spoken,
            ..self.trusting()
        })
        .await
    }
}

async fn answer(listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let Ok(mut stream) = acceptor.accept(socket).await else {
            continue;
        };
        let mut buffer = [0; 4096];
        if stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_version_that_is_not_wanted_is_not_spoken() {
    let of = |min_version, max_version| Spoken {
        min_version,
        max_version,
        ..Spoken::default()
    };
    let old = of(TlsVersion::Tls12, TlsVersion::Tls12);
    let new = of(TlsVersion::Tls13, TlsVersion::Tls13);
    for (version, statuses) in [(&TLS12, [200, 200, 502]), (&TLS13, [200, 502, 200])] {
        let server = Encrypted::start(&["127.0.0.1"], &[version]).await;
        for (spoken, status) in [Spoken::default(), old.clone(), new.clone()]
            .into_iter()
            .zip(statuses)
        {
            let seen = server.status_with(spoken.clone()).await;
            assert_eq!(seen, status, "{version:?} {spoken:?}");
        }
    }
}

#[tokio::test]
async fn a_cipher_suite_that_is_not_wanted_is_not_spoken() {
    let server = Encrypted::start(&["127.0.0.1"], &[&TLS12]).await;
    for (suite, status) in [
        (CipherSuite::EcdheEcdsaAes256GcmSha384, 200),
        (CipherSuite::EcdheEcdsaAes128GcmSha256, 502),
    ] {
        let spoken = Spoken {
            cipher_suites: vec![suite],
            ..Spoken::default()
        };
        assert_eq!(server.status_with(spoken).await, status, "{suite:?}");
    }
}

#[tokio::test]
async fn a_server_needs_the_uri_beside_all_else() {
    let both = &[&TLS12, &TLS13];
    let server = Encrypted::start(&["127.0.0.1"], both).await;
    let elsewhere = Encrypted::start(&["elsewhere.test"], both).await;
    for (server, authority, uri, insecure_skip_verify, status) in [
        (&server, &server, URI, false, 200),
        (&server, &server, "SPIFFE://a.test/Backend", false, 200),
        (&server, &server, "spiffe://a.test/other", false, 502),
        (&server, &server, "spiffe://a.test/other", true, 502),
        // Whatever its host, an authority must know it.
        (&elsewhere, &elsewhere, URI, false, 502),
        (&elsewhere, &elsewhere, URI, true, 200),
        (&elsewhere, &server, URI, true, 502),
    ] {
        let transport = ServersTransport {
            peer_cert_uri: Some(uri.to_owned()),
            insecure_skip_verify,
            ..authority.trusting()
        };
        let seen = server.status(transport).await;
        assert_eq!(seen, status, "{uri} {insecure_skip_verify}");
    }
}

#[tokio::test]
async fn the_default_transport_is_that_of_services_that_name_none() {
    let server = Encrypted::start(&["127.0.0.1"], &[&TLS13]).await;
    for (servers_transport, status) in
        [(ServersTransport::default(), 502), (server.trusting(), 200)]
    {
        let plan = Plan {
            servers_transport,
            ..Plan::default()
        };
        let stand = Stand::planned(plan, &routes(&["Host(`a`)"], &server.url)).await;
        assert_eq!(stand.get("a", &[]).await.status, status);
    }
}
