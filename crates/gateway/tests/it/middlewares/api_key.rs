//! `apiKey`: every place of a key, every form, and every way to have none.

use carnet_config::install::AccessLog;

use super::{Guarded, document, seen};
use crate::stand::{Plan, Stand, Whoami};

/// Hashes of `foo` by bcrypt, of `bar` by SHA-1, of `test` by MD5.
const HASHES: &str = "secretValues: ['$2b$04$abcdefghijklmnopqrstuusPAkIApvNSrrxdx0BTXtj7R2NfqZq36', \
                      '{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=', '$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/']";

const HEADER: &str = "header: X-Api-Key";
const BEARER: &str = "header: Authorization, headerAuthScheme: Bearer";
const QUERY: &str = "query: key";
const COOKIE: &str = "cookie: key";
const ALL: &str = "header: X-Api-Key, query: key, cookie: key";

fn options(source: &str, is_plain: bool) -> String {
    format!(
        "{{plugin: {{apiKey: {{keySource: {{{source}}}, secretNonBase64Encoded: {is_plain}, {HASHES}}}}}}}"
    )
}

/// Place of keys, whether they are written as they are, target, fields, status.
type Row = (&'static str, bool, &'static str, &'static str, u16);

const ROWS: &[Row] = &[
    (HEADER, true, "/", "X-Api-Key: foo", 200),
    (HEADER, true, "/", "X-Api-Key: bar", 200),
    (HEADER, true, "/", "x-api-key: test", 200),
    (HEADER, true, "/", "X-Api-Key: fo", 401),
    (HEADER, true, "/", "X-Api-Key: foo2", 401),
    (HEADER, true, "/", "X-Api-Key: FOO", 401),
    (HEADER, true, "/", "X-Api-Key:", 401),
    (HEADER, true, "/", "X-Api-Key: Zm9v", 401),
    (HEADER, true, "/", "X-Other: foo", 401),
    // A hash is no key.
    (
        HEADER,
        true,
        "/",
        "X-Api-Key: {SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=",
        401,
    ),
    // Which of two counts is anybody's guess.
    (HEADER, true, "/", "X-Api-Key: foo\nX-Api-Key: foo", 401),
    (HEADER, true, "/", "X-Api-Key: x\nX-Api-Key: foo", 401),
    // Another place is none.
    (
        HEADER,
        true,
        "/?key=foo&X-Api-Key=foo",
        "Cookie: key=foo",
        401,
    ),
    // In base64, where nothing else is said: with padding, without it, in the alphabet of URLs.
    (HEADER, false, "/", "X-Api-Key: Zm9v", 200),
    (HEADER, false, "/", "X-Api-Key: dGVzdA==", 200),
    (HEADER, false, "/", "X-Api-Key: dGVzdA", 200),
    (HEADER, false, "/", "X-Api-Key: foo", 401),
    (HEADER, false, "/", "X-Api-Key: %%%", 401),
    (HEADER, false, "/", "X-Api-Key: /w==", 401),
    (BEARER, true, "/", "Authorization: Bearer foo", 200),
    (BEARER, true, "/", "Authorization: bearer  foo", 200),
    (BEARER, false, "/", "Authorization: Bearer Zm9v", 200),
    (BEARER, true, "/", "Authorization: foo", 401),
    (BEARER, true, "/", "Authorization: Basic foo", 401),
    (BEARER, true, "/", "Authorization: Bearerfoo", 401),
    (
        BEARER,
        true,
        "/",
        "Authorization: Bearer foo\nAuthorization: Bearer foo",
        401,
    ),
    (BEARER, true, "/", "Proxy-Authorization: Bearer foo", 401),
    (QUERY, true, "/?key=foo", "", 200),
    (QUERY, true, "/?a=1&key=f%6Fo", "", 200),
    (QUERY, false, "/?key=Zm9v", "", 200),
    (QUERY, false, "/?key=dGVzdA%3D%3D", "", 200),
    (QUERY, true, "/?Key=foo", "", 401),
    (QUERY, true, "/?key=foo&key=foo", "", 401),
    (QUERY, true, "/?key", "", 401),
    (QUERY, true, "/key=foo", "", 401),
    (COOKIE, true, "/", "Cookie: a=b; key=foo", 200),
    (COOKIE, true, "/", "Cookie: key=\"foo\"", 200),
    (COOKIE, true, "/", "Cookie: a=b\nCookie: key=foo", 200),
    (COOKIE, true, "/", "Cookie: mykey=foo; keys=foo", 401),
    (COOKIE, true, "/", "Cookie: key=foo; key=foo", 401),
    (COOKIE, true, "/", "Cookie: KEY=foo", 401),
    // The first place that has one counts.
    (ALL, true, "/?key=x", "X-Api-Key: foo\nCookie: key=x", 200),
    (ALL, true, "/?key=foo", "Cookie: key=x", 200),
    (ALL, true, "/", "Cookie: key=foo", 200),
    (ALL, true, "/?key=foo", "X-Api-Key: x", 401),
    (ALL, true, "/", "", 401),
];

// Holds HI-13.
#[tokio::test]
async fn a_key_passes_in_its_place_and_its_form_and_nothing_else_does() {
    for &(source, is_plain, target, fields, status) in ROWS {
        let gateway = Guarded::by(&[&options(source, is_plain)]).await;
        let fields = if fields.is_empty() {
            String::new()
        } else {
            format!("\n{fields}")
        };
        let head = format!("GET {target} HTTP/1.1\nHost: a.test{fields}");
        // What was right or wrong once is so again.
        for _ in 0..2 {
            let response = gateway.ask(&head).await;
            assert_eq!(response.status, status, "{source} {is_plain} {head}");
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_scheme_and_nothing_of_the_key() {
    for (source, challenge) in [
        (BEARER, "Bearer realm=\"traefik\""),
        (QUERY, "ApiKey realm=\"traefik\""),
    ] {
        let gateway = Guarded::by(&[&options(source, true)]).await;
        let head = "GET /?key=CANARY HTTP/1.1\nHost: a.test\nAuthorization: Bearer CANARY";
        let response = gateway.ask(head).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.headers.only("www-authenticate"), Some(challenge));
        assert_eq!(response.text(), "401 Unauthorized\n");
    }
}

#[tokio::test]
async fn a_key_in_a_url_is_not_written_down_whether_it_was_right_or_not() {
    let plan = Plan {
        access_log: Some(AccessLog::default()),
        ..Plan::default()
    };
    let backend = Whoami::start();
    let yaml = document(&[&options(QUERY, true)], &backend.url);
    let stand = Stand::planned(plan, &yaml).await;
    for (target, status) in [("/x?a=1&key=foo", 200), ("/x?a=1&key=CANARY", 401)] {
        let response = stand
            .ask(&format!("GET {target} HTTP/1.1\nHost: a.test"))
            .await;
        assert_eq!(response.status, status);
    }
    let log = stand.logged().await;
    assert_eq!(log.matches("/x?a=1&key=REDACTED").count(), 2, "{log}");
    assert!(!log.contains("key=foo") && !log.contains("CANARY"), "{log}");
}

// Holds SE-05.
#[tokio::test]
async fn a_key_in_a_header_is_not_written_down_where_headers_are() {
    let backend = Whoami::start();
    let yaml = document(&[&options(HEADER, true)], &backend.url);
    let stand = Stand::planned(Plan::with_headers_logged(), &yaml).await;
    for (key, status) in [("foo", 200), ("CANARY", 401)] {
        let head = format!("GET / HTTP/1.1\nHost: a.test\nX-Other: kept\nX-Api-Key: {key}");
        assert_eq!(stand.ask(&head).await.status, status);
    }
    let log = stand.logged().await;
    let redacted = "\"request_X-Api-Key\":\"REDACTED\"";
    assert_eq!(log.matches(redacted).count(), 2, "{log}");
    assert!(log.contains("\"request_X-Other\":\"kept\""), "{log}");
    assert!(!log.contains("\"foo\"") && !log.contains("CANARY"), "{log}");
}

#[tokio::test]
async fn the_service_gets_the_request_as_it_came() {
    let gateway = Guarded::by(&[&options(HEADER, true)]).await;
    let head = "GET /?key=foo HTTP/1.1\nHost: a.test\nX-Api-Key: foo\nCookie: a=b";
    let response = gateway.ask(head).await;
    assert_eq!(seen(&response, "X-Api-Key").as_deref(), Some("foo"));
    assert_eq!(seen(&response, "Cookie").as_deref(), Some("a=b"));
}

// Holds HI-22.
#[tokio::test]
async fn options_that_mean_nothing_close_their_routers() {
    for options in [
        "{apiKey: {}}",
        "{apiKey: {keySource: {header: X-Api-Key}}}",
        "{apiKey: {keySource: {header: X-Api-Key}, secretValues: []}}",
        "{apiKey: {keySource: {header: X-Api-Key}, secretValues: [foo]}}",
        "{apiKey: {keySource: {header: X-Api-Key}, secretValues: ['urn:k8s:secret:a:b']}}",
        "{apiKey: {keySource: {header: X-Api-Key}, secretValues: ['{SHA}short']}}",
        "{apiKey: {keySource: {}, secretValues: ['{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=']}}",
        "{apiKey: {keySource: {header: 'a b'}, secretValues: ['{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=']}}",
        "{apiKey: {keySource: {query: a, headerAuthScheme: Bearer}, secretValues: ['{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=']}}",
    ] {
        let gateway = Guarded::by(&[options]).await;
        assert_eq!(gateway.status("\nX-Api-Key: foo").await, 503, "{options}");
    }
}
