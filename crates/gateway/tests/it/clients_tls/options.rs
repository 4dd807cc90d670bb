//! Options that demand a certificate, and every way around them.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Anything, Certificate, Clients, Encrypted, document, status};
use crate::stand::{Stand, Whoami};

// Holds MT-05.
#[tokio::test]
async fn clients_show_certificates_in_gos_five_ways() {
    let whoami = Whoami::start();
    let (known, unknown) = (Clients::new(), Clients::new());
    for (kind, none, stranger, ours) in [
        ("NoClientCert", true, true, true),
        ("RequestClientCert", true, true, true),
        ("RequireAnyClientCert", false, true, true),
        ("VerifyClientCertIfGiven", true, false, true),
        ("RequireAndVerifyClientCert", false, false, true),
        // Authorities without a word about them.
        ("\"\"", false, false, true),
    ] {
        let tls = format!(
            "tls:\n  options:\n    m: {{clientAuth: {}}}\n",
            known.yaml(kind)
        );
        let yaml = document(&whoami.url, &[("a", "Host(`a.test`)", "m")], &tls);
        let stand = Stand::new(&yaml).await;
        for (who, shown, comes_in) in [
            ("nobody", None, none),
            ("a stranger", unknown.client(), stranger),
            ("one of ours", known.client(), ours),
        ] {
            let answer = status(&stand, "a.test", "a.test", shown).await;
            assert_eq!(answer, comes_in.then_some(200), "{kind}: {who}");
        }
    }
}

// Holds MT-05, CVE-2026-48491, CVE-2026-53622.
#[tokio::test]
async fn another_host_than_the_name_of_the_handshake_does_not_get_past_its_options() {
    let whoami = Whoami::start();
    let clients = Clients::new();
    let tls = format!(
        "tls:\n  options:\n    m: {{clientAuth: {}}}\n",
        clients.yaml("RequireAndVerifyClientCert")
    );
    let routers = [
        ("guarded", "Host(`m.test`)", "m"),
        ("label", "Host(`*.l.test`)", "m"),
        ("open", "Host(`a.test`)", "default"),
        ("path", "Path(`/`)", "m"),
    ];
    let stand = Stand::new(&document(&whoami.url, &routers, &tls)).await;
    for (name, host, answer) in [
        ("a.test", "a.test", Some(200)),
        ("a.test", "m.test", Some(421)),
        ("a.test", "M.Test.", Some(421)),
        ("a.test", "m.test:443", Some(421)),
        ("a.test", "x.l.test", Some(421)),
        ("x.test", "m.test", Some(421)),
        // Its rule names no host, so nobody was asked for a certificate.
        ("x.test", "x.test", Some(421)),
        ("m.test", "m.test", None),
        ("M.tEsT", "m.test", None),
        ("x.l.test", "x.l.test", None),
    ] {
        let found = status(&stand, name, host, None).await;
        assert_eq!(found, answer, "{host} over a connection for {name}");
    }
    let ours = status(&stand, "m.test", "m.test", clients.client()).await;
    assert_eq!(ours, Some(200));
    let elsewhere = status(&stand, "m.test", "a.test", clients.client()).await;
    assert_eq!(elsewhere, Some(421));
}

// Holds MT-05, CVE-2022-46153.
#[tokio::test]
async fn options_that_are_missing_or_broken_refuse_handshakes_and_close_the_router() {
    let whoami = Whoami::start();
    let tls = "tls:\n  options:\n    broken: {clientAuth: {clientAuthType: \
               RequireAndVerifyClientCert}}\n    no-ca: {clientAuth: {caFiles: \
               [\"-----BEGIN nothing\"]}}\n";
    let routers = [
        ("a", "Host(`a.test`)", "absent"),
        ("b", "Host(`b.test`)", "broken"),
        ("c", "Host(`c.test`)", "no-ca"),
        ("d", "Host(`d.test`)", "default"),
    ];
    let stand = Stand::new(&document(&whoami.url, &routers, tls)).await;
    for name in ["a.test", "b.test", "c.test"] {
        assert_eq!(status(&stand, name, name, None).await, None, "{name}");
        let over_another = status(&stand, "d.test", name, None).await;
        assert_eq!(over_another, Some(421), "{name}");
    }
    assert_eq!(status(&stand, "d.test", "d.test", None).await, Some(200));
}

// Holds MT-05.
#[tokio::test]
async fn routers_that_disagree_about_a_host_do_not_open_the_guarded_one() {
    let whoami = Whoami::start();
    let clients = Clients::new();
    let tls = format!(
        "tls:\n  options:\n    m: {{clientAuth: {}}}\n",
        clients.yaml("")
    );
    let routers = [
        ("guarded", "Host(`a.test`) && Path(`/`)", "m"),
        ("open", "Host(`a.test`)", "default"),
    ];
    let stand = Stand::new(&document(&whoami.url, &routers, &tls)).await;
    assert_eq!(status(&stand, "a.test", "a.test", None).await, Some(421));
}

// Holds MT-05.
#[tokio::test]
async fn a_connection_from_before_does_not_get_past_options_of_now() {
    let whoami = Whoami::start();
    let clients = Clients::new();
    let before = document(&whoami.url, &[("a", "Host(`a.test`)", "default")], "");
    let stand = Stand::new(&before).await;
    let mut old = Encrypted::open(stand.address, "a.test").await.unwrap();
    assert_eq!(old.get("a.test").await.unwrap().0, 200);
    let certificate = Certificate::of(&["a.test"]);
    let tls = format!("tls:\n  certificates:\n{}", certificate.yaml());
    stand.apply(&document(
        &whoami.url,
        &[("a", "Host(`a.test`)", "default")],
        &tls,
    ));
    assert_eq!(
        old.get("a.test").await.unwrap().0,
        200,
        "only a certificate came"
    );
    let new = Encrypted::open(stand.address, "a.test").await.unwrap();
    assert_eq!(new.certificate(), certificate.der);
    let tls = format!(
        "tls:\n  options:\n    m: {{clientAuth: {}}}\n",
        clients.yaml("")
    );
    stand.apply(&document(
        &whoami.url,
        &[("a", "Host(`a.test`)", "m")],
        &tls,
    ));
    assert_eq!(old.get("a.test").await.unwrap().0, 421);
}

// Holds MT-05, CVE-2026-32305.
#[tokio::test]
async fn a_hello_in_pieces_of_one_byte_asks_for_the_same_name() {
    let whoami = Whoami::start();
    let clients = Clients::new();
    let tls = format!(
        "tls:\n  options:\n    m: {{clientAuth: {}}}\n",
        clients.yaml("")
    );
    let yaml = document(&whoami.url, &[("a", "Host(`m.test`)", "m")], &tls);
    let stand = Stand::new(&yaml).await;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything(provider)))
        .with_no_client_auth();
    let name = ServerName::try_from("m.test").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    // The handshake message in records of sixteen bytes, the records in segments of one.
    let message = &hello[5..];
    let mut socket = TcpStream::connect(stand.address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    for piece in message.chunks(16) {
        let length = u8::try_from(piece.len()).unwrap();
        for byte in [22, 3, 1, 0, length].iter().chain(piece) {
            socket.write_all(&[*byte]).await.unwrap();
        }
    }
    let mut answer = vec![0; 16 << 10];
    let mut read = 0;
    while client.wants_read() && client.is_handshaking() {
        read += socket.read(&mut answer[read..]).await.unwrap();
        client.read_tls(&mut &answer[..read]).unwrap();
        client.process_new_packets().unwrap();
        read = 0;
    }
    // The server has asked for a certificate; an empty answer is refused with an alert.
    let mut finished = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut finished).unwrap();
    }
    socket.write_all(&finished).await.unwrap();
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    let mut rest = rest.as_slice();
    let refused = loop {
        if client.read_tls(&mut rest).unwrap() == 0 {
            break None;
        }
        if let Err(error) = client.process_new_packets() {
            break Some(error);
        }
    };
    let required = rustls::AlertDescription::CertificateRequired;
    assert_eq!(refused, Some(rustls::Error::AlertReceived(required)));
}
