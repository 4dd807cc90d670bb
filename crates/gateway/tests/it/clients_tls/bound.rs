//! Tokens that are bound to certificates of clients (RFC 8705), at the gateway.

use carnet_jose::{Algorithm, PrivateKey, base64url};
use serde_json::{Value, json};

use super::{Certificate, Clients, Encrypted, Shown};
use crate::jwt::{bearer, claims, inline, key, signed};
use crate::stand::{Plan, Stand, Whoami};

fn digest(shown: &Shown) -> String {
    digest_of(&shown.as_ref().unwrap().0[0])
}

fn digest_of(certificate: &[u8]) -> String {
    base64url::encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        certificate,
    ))
}

fn clone(shown: &Shown) -> Shown {
    let (chain, key) = shown.as_ref()?;
    Some((chain.clone(), key.clone_key()))
}

fn bound(own: &PrivateKey, confirmation: Value) -> String {
    let mut claims = claims();
    claims["cnf"] = confirmation;
    signed(own, &claims)
}

/// A gateway with `jwt`, that asks for certificates in this way.
async fn asking(own: &PrivateKey, client_auth: &str, plan: Plan) -> Stand {
    let whoami = Whoami::start();
    let yaml = format!(
        "http:\n  routers:\n    r: {{rule: Host(`a.test`), service: s, middlewares: [jwt], tls: \
         {{options: m}}}}\n  middlewares:\n    jwt: {{plugin: {{jwt: {{{}}}}}}}\n  services:\n    s: \
         {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\ntls:\n  options:\n    m: {{clientAuth: \
         {client_auth}}}\n  certificates:\n{}",
        inline(&[own]),
        whoami.url,
        Certificate::of(&["a.test"]).yaml()
    );
    Stand::planned(plan, &yaml).await
}

/// What becomes of a token over a connection that shows this.
async fn answered(stand: &Stand, shown: &Shown, fields: &[String]) -> (u16, String) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let mut connection = Encrypted::of(stand.address, "a.test", clone(shown))
        .await
        .unwrap();
    let (status, text) = connection.ask("a.test", &fields).await.unwrap();
    let is_refused = text.contains("error=\"invalid_token\"");
    assert_eq!(is_refused, status == 401, "{text}");
    (status, text)
}

// Holds MT-03.
#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_is_useless_over_another() {
    let own = key(Algorithm::Es256, "k");
    let clients = Clients::new();
    let (client, thief) = (clients.client(), clients.client());
    let client_auth = clients.yaml("VerifyClientCertIfGiven");
    let stand = asking(&own, &client_auth, Plan::default()).await;
    let bound = |confirmation| bound(&own, confirmation);
    let to_client = bound(json!({"x5t#S256": digest(&client)}));
    // The authority's, which stands in the chain that the client shows.
    let to_authority = json!({"x5t#S256": digest_of(clients.issuer.der())});
    let mut chained = clone(&client);
    if let Some((chain, _)) = &mut chained {
        chain.push(clients.issuer.der().clone());
    }
    let rows = [
        (&to_client, &client, 200),
        (&to_client, &chained, 200),
        (&to_client, &thief, 401),
        (&to_client, &None, 401),
        (&bound(to_authority), &chained, 401),
        (&bound(json!({"x5t#S256": ""})), &client, 401),
        (&bound(json!({"x5t#S256": null})), &client, 401),
        (&bound(json!({"x5t": digest(&client)})), &client, 401),
        (&bound(json!({})), &client, 401),
        (&bound(json!({"jkt": digest(&client)})), &client, 401),
        (&signed(&own, &claims()), &thief, 200),
    ];
    // Twice: what is remembered of a token is not who may use it.
    for (token, shown, status) in rows.iter().chain(&rows) {
        let (got, text) = answered(&stand, shown, &[bearer(token)]).await;
        assert_eq!(got, *status, "{text}");
    }
    // It is no token of a key.
    let dpop = format!("Authorization: DPoP {to_client}");
    assert_eq!(answered(&stand, &client, &[dpop]).await.0, 401);
}

// Holds MT-03.
#[tokio::test]
async fn a_token_may_be_bound_to_a_certificate_that_nobody_signed() {
    let own = key(Algorithm::Es256, "k");
    let stand = asking(
        &own,
        "{clientAuthType: RequireAnyClientCert}",
        Plan::default(),
    )
    .await;
    let (client, thief) = (Clients::new().client(), Clients::new().client());
    let token = bearer(&bound(&own, json!({"x5t#S256": digest(&client)})));
    for (shown, status) in [(&client, 200), (&thief, 401)] {
        let (got, text) = answered(&stand, shown, std::slice::from_ref(&token)).await;
        assert_eq!(got, status, "{text}");
    }
}

// Holds MT-03, MT-06.
#[tokio::test]
async fn no_header_shows_a_certificate_even_of_a_proxy_that_is_trusted() {
    let own = key(Algorithm::Es256, "k");
    let clients = Clients::new();
    let (client, thief) = (clients.client(), clients.client());
    let mut plan = Plan::default();
    plan.entry_point.forwarded_headers.insecure = true;
    let client_auth = clients.yaml("VerifyClientCertIfGiven");
    let stand = asking(&own, &client_auth, plan).await;
    let token = bearer(&bound(&own, json!({"x5t#S256": digest(&client)})));
    let der = &client.as_ref().unwrap().0[0];
    let pem = super::pem("CERTIFICATE", der);
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for header in [
        format!("X-Forwarded-Tls-Client-Cert: {base64}"),
        format!("Client-Cert: :{base64}:"),
    ] {
        for (shown, status) in [(&client, 200), (&thief, 401), (&None, 401)] {
            let fields = [token.clone(), header.clone()];
            let (got, text) = answered(&stand, shown, &fields).await;
            assert_eq!(got, status, "{text}");
        }
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
