//! Tokens that are bound to certificates of clients (RFC 8705), at the gateway.

use carnet_jose::{Algorithm, base64url};
use serde_json::{Value, json};

use super::{Certificate, Clients, Encrypted, Shown};
use crate::jwt::{bearer, claims, inline, key, signed};
use crate::stand::{Stand, Whoami};

fn digest(shown: &Shown) -> String {
    let certificate = &shown.as_ref().unwrap().0[0];
    base64url::encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        certificate,
    ))
}

fn clone(shown: &Shown) -> Shown {
    let (chain, key) = shown.as_ref()?;
    Some((chain.clone(), key.clone_key()))
}

// Holds MT-03.
#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_is_useless_over_another() {
    let own = key(Algorithm::Es256, "k");
    let clients = Clients::new();
    let (client, thief) = (clients.client(), clients.client());
    let whoami = Whoami::start();
    let yaml = format!(
        "http:\n  routers:\n    r: {{rule: Host(`a.test`), service: s, middlewares: [jwt], tls: \
         {{options: m}}}}\n  middlewares:\n    jwt: {{plugin: {{jwt: {{{}}}}}}}\n  services:\n    s: \
         {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\ntls:\n  options:\n    m: {{clientAuth: \
         {}}}\n  certificates:\n{}",
        inline(&[&own]),
        whoami.url,
        clients.yaml("VerifyClientCertIfGiven"),
        Certificate::of(&["a.test"]).yaml()
    );
    let stand = Stand::new(&yaml).await;
    let bound = |confirmation: Value| {
        let mut claims = claims();
        claims["cnf"] = confirmation;
        signed(&own, &claims)
    };
    let to_client = bound(json!({"x5t#S256": digest(&client)}));
    let rows = [
        (&to_client, &client, 200),
        (&to_client, &thief, 401),
        (&to_client, &None, 401),
        (&bound(json!({"x5t#S256": ""})), &client, 401),
        (&bound(json!({})), &client, 401),
        (&bound(json!({"jkt": digest(&client)})), &client, 401),
        (&signed(&own, &claims()), &thief, 200),
    ];
    // Twice: what is remembered of a token is not who may use it.
    for (token, shown, status) in rows.iter().chain(&rows) {
        let mut connection = Encrypted::of(stand.address, "a.test", clone(shown))
            .await
            .unwrap();
        let fields = format!("{}\r\n", bearer(token));
        let (got, text) = connection.ask("a.test", &fields).await.unwrap();
        assert_eq!(got, *status, "{text}");
        assert_eq!(
            text.contains("error=\"invalid_token\""),
            got == 401,
            "{text}"
        );
    }
}

// Holds CVE-2026-50149, JW-21.
#[tokio::test]
async fn a_token_is_verified_whatever_name_a_handshake_asks_for() {
    let own = key(Algorithm::Es256, "k");
    let whoami = Whoami::start();
    let yaml = format!(
        "http:\n  routers:\n    r: {{rule: Host(`a.test`) || PathPrefix(`/any`), service: s, \
         middlewares: [jwt], tls: {{}}}}\n  middlewares:\n    jwt: {{plugin: {{jwt: {{{}}}}}}}\n  \
         services:\n    s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\ntls:\n  \
         certificates:\n{}",
        inline(&[&own]),
        whoami.url,
        Certificate::of(&["a.test"]).yaml()
    );
    let stand = Stand::new(&yaml).await;
    let right = bearer(&signed(&own, &claims()));
    // With the name of the route, with another one, and with none: an address is no name.
    for name in ["a.test", "A.TEST", "other.test", "127.0.0.1"] {
        for (fields, is_right) in [
            ("", false),
            ("Authorization: Bearer x", false),
            (&*right, true),
        ] {
            let fields = match fields {
                "" => String::new(),
                fields => format!("{fields}\r\n"),
            };
            let mut connection = Encrypted::open(stand.address, name).await.unwrap();
            let (status, text) = connection.ask("a.test", &fields).await.unwrap();
            let expected = if is_right { 200 } else { 401 };
            assert_eq!(status, expected, "{name}: {text}");
        }
    }
}
