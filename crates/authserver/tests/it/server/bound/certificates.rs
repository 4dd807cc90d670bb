//! Certificates of clients (RFC 8705), over TLS and in the header of a proxy.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use carnet_authserver::{
    AccessTokenStrategy, ClientAuthorities, Mtls, Options, PortOptions, Ports, TlsOptions,
};
use carnet_oauth::confirmation;
use carnet_testkit::{certificates::FIRST, client};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{assert_bound, token};
use crate::server::{Answer, Room, serving::Served, tutorial};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A certificate and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The parameters of a certificate of a client.
fn params(common_name: &str, name: SanType) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Acme");
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.subject_alt_names = vec![name];
    params
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

impl Identity {
    fn of(authority: &Authority, params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, authority).unwrap();
        Self {
            certificate: signed.der().clone(),
            key,
        }
    }

    fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, key }
    }

    fn thumbprint(&self) -> String {
        confirmation::of_certificate(&self.certificate)
    }

    /// The certificate as a key of a client's set has it.
    fn jwk(&self) -> Value {
        let point = self.key.public_key_raw();
        let part = |bytes: &[u8]| carnet_jose::base64url::encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..]),
            "x5c": [STANDARD.encode(&self.certificate)]})
    }
}

/// The settings of the tutorial over TLS, with certificates of an authority.
fn options(authority: &Authority) -> Options {
    Options {
        mtls: Mtls {
            is_enabled: true,
            authorities: Some(ClientAuthorities::from_pem(&authority.pem()).unwrap()),
            ..Mtls::default()
        },
        ports: Ports {
            public: PortOptions {
                tls: Some(TlsOptions {
                    certificate: FIRST.certificate.to_owned(),
                    key: FIRST.key.into(),
                    allow_termination_from: Vec::new(),
                }),
                ..PortOptions::default()
            },
            ..Ports::default()
        },
        ..tutorial()
    }
}

/// Asks over a connection of its own, with a certificate or without.
async fn send(
    address: SocketAddr,
    identity: Option<&Identity>,
    request: http::Request<Full<Bytes>>,
) -> Answer {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(FIRST.certificate.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
            let chain = vec![identity.certificate.clone()];
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("as.test").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn ask(served: &Served, identity: Option<&Identity>, form: &str) -> Answer {
    let request = http::Request::post("/oauth2/token")
        .header("host", "as.test")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.to_owned())))
        .unwrap();
    send(served.public, identity, request).await
}

fn credentials(id: &str) -> String {
    format!("grant_type=client_credentials&client_id={id}")
}

// Holds MT-01, TE-11, TE-30.
#[tokio::test]
async fn a_certificate_of_the_authority_with_the_registered_name_is_the_client() {
    let (ours, other) = (authority("ours"), authority("other"));
    let room = Room::new(options(&ours)).await;
    let served = Served::start(&room);
    let register = async |member: &str, name: &str| {
        let client = json!({"token_endpoint_auth_method": "tls_client_auth", member: name});
        room.create(client).await
    };
    let by_subject = register("tls_client_auth_subject_dn", "CN=orders,O=Acme").await;
    let by_name = register("tls_client_auth_san_dns", "orders.example").await;
    let right = params("orders", dns("orders.example"));
    let wrong_name = params("orders", dns("orders.example.evil"));
    let wrong_subject = params("orders2", dns("orders.example"));
    for (id, identity, expected) in [
        (&by_subject, Some(Identity::of(&ours, &right)), 200),
        (&by_subject, Some(Identity::of(&ours, &wrong_name)), 200),
        (&by_subject, Some(Identity::of(&ours, &wrong_subject)), 401),
        (&by_subject, Some(Identity::of(&other, &right)), 401),
        (&by_subject, Some(Identity::self_signed(&right)), 401),
        (&by_subject, None, 401),
        (&by_name, Some(Identity::of(&ours, &right)), 200),
        (&by_name, Some(Identity::of(&ours, &wrong_name)), 401),
        (&by_name, Some(Identity::of(&ours, &wrong_subject)), 200),
        (&by_name, Some(Identity::of(&other, &right)), 401),
    ] {
        let answer = ask(&served, identity.as_ref(), &credentials(id)).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
        assert_eq!(answer.text.contains("access_token"), expected == 200);
    }
    let identity = Identity::of(&ours, &right);
    let with_secret = format!("{}&client_secret=traefiklabs", credentials(&by_name));
    let answer = ask(&served, Some(&identity), &with_secret).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
    let secret = json!({"token_endpoint_auth_method": "client_secret_post"});
    let secret = room.create(secret).await;
    let answer = ask(&served, Some(&identity), &credentials(&secret)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);

    let mut over = right.clone();
    over.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let answer = ask(
        &served,
        Some(&Identity::of(&ours, &over)),
        &credentials(&by_name),
    )
    .await;
    assert_eq!(answer.status, 401, "{}", answer.text);

    let mut nobody = options(&ours);
    nobody.mtls.authorities = None;
    room.server.reload(nobody).unwrap();
    let answer = ask(&served, Some(&identity), &credentials(&by_name)).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}

// Holds MT-02.
#[tokio::test]
async fn a_certificate_that_is_registered_itself_is_the_client() {
    let ours = authority("ours");
    let room = Room::new(options(&ours)).await;
    let served = Served::start(&room);
    let params = params("orders", dns("orders.example"));
    let (one, two) = (
        Identity::self_signed(&params),
        Identity::self_signed(&params),
    );
    let register = async |key: Value| {
        let method = "self_signed_tls_client_auth";
        let client = json!({"token_endpoint_auth_method": method, "jwks": {"keys": [key]}});
        room.create(client).await
    };
    let by_certificate = register(one.jwk()).await;
    let mut without = one.jwk();
    without.as_object_mut().unwrap().remove("x5c");
    let by_key = register(without.clone()).await;
    without["x5t#S256"] = json!(one.thumbprint());
    let by_digest = register(without).await;
    for (id, identity, expected) in [
        (&by_certificate, Some(&one), 200),
        (&by_certificate, Some(&two), 401),
        (&by_certificate, None, 401),
        (&by_digest, Some(&one), 200),
        (&by_digest, Some(&two), 401),
        // A key is no certificate.
        (&by_key, Some(&one), 401),
    ] {
        let answer = ask(&served, identity, &credentials(id)).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
}

// Holds MT-03.
#[tokio::test]
async fn tokens_are_bound_to_the_certificate_of_the_connection() {
    let ours = authority("ours");
    for strategy in [AccessTokenStrategy::Jwt, AccessTokenStrategy::Opaque] {
        let options = Options {
            access_token_strategy: strategy,
            ..options(&ours)
        };
        let room = Room::new(options).await;
        let served = Served::start(&room);
        let id = room
            .create(json!({"token_endpoint_auth_method": "client_secret_post",
                "tls_client_certificate_bound_access_tokens": true}))
            .await;
        let form = format!("{}&client_secret=traefiklabs", credentials(&id));
        let params = params("any", dns("any.example"));
        let (one, two) = (
            Identity::self_signed(&params),
            Identity::self_signed(&params),
        );
        let answer = ask(&served, Some(&one), &form).await;
        let token = token(&answer, "bearer");
        assert_bound(&room, &token, json!({"x5t#S256": one.thumbprint()})).await;
        let answer = ask(&served, None, &form).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.json()["error"], "invalid_request");

        let info = async |identity: Option<&Identity>| {
            let request = http::Request::get("/userinfo")
                .header("host", "as.test")
                .header("authorization", format!("Bearer {token}"))
                .body(Full::default())
                .unwrap();
            send(served.public, identity, request).await
        };
        assert_eq!(info(Some(&one)).await.status, 200);
        for identity in [Some(&two), None] {
            let answer = info(identity).await;
            assert_eq!(answer.status, 401, "{}", answer.text);
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.starts_with("Bearer error=\"invalid_token\""),
                "{challenge}"
            );
        }
    }
}

#[tokio::test]
async fn the_header_of_a_proxy_is_read_from_that_proxy_alone() {
    let ours = authority("ours");
    let proxied = |proxies: &[&str], is_enabled: bool| Options {
        ports: Ports::default(),
        trusted_proxies: proxies.iter().map(|range| range.parse().unwrap()).collect(),
        mtls: Mtls {
            is_enabled,
            header: Some("client-cert".parse().unwrap()),
            ..options(&ours).mtls
        },
        ..tutorial()
    };
    let room = Room::new(proxied(&["127.0.0.0/8"], true)).await;
    let served = Served::start(&room);
    let method = "tls_client_auth";
    let client = json!({"token_endpoint_auth_method": method,
        "tls_client_auth_san_dns": "orders.example"});
    let form = credentials(&room.create(client).await);
    let identity = Identity::of(&ours, &params("orders", dns("orders.example")));
    let other = Identity::self_signed(&params("orders", dns("orders.example")));
    let header = |identity: &Identity| {
        format!(
            "Client-Cert: :{}:\r\n",
            STANDARD.encode(&identity.certificate)
        )
    };
    let (right, wrong) = (header(&identity), header(&other));
    for (proxies, is_enabled, head, expected) in [
        (&["127.0.0.0/8"][..], true, right.as_str(), 200),
        (&["127.0.0.0/8"], true, &wrong, 401),
        (&["127.0.0.0/8"], true, "", 401),
        (&["127.0.0.0/8"], true, &format!("{right}{right}"), 401),
        (&["10.0.0.0/8"], true, &right, 401),
        (&[], true, &right, 401),
        (&["127.0.0.0/8"], false, &right, 401),
    ] {
        room.server.reload(proxied(proxies, is_enabled)).unwrap();
        let request = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: as.test\r\nConnection: close\r\n{head}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let answer = client::send(served.public, request.as_bytes())
            .await
            .unwrap();
        assert_eq!(answer.status, expected, "{proxies:?} {head}");
    }
}

// Holds MT-04, TE-30.
#[tokio::test]
async fn the_metadata_names_certificates_where_they_count() {
    let ours = authority("ours");
    let told = async |mtls: Mtls| {
        let room = Room::new(Options { mtls, ..tutorial() }).await;
        room.get("/.well-known/oauth-authorization-server")
            .await
            .json()
    };
    let methods = |document: &Value| {
        let methods = document["token_endpoint_auth_methods_supported"].clone();
        let names: Vec<String> = serde_json::from_value(methods).unwrap();
        let names = names.into_iter().filter(|name| name.contains("tls"));
        names.collect::<Vec<_>>()
    };
    let off = told(Mtls::default()).await;
    assert_eq!(methods(&off), Vec::<String>::new());
    assert_eq!(off.get("mtls_endpoint_aliases"), None);
    assert_eq!(off.get("tls_client_certificate_bound_access_tokens"), None);
    let on = Mtls {
        is_enabled: true,
        ..Mtls::default()
    };
    let self_signed = told(on.clone()).await;
    assert_eq!(methods(&self_signed), ["self_signed_tls_client_auth"]);
    assert_eq!(
        self_signed["tls_client_certificate_bound_access_tokens"],
        true
    );
    let whole = told(Mtls {
        url: Some("https://mtls.example/".to_owned()),
        ..options(&ours).mtls
    });
    let whole = whole.await;
    assert_eq!(
        methods(&whole),
        ["tls_client_auth", "self_signed_tls_client_auth"]
    );
    assert_eq!(
        whole["mtls_endpoint_aliases"],
        json!({
            "token_endpoint": "https://mtls.example/oauth2/token",
            "revocation_endpoint": "https://mtls.example/oauth2/revoke",
            "device_authorization_endpoint": "https://mtls.example/oauth2/device/auth",
            "userinfo_endpoint": "https://mtls.example/userinfo",
            "pushed_authorization_request_endpoint": "https://mtls.example/oauth2/par",
        })
    );
}

// Holds MT-01.
#[tokio::test]
async fn exactly_one_name_is_registered() {
    let room = Room::new(tutorial()).await;
    for (changes, expected) in [
        (json!({}), 400),
        (json!({"tls_client_auth_san_dns": "a"}), 201),
        (
            json!({"tls_client_auth_san_dns": "a", "tls_client_auth_san_uri": "a:b"}),
            400,
        ),
        (json!({"tls_client_auth_subject_dn": "no name"}), 400),
        (json!({"tls_client_auth_san_ip": "no address"}), 400),
    ] {
        let mut client = json!({"token_endpoint_auth_method": "tls_client_auth"});
        client
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let answer = room
            .admin(http::Method::POST, "/admin/clients", client)
            .await;
        assert_eq!(answer.status, expected, "{changes} {}", answer.text);
    }
}
