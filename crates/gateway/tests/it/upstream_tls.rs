//! Whom the gateway trusts behind it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use carnet_testkit::{FixedClock, client};
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::stack::Stack;

const HOST: &str = "backend.localhost";

/// A backend whose certificate nobody has signed but itself.
struct SelfSigned {
    address: SocketAddr,
    /// The certificate.
    pem: String,
    /// Requests that got through.
    served: Arc<AtomicUsize>,
}

impl SelfSigned {
    async fn start() -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            pem: cert.pem(),
            served: Arc::default(),
        };
        let served = Arc::clone(&backend.served);
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust us ends the handshake.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut request = [0; 4096];
                if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    served.fetch_add(1, Ordering::SeqCst);
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
            }
        });
        backend
    }

    /// A gateway in front of it.
    fn behind(&self, transport: &str) -> Stack {
        let gateway = Stack::start(Arc::new(FixedClock::default()));
        gateway.apply(&format!(
            "
http:
  routers:
    r: {{rule: 'Host(`{HOST}`)', service: s}}
  services:
    s:
      loadBalancer:
        serversTransport: t
        servers: [{{url: 'https://{}'}}]
  serversTransports:
    t: {{serverName: {HOST}{transport}}}
",
            self.address
        ));
        gateway
    }
}

// Holds OP-15.
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_unless_it_is_told_otherwise() {
    let backend = SelfSigned::start().await;
    let pem = backend.pem.replace('\n', "\\n");
    for (transport, status, served) in [
        (String::new(), 502, 0),
        (", insecureSkipVerify: false".to_owned(), 502, 0),
        (", insecureSkipVerify: true".to_owned(), 200, 1),
        (format!(", rootCAs: [\"{pem}\"]"), 200, 1),
    ] {
        let before = backend.served.load(Ordering::SeqCst);
        let gateway = backend.behind(&transport);
        let response = client::get(gateway.address, HOST, &[]).await.unwrap();
        assert_eq!(response.status, status, "{transport}");
        let now = backend.served.load(Ordering::SeqCst);
        assert_eq!(now - before, served, "{transport}");
    }
}
