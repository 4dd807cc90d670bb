//! What changes paths, and what sends clients elsewhere.

use super::{Guarded, line, seen};

#[tokio::test]
async fn paths_are_changed_with_their_encoding_and_their_query() {
    for (options, asked, sent, told) in [
        (
            "{addPrefix: {prefix: /new}}",
            "/a%2Fb?c=1",
            "/new/a%2Fb?c=1",
            None,
        ),
        (
            "{stripPrefix: {prefixes: [/none, /a]}}",
            "/a/b",
            "/b",
            Some("/a"),
        ),
        (
            "{stripPrefix: {prefixes: [/a]}}",
            "/ab?c",
            "/b?c",
            Some("/a"),
        ),
        ("{stripPrefix: {prefixes: [/a]}}", "/a", "/", Some("/a")),
        (
            "{stripPrefix: {prefixes: ['/a b']}}",
            "/a%20b/%2F",
            "/%2F",
            Some("/a b"),
        ),
        (
            "{stripPrefixRegex: {regex: ['/[a-z]+/[0-9]+']}}",
            "/a/12/b",
            "/b",
            Some("/a/12"),
        ),
        ("{stripPrefixRegex: {regex: ['b']}}", "/a/b", "/a/b", None),
    ] {
        let gateway = Guarded::by(&[options]).await;
        let response = gateway
            .ask(&format!("GET {asked} HTTP/1.1\nHost: a.test"))
            .await;
        assert_eq!(line(&response), format!("GET {sent} HTTP/1.1"), "{options}");
        assert_eq!(
            seen(&response, "X-Forwarded-Prefix").as_deref(),
            told,
            "{options}"
        );
    }
    for (options, asked, sent, told) in [
        (
            "{replacePath: {path: /new}}",
            "/a%2Fb?c=1",
            "/new?c=1",
            Some("/a%2Fb"),
        ),
        ("{replacePath: {path: new}}", "/a", "/new", Some("/a")),
        (
            "{replacePathRegex: {regex: '^/a/(.*)', replacement: '/x/$1'}}",
            "/a/b?c",
            "/x/b?c",
            Some("/a/b"),
        ),
        (
            "{replacePathRegex: {regex: '^/a/', replacement: /}}",
            "/b",
            "/b",
            None,
        ),
    ] {
        let gateway = Guarded::by(&[options]).await;
        let response = gateway
            .ask(&format!("GET {asked} HTTP/1.1\nHost: a.test"))
            .await;
        assert_eq!(line(&response), format!("GET {sent} HTTP/1.1"), "{options}");
        assert_eq!(
            seen(&response, "X-Replaced-Path").as_deref(),
            told,
            "{options}"
        );
    }
}

/// What clients try, and what a server might make of `/admin` of it.
const TRIED: [&str; 20] = [
    "/pub/../admin",
    "/pub/%2e%2e/admin",
    "/pub/.%2e/admin",
    "/pub/..%2fadmin",
    "/pub/..%2Fadmin",
    "/pub/%2e%2e%2fadmin",
    "/pub..%2fadmin",
    "/pub../admin",
    "/pub/./../admin",
    "/pub//../admin",
    "/pub/;/../admin",
    "/pub/..;/admin",
    "/pub%2f..%2fadmin",
    "/pub/x/../../admin",
    "/pub/..",
    "/pub/%2e%2e",
    "//pub/../admin",
    "/pub/.%2e%2Fadmin",
    "/pub/%2E%2E%2Fadmin",
    "/pub./../admin",
];

#[tokio::test]
async fn a_path_of_which_nothing_is_left_is_empty_to_the_next_and_a_slash_to_the_service() {
    let strip = "{stripPrefix: {prefixes: [/a]}}";
    for (next, asked, sent) in [
        ("{addPrefix: {prefix: /new}}", "/a?q", "/new?q"),
        ("{addPrefix: {prefix: /new}}", "/a/?q", "/new/?q"),
        (
            "{replacePathRegex: {regex: '^/(.*)$', replacement: '/x/$1'}}",
            "/a",
            "/",
        ),
    ] {
        let gateway = Guarded::by(&[strip, next]).await;
        let head = format!("GET {asked} HTTP/1.1\nHost: a.test");
        let response = gateway.ask(&head).await;
        assert_eq!(line(&response), format!("GET {sent} HTTP/1.1"), "{next}");
    }
}

// Holds HT-20, CVE-2025-32431, CVE-2025-47952, CVE-2025-66490, CVE-2026-40912, CVE-2026-48020.
#[tokio::test]
async fn no_rewriting_leads_out_of_what_was_routed() {
    for options in [
        "{stripPrefix: {prefixes: [/pub]}}",
        "{stripPrefixRegex: {regex: ['/pub']}}",
        "{replacePathRegex: {regex: '^/pub', replacement: ''}}",
        "{replacePathRegex: {regex: '^/pub/(.*)', replacement: '/$1'}}",
        "{addPrefix: {prefix: /base}}",
    ] {
        let gateway = Guarded::by(&[options]).await;
        for path in TRIED {
            let response = gateway
                .ask(&format!("GET {path} HTTP/1.1\nHost: a.test"))
                .await;
            let line = line(&response);
            let sent = line.split(' ').nth(1).unwrap_or_default();
            // What nobody changed is what was routed and guarded.
            if sent.eq_ignore_ascii_case(path) {
                continue;
            }
            let decoded = sent
                .to_ascii_lowercase()
                .replace("%2e", ".")
                .replace("%2f", "/");
            let climbs = decoded.split('/').any(|segment| segment == "..");
            assert!(!climbs, "{options}: {path} became {line}");
        }
    }
}

#[tokio::test]
async fn a_redirection_says_where_and_keeps_the_rest() {
    for (options, head, status, location) in [
        (
            "{redirectScheme: {scheme: https}}",
            "GET /a?b=1 HTTP/1.1\nHost: a.test:8000",
            302,
            "https://a.test/a?b=1",
        ),
        (
            "{redirectScheme: {scheme: https, port: '8443', permanent: true}}",
            "POST /a HTTP/1.1\nHost: a.test",
            308,
            "https://a.test:8443/a",
        ),
        (
            "{redirectRegex: {regex: '^http://a.test/(.*)', replacement: 'https://b.test/$1', permanent: true}}",
            "GET /a?b HTTP/1.1\nHost: a.test",
            301,
            "https://b.test/a?b",
        ),
    ] {
        let response = Guarded::by(&[options]).await.ask(head).await;
        assert_eq!(response.status, status, "{options}");
        assert_eq!(
            response.headers.only("location"),
            Some(location),
            "{options}"
        );
    }
    let gateway = Guarded::by(&["{redirectScheme: {scheme: http}}"]).await;
    assert_eq!(gateway.status("").await, 200);
}

// Holds HI-19, CVE-2024-52003.
#[tokio::test]
async fn what_clients_say_of_proxies_is_in_no_redirection() {
    let forged = "\nX-Forwarded-Host: evil.test\nX-Forwarded-Prefix: //evil.test\
                  \nX-Forwarded-Proto: evil\nX-Forwarded-Port: 666";
    for options in [
        "{redirectScheme: {scheme: https}}",
        "{redirectRegex: {regex: '^http://(.*)', replacement: 'https://$1'}}",
    ] {
        let gateway = Guarded::by(&[options]).await;
        let head = format!("GET //evil.test/a HTTP/1.1\nHost: a.test{forged}");
        let response = gateway.ask(&head).await;
        let location = response.headers.only("location").unwrap_or_default();
        assert!(
            location.starts_with("https://a.test/"),
            "{options}: {location}"
        );
        assert!(!location.contains("666"), "{options}: {location}");
    }
    let gateway = Guarded::by(&["{stripPrefix: {prefixes: [/a]}}"]).await;
    let head = format!("GET /a//evil.test HTTP/1.1\nHost: a.test{forged}");
    assert_eq!(gateway.ask(&head).await.headers.only("location"), None);
}
