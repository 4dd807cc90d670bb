//! `headers`.

use super::{Guarded, seen};

#[tokio::test]
async fn headers_are_set_and_removed_on_both_ways() {
    let options = "{headers: {customRequestHeaders: {X-A: mine, X-B: '', Host: b.test, \
                   X-Forwarded-For: ''}, customResponseHeaders: {X-C: mine, Content-Type: ''}}}";
    let gateway = Guarded::by(&[options]).await;
    let response = gateway
        .ask("GET / HTTP/1.1\nHost: a.test\nX-A: 1\nX-B: 2")
        .await;
    assert_eq!(seen(&response, "X-A").as_deref(), Some("mine"));
    assert_eq!(seen(&response, "X-B").as_deref(), None);
    assert_eq!(seen(&response, "Host").as_deref(), Some("b.test"));
    assert_eq!(seen(&response, "X-Forwarded-For").as_deref(), None);
    assert_eq!(response.headers.only("x-c"), Some("mine"));
    assert_eq!(response.headers.only("content-type"), None);
}

#[tokio::test]
async fn preflights_are_answered_and_origins_are_told_what_they_may() {
    let options = "{headers: {accessControlAllowOriginList: ['https://a.test'], \
                   accessControlAllowOriginListRegex: ['^https://[bc]\\.test$'], \
                   accessControlAllowMethods: [GET, PUT], accessControlMaxAge: 60, addVaryHeader: true}}";
    let gateway = Guarded::by(&[options]).await;
    for (origin, allowed) in [
        ("https://a.test", Some("https://a.test")),
        ("https://b.test", Some("https://b.test")),
        ("https://b.test.evil", None),
    ] {
        let preflight = format!(
            "OPTIONS / HTTP/1.1\nHost: a.test\nOrigin: {origin}\nAccess-Control-Request-Method: PUT"
        );
        let response = gateway.ask(&preflight).await;
        assert_eq!((response.status, response.text().as_str()), (200, ""));
        assert_eq!(
            response.headers.only("access-control-allow-origin"),
            allowed
        );
        assert_eq!(
            response.headers.only("access-control-allow-methods"),
            Some("GET,PUT")
        );
        assert_eq!(response.headers.only("access-control-max-age"), Some("60"));
        let response = gateway
            .ask(&format!("GET / HTTP/1.1\nHost: a.test\nOrigin: {origin}"))
            .await;
        assert_eq!(
            response.headers.only("access-control-allow-origin"),
            allowed
        );
        assert_eq!(response.headers.only("vary"), Some("Origin"));
    }
}

/// Browsers take `*` for a name where credentials are sent.
#[tokio::test]
async fn where_credentials_are_allowed_what_is_asked_for_stands_in_place_of_everything() {
    let [open, shut] = [true, false].map(|credentials| {
        format!(
            "{{headers: {{accessControlAllowOriginList: ['*'], \
             accessControlAllowHeaders: ['*'], accessControlAllowMethods: ['*'], \
             accessControlExposeHeaders: ['*'], accessControlAllowCredentials: {credentials}}}}}"
        )
    });
    let preflight = "OPTIONS / HTTP/1.1\nHost: a.test\nOrigin: https://a.test\n\
                     Access-Control-Request-Method: PUT";
    let with_headers = format!("{preflight}\nAccess-Control-Request-Headers: x-a, x-b");
    for (options, request, headers, methods) in [
        (&open, preflight, None, "PUT"),
        (&open, with_headers.as_str(), Some("x-a, x-b"), "PUT"),
        (&shut, preflight, Some("*"), "*"),
        (&shut, with_headers.as_str(), Some("*"), "*"),
    ] {
        let response = Guarded::by(&[options.as_str()]).await.ask(request).await;
        let told = |name: &str| response.headers.only(name);
        assert_eq!(told("access-control-allow-headers"), headers, "{options}");
        assert_eq!(
            told("access-control-allow-methods"),
            Some(methods),
            "{options}"
        );
        let exposed = told("access-control-expose-headers");
        assert_eq!(exposed.is_some(), methods == "*", "{options}");
        // Nobody's name stands in place of everybody.
        assert_eq!(told("access-control-allow-origin"), Some("*"), "{options}");
    }
}

#[tokio::test]
async fn browsers_are_told_what_protects_them() {
    let options = "{headers: {frameDeny: true, contentTypeNosniff: true, stsSeconds: 60, \
                   stsIncludeSubdomains: true, sslProxyHeaders: {X-Secure: 'yes'}, \
                   allowedHosts: [a.test]}}";
    let gateway = Guarded::by(&[options]).await;
    let response = gateway
        .ask("GET / HTTP/1.1\nHost: a.test\nX-Secure: yes")
        .await;
    assert_eq!(response.headers.only("x-frame-options"), Some("DENY"));
    assert_eq!(
        response.headers.only("x-content-type-options"),
        Some("nosniff")
    );
    let sts = response.headers.only("strict-transport-security");
    assert_eq!(sts, Some("max-age=60; includeSubDomains"));
    let response = gateway.ask("GET / HTTP/1.1\nHost: a.test").await;
    assert_eq!(response.headers.only("strict-transport-security"), None);
    let response = gateway.ask("GET / HTTP/1.1\nHost: b.test").await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (500, "Bad Host\n")
    );
    // Options that do nothing are a mistake.
    assert_eq!(Guarded::by(&["{headers: {}}"]).await.status("").await, 503);
}
