//! Where a token may stand, and that it stands in one place.

use carnet_jose::Algorithm;

use crate::middlewares::document;
use crate::stand::{Plan, Stand, Whoami};

use super::{Door, HOST, bearer, challenge, claims, inline, key, signed};

fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{fields}\r\n")
}

fn form(body: &str, fields: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Type: \
         application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {}\r\n{fields}\r\n{body}",
        body.len()
    )
}

// Holds BR-01.
#[tokio::test]
async fn a_query_is_no_place_for_a_token_unless_it_is_named() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let door = Door::new(&inline(&[&own])).await;
    let response = door
        .send(&get(&format!("/?access_token={token}"), ""))
        .await;
    assert_eq!(response.status, 401);
    assert_eq!(challenge(&response), Some("Bearer realm=\"carnet\""));
    let response = door.send(&form(&format!("access_token={token}"), "")).await;
    assert_eq!(response.status, 401);
    assert_eq!(door.backend.count(), 0);
}

// Holds BR-01.
#[tokio::test]
async fn with_token_key_a_query_or_a_form_carries_it_but_never_two_places() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let door = Door::new(&format!(
        "{}, tokenKey: tok, usernameClaim: sub",
        inline(&[&own])
    ))
    .await;
    let header = format!("{}\r\n", bearer(&token));
    let (query, body) = (
        format!("/x?a=1&tok={token}&b=%20"),
        format!("a=1&tok={token}"),
    );
    for (request, status) in [
        (get(&query, ""), 200),
        (form(&body, ""), 200),
        (get("/", &header), 200),
        (form("a=1", &header), 200),
        (get("/?tok=wrong", ""), 401),
        (get(&query, &header), 400),
        (form(&body, &header), 400),
        (get(&format!("{query}&tok={token}"), ""), 400),
        (get(&format!("{query}&%74ok={token}"), ""), 400),
        (form(&format!("{body}&tok=x"), ""), 400),
    ] {
        let before = door.backend.count();
        let response = door.send(&request).await;
        assert_eq!(response.status, status, "{request}");
        assert_eq!(door.backend.count() - before, usize::from(status == 200));
        if status == 400 {
            let expected = Some("Bearer realm=\"carnet\", error=\"invalid_request\"");
            assert_eq!(challenge(&response), expected);
        }
    }
    let seen = door.backend.seen();
    assert_eq!(seen[0].target, "/x?a=1&b=%20");
    assert_eq!(seen[1].body, body.as_bytes());
    assert_eq!(seen[3].body, b"a=1");
    // A credential in a URL is not written down, whether it was right or not.
    let log = door.gateway.access_log().join("\n");
    assert!(!log.contains(&token) && !log.contains("tok=wrong"), "{log}");
    assert!(log.contains("/x?a=1&tok=REDACTED&b=%20"), "{log}");
}

#[tokio::test]
async fn of_two_secrets_in_one_url_neither_is_written_down() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    // The hash is of `bar`.
    let by_key = "apiKey: {keySource: {query: k}, secretNonBase64Encoded: true, secretValues: \
                  ['{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=']}";
    let by_token = format!("jwt: {{{}, tokenKey: t}}", inline(&[&own]));
    let door = Door::behind(&[by_key, &by_token]).await;
    let target = format!("/x?a=1&k=bar&t={token}&b=2");
    assert_eq!(door.send(&get(&target, "")).await.status, 200);
    assert_eq!(door.send(&get("/x?k=bar&t=CANARY", "")).await.status, 401);
    let log = door.gateway.access_log().join("\n");
    assert!(log.contains("/x?a=1&k=REDACTED&t=REDACTED&b=2"), "{log}");
    assert!(log.contains("/x?k=REDACTED&t=REDACTED "), "{log}");
    assert!(!log.contains(&token) && !log.contains("CANARY"), "{log}");
    // The service gets the key as it came, and no token.
    assert_eq!(door.backend.seen()[0].target, "/x?a=1&k=bar&b=2");
}

// Holds SE-05.
#[tokio::test]
async fn a_token_in_a_header_of_its_own_is_not_written_down_where_headers_are() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let backend = Whoami::start();
    let options = format!("{}, tokenSource: {{header: X-Token}}", inline(&[&own]));
    let yaml = document(&[&format!("{{jwt: {{{options}}}}}")], &backend.url);
    let stand = Stand::planned(Plan::with_headers_logged(), &yaml).await;
    for (token, status) in [(token.as_str(), 200), ("CANARY", 401)] {
        let head = format!("GET / HTTP/1.1\nHost: a.test\nX-Other: kept\nX-Token: {token}");
        assert_eq!(stand.ask(&head).await.status, status);
    }
    let log = stand.logged().await;
    let redacted = "\"request_X-Token\":\"REDACTED\"";
    assert_eq!(log.matches(redacted).count(), 2, "{log}");
    assert!(log.contains("\"request_X-Other\":\"kept\""), "{log}");
    assert!(!log.contains(&token) && !log.contains("CANARY"), "{log}");
}

#[tokio::test]
async fn a_token_source_names_a_header_a_cookie_or_a_parameter() {
    let own = key(Algorithm::Es256, "k");
    let token = signed(&own, &claims());
    let source = "tokenSource: {header: X-Token, cookie: sid, query: t}";
    let door = Door::new(&format!("{}, {source}", inline(&[&own]))).await;
    let in_header = format!("X-Token: {token}");
    assert_eq!(door.get(&[&in_header]).await.status, 200);
    assert_eq!(door.seen("x-token"), [""; 0]);
    let in_cookie = format!("Cookie: a=1; sid={token}; b=2");
    assert_eq!(door.get(&[&in_cookie]).await.status, 200);
    assert_eq!(door.seen("cookie"), ["a=1; b=2"]);
    let only = format!("Cookie: sid={token}");
    assert_eq!(door.get(&[&only]).await.status, 200);
    assert_eq!(door.seen("cookie"), [""; 0]);
    assert_eq!(door.get(&[&in_header, &in_cookie]).await.status, 400);
    assert_eq!(door.get(&[&in_cookie, &only]).await.status, 400);
    // What is not named is no place.
    assert_eq!(door.with(&token).await.status, 401);
    let scheme = "tokenSource: {header: X-Token, headerAuthScheme: Key}";
    let door = Door::new(&format!("{}, {scheme}", inline(&[&own]))).await;
    assert_eq!(door.get(&[&in_header]).await.status, 401);
    assert_eq!(
        door.get(&[&format!("X-Token: key {token}")]).await.status,
        200
    );
}
