//! TLS towards backends.

use std::sync::Arc;

use bytes::Bytes;
use carnet_config::routing::{RoutingConfig, ServersTransport, Service};
use carnet_gateway::upstream::{Client, ClientCertificate, FailureKind, Tls, Transport};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::stand::{Stand, config, routes};

/// For `backend.test` and 127.0.0.1, signed by itself, for a hundred years.
pub(crate) const SERVER: &str = include_str!("certificates/server.pem");
pub(crate) const SERVER_KEY: &str = include_str!("certificates/server.key");
const CLIENT: &str = include_str!("certificates/client.pem");
const CLIENT_KEY: &str = include_str!("certificates/client.key");

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// The URL of a server that answers 200; `asks`: only to clients with a certificate.
async fn server(asks: bool) -> String {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match asks {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate(CLIENT)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY.as_bytes()).unwrap();
    let config = builder
        .with_single_cert(vec![certificate(SERVER)], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
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
    });
    url
}

/// Routes to a server by a transport.
pub(crate) fn through(url: &str, transport: ServersTransport) -> RoutingConfig {
    let mut config = config(&routes(&["Host(`a`)"], url));
    let service = config.services.get_mut("s@file").unwrap();
    if let Some(Service::LoadBalancer(balancer)) = &mut service.value {
        balancer.servers_transport = Some("t@file".to_owned());
    }
    let transport = carnet_config::diagnostics::Object::sound(transport);
    config
        .servers_transports
        .insert("t@file".to_owned(), transport);
    config
}

// Holds OP-15.
#[tokio::test]
async fn a_self_signed_server_is_refused_unless_told_to_trust_it() {
    let url = server(false).await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    assert_eq!(stand.get("a", &[]).await.status, 502);

    let trusting = ServersTransport {
        root_cas: vec![SERVER.to_owned().into()],
        ..ServersTransport::default()
    };
    stand.gateway.apply(&through(&url, trusting.clone()));
    assert_eq!(stand.get("a", &[]).await.text(), "ok");

    let named = |name: &str| ServersTransport {
        server_name: Some(name.to_owned()),
        ..trusting.clone()
    };
    stand.gateway.apply(&through(&url, named("backend.test")));
    assert_eq!(stand.get("a", &[]).await.text(), "ok");
    stand.gateway.apply(&through(&url, named("other.test")));
    assert_eq!(stand.get("a", &[]).await.status, 502);

    let careless = ServersTransport {
        insecure_skip_verify: true,
        ..ServersTransport::default()
    };
    stand.gateway.apply(&through(&url, careless));
    assert_eq!(stand.get("a", &[]).await.text(), "ok");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_closes_its_routers() {
    let broken = ServersTransport {
        root_cas: vec!["no certificate".to_owned().into()],
        ..ServersTransport::default()
    };
    let stand = Stand::new("http: {}").await;
    let findings = stand.gateway.apply(&through("https://127.0.0.1:1", broken));
    let text = findings[0].to_string();
    assert!(text.contains("hold no PEM certificate"), "{text}");
    assert_eq!(stand.get("a", &[]).await.status, 503);
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_who_asks() {
    let url = server(true).await;
    let ask = async |client_certificate: Option<ClientCertificate>| {
        let transport = Transport {
            tls: Tls {
                root_cas: vec![SERVER.to_owned()],
                client_certificates: client_certificate.into_iter().collect(),
                ..Tls::default()
            },
            ..Transport::default()
        };
        let client = Client::new(&transport, Arc::new(|_, _| None)).unwrap();
        let request = http::Request::get(format!("{url}/"))
            .body(Bytes::new())
            .unwrap();
        client.call(request, 10).await
    };
    let certificate = ClientCertificate {
        cert: CLIENT.to_owned(),
        key: CLIENT_KEY.into(),
    };
    let response = ask(Some(certificate)).await.unwrap();
    assert_eq!(response.body().as_ref(), b"ok");
    let failure = ask(None).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
}

// Holds SS-03.
#[tokio::test]
async fn a_collected_answer_is_bounded() {
    let backend =
        carnet_testkit::Server::start(|_| carnet_testkit::server::Answer::text(200, "eleven byte"))
            .await
            .unwrap();
    let client = Client::new(&Transport::default(), Arc::new(|_, _| None)).unwrap();
    let request = || {
        http::Request::get(backend.url("/"))
            .body(Bytes::new())
            .unwrap()
    };
    let failure = client.call(request(), 10).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge);
    assert!(client.call(request(), 11).await.is_ok());
}
