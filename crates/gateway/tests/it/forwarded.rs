//! What the backend is told about where a request came from.

use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};

use crate::stand::{Plan, Stand, routes};

/// What the backend saw of a request.
async fn seen(plan: Plan, head: &str) -> Request {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = Stand::planned(plan, &routes(&["PathPrefix(`/`)"], &backend.url(""))).await;
    assert_eq!(
        stand
            .send(&format!("{}\r\n\r\n", head.replace('\n', "\r\n")))
            .await
            .status,
        200
    );
    backend.seen().remove(0)
}

fn trusting() -> Plan {
    let mut plan = Plan::default();
    let loopback = "127.0.0.0/8".parse().unwrap();
    plan.entry_point.forwarded_headers.trusted_ips = vec![loopback];
    plan
}

async fn forwarded(plan: Plan, head: &str) -> Vec<(String, String)> {
    let request = seen(plan, &format!("{head}\nConnection: close")).await;
    let fields = request.headers.0.into_iter();
    let mut fields: Vec<_> = fields.filter(|(name, _)| name.starts_with("X-")).collect();
    fields.sort();
    fields
}

fn fields(text: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = text.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_plain_request_gets_six_headers() {
    let got = forwarded(Plan::default(), "GET / HTTP/1.1\nHost: a.test").await;
    let wanted = fields(&[
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "a.test"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Server", "gateway-host"),
        ("X-Real-Ip", "127.0.0.1"),
    ]);
    assert_eq!(got, wanted);
}

#[tokio::test]
async fn the_port_is_the_one_that_the_client_wrote() {
    for (host, port) in [
        ("a.test", "80"),
        ("a.test:8000", "8000"),
        ("[::1]:9", "9"),
        ("[::1]", "80"),
    ] {
        let got = forwarded(Plan::default(), &format!("GET / HTTP/1.1\nHost: {host}")).await;
        assert!(
            got.contains(&("X-Forwarded-Port".into(), port.into())),
            "{host}"
        );
        assert!(
            got.contains(&("X-Forwarded-Host".into(), host.into())),
            "{host}"
        );
    }
}

// Holds HI-09, HI-10, CVE-2026-33495.
#[tokio::test]
async fn nothing_of_an_untrusted_client_survives() {
    let head = "GET / HTTP/1.1
Host: a.test
Forwarded: for=9.9.9.9
X-Forwarded-For: 9.9.9.9
X-Forwarded-Prefix: /x
X-Forwarded-Uri: /admin
X_Forwarded_For: 9.9.9.9
X_Real_Ip: 8.8.8.8
X.Real.Ip: 8.8.8.8
X-Forwarded-Server: evil
X-Other: kept";
    let got = forwarded(Plan::default(), head).await;
    let wanted = fields(&[
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", "a.test"),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Server", "gateway-host"),
        ("X-Other", "kept"),
        ("X-Real-Ip", "127.0.0.1"),
    ]);
    assert_eq!(got, wanted);
    let request = seen(Plan::default(), &format!("{head}\nConnection: close")).await;
    assert!(request.headers.all("Forwarded").is_empty());
    assert!(request.headers.all("X_Real_Ip").is_empty());
}

/// What backends decide by, and a proxy alone may say.
const SECURITY_RELEVANT: [&str; 15] = [
    "Client-Cert",
    "Client-Cert-Chain",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Uri",
    "X-Real-Ip",
    "X-Scheme",
];

// Holds BC-01, MT-06.
#[tokio::test]
async fn no_client_speaks_for_a_proxy_however_it_spells_the_name() {
    let mut head = "GET / HTTP/1.1\nHost: a.test\nX-Other: kept".to_owned();
    for name in SECURITY_RELEVANT {
        let spellings = [
            name.to_owned(),
            name.to_lowercase(),
            name.replace('-', "_"),
            name.to_uppercase().replace('-', "."),
            name.replacen('-', "_", 1),
        ];
        for spelling in spellings {
            head += &format!("\n{spelling}: CANARY");
        }
    }
    let request = seen(Plan::default(), &format!("{head}\nConnection: close")).await;
    let values: Vec<_> = request
        .headers
        .0
        .iter()
        .filter(|(_, v)| v == "CANARY")
        .collect();
    assert!(values.is_empty(), "{values:?}");
    assert_eq!(request.headers.all("X-Other"), ["kept"]);
    for name in SECURITY_RELEVANT {
        let ours = request.headers.all(name);
        assert!(ours.len() <= 1, "{name}: {ours:?}");
    }
    // A proxy in front is believed.
    let head = "GET / HTTP/1.1\nHost: a\nClient-Cert: :AA==:\nX-Forwarded-Tls-Client-Cert: AA\nConnection: close";
    let request = seen(trusting(), head).await;
    assert_eq!(request.headers.all("Client-Cert"), [":AA==:"]);
    assert_eq!(request.headers.all("X-Forwarded-Tls-Client-Cert"), ["AA"]);
}

#[tokio::test]
async fn a_trusted_client_is_believed_and_appended_to() {
    let head = "GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 9.9.9.9\nX-Forwarded-For: 8.8.8.8
X-Forwarded-Proto: https\nX-Real-Ip: 9.9.9.9\nX-Forwarded-Server: other";
    let got = forwarded(trusting(), head).await;
    let wanted = fields(&[
        ("X-Forwarded-For", "9.9.9.9, 8.8.8.8, 127.0.0.1"),
        ("X-Forwarded-Host", "a"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Server", "gateway-host"),
        ("X-Real-Ip", "9.9.9.9"),
    ]);
    assert_eq!(got, wanted);
}

#[tokio::test]
async fn the_peer_is_not_appended_where_that_is_off() {
    let mut plan = trusting();
    plan.entry_point
        .forwarded_headers
        .not_append_x_forwarded_for = true;
    let got = forwarded(plan, "GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 9.9.9.9").await;
    assert!(got.contains(&("X-Forwarded-For".into(), "9.9.9.9".into())));
}

// Holds HT-21, HT-22, CVE-2024-45410.
#[tokio::test]
async fn connection_removes_what_it_lists_but_nothing_that_counts() {
    let head = "GET / HTTP/1.1
Host: a.test
Connection: close, X-Real-Ip, x-forwarded-for
Connection: X-Foo,Host, Authorization , Cookie
X-Foo: 1
Authorization: Bearer x
Cookie: a=b
Keep-Alive: 5
TE: gzip
Proxy-Connection: keep-alive
Proxy-Authorization: Basic eA==";
    let headers = seen(Plan::default(), head).await.headers;
    for gone in [
        "X-Foo",
        "Connection",
        "Keep-Alive",
        "TE",
        "Proxy-Connection",
        "Proxy-Authorization",
    ] {
        assert!(headers.all(gone).is_empty(), "{gone}");
    }
    for (kept, value) in [
        ("X-Real-Ip", "127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Host", "a.test"),
        ("Authorization", "Bearer x"),
        ("Cookie", "a=b"),
    ] {
        assert_eq!(headers.only(kept), Some(value), "{kept}");
    }
}

#[tokio::test]
async fn what_the_options_protect_from_connection_stays_until_the_backend() {
    let mut plan = Plan::default();
    plan.entry_point.forwarded_headers.connection = vec!["x-foo".to_owned()];
    let head = "GET / HTTP/1.1\nHost: a\nConnection: close, X-Foo\nX-Foo: 1";
    let headers = seen(plan, head).await.headers;
    assert!(headers.all("X-Foo").is_empty());
    assert!(headers.all("Connection").is_empty());
}

#[tokio::test]
async fn user_agents_are_never_invented() {
    let headers = seen(
        Plan::default(),
        "GET / HTTP/1.1\nHost: a\nConnection: close",
    )
    .await
    .headers;
    assert!(headers.all("User-Agent").is_empty());
    assert_eq!(headers.only("Accept-Encoding"), Some("gzip"));
}

#[tokio::test]
async fn the_scheme_has_two_more_names_where_they_are_wanted() {
    let mut plan = trusting();
    plan.entry_point
        .forwarded_headers
        .add_x_forwarded_scheme_headers = true;
    let head = "GET / HTTP/1.1\nHost: a.test\nX-Forwarded-Proto: https\nX-Scheme: ftp";
    let got = forwarded(plan, head).await;
    for name in ["X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Scheme"] {
        assert!(got.contains(&(name.into(), "https".into())), "{got:?}");
    }
}

// Holds HT-32.
#[tokio::test]
async fn via_names_the_gateway_after_those_before_it_and_cannot_be_removed() {
    let named = || {
        let mut plan = Plan::default();
        plan.entry_point.via = Some("edge".to_owned());
        plan
    };
    for (plan, head, via) in [
        (Plan::default(), "GET / HTTP/1.1\nHost: a", &[][..]),
        (named(), "GET / HTTP/1.1\nHost: a", &["1.1 edge"]),
        (named(), "GET / HTTP/1.0\nHost: a", &["1.0 edge"]),
        (
            named(),
            "GET / HTTP/1.1\nHost: a\nVia: 1.0 first\nConnection: via",
            &["1.1 edge"],
        ),
        (
            named(),
            "GET / HTTP/1.1\nHost: a\nVia: 1.0 first\nVia: 1.1 second",
            &["1.0 first", "1.1 second", "1.1 edge"],
        ),
    ] {
        let request = seen(plan, &format!("{head}\nConnection: close")).await;
        assert_eq!(request.headers.all("Via"), via, "{head}");
    }
}
