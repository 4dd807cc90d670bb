//! `oAuthIntrospection` over real sockets: opaque tokens, and a server that says what they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet_oauth::form;
use carnet_testkit::Server;
use carnet_testkit::server::{Answer, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::jwt::{Door, NOW, bearer, challenge};

const SOURCE: &str = "tokenSource: {header: Authorization, headerAuthScheme: Bearer}";

/// The token that is asked about.
fn token(request: &Request) -> String {
    let pairs = form::parse(&request.body);
    let token = pairs.into_iter().find(|(name, _)| name == "token");
    token.unwrap().1
}

/// What a server says of its tokens, each of which is called what it is.
fn told(request: &Request) -> Answer {
    let active = |more: Value| {
        let mut answer = json!({"active": true, "sub": "alice", "grp": "admin", "exp": NOW + 600});
        for (name, value) in more.as_object().unwrap() {
            answer[name] = value.clone();
        }
        Answer::json(200, &answer)
    };
    match &*token(request) {
        "right" => active(json!({})),
        "user" => active(json!({"grp": "user"})),
        "short" => active(json!({"exp": NOW + 10})),
        "ended" => active(json!({"exp": NOW})),
        "endless" => active(json!({"exp": null})),
        "wrong-end" => active(json!({"exp": "tomorrow"})),
        "for-us" => active(json!({"aud": ["x", "us"], "iss": "https://as.test"})),
        "for-others" => active(json!({"aud": "them", "iss": "https://as.test"})),
        "bound" => active(json!({"cnf": {"x5t#S256": "a"}})),
        "text" => Answer::json(200, &json!({"active": "true", "sub": "alice"})),
        "nothing" => Answer::json(200, &json!({})),
        "list" => Answer::json(200, &json!([true])),
        "twice" => Answer::Bytes(
            b"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{\"active\":false,\"active\":true }"
                .to_vec(),
        ),
        "moved" => Answer::text(302, "").with("Location", "/elsewhere"),
        "forbidden" => Answer::text(401, "who are you?"),
        "failing" => Answer::text(500, ""),
        "large" => Answer::json(200, &json!({"active": true, "x": "y".repeat(300 << 10)})),
        _ => Answer::json(200, &json!({"active": false, "sub": "alice"})),
    }
}

async fn server() -> Server {
    Server::start(told).await.unwrap()
}

async fn door(server: &Server, options: &str) -> Door {
    let config = format!(
        "clientConfig: {{url: '{}', maxRetries: 0}}",
        server.url("/introspect")
    );
    Door::behind(&[&format!(
        "plugin: {{oAuthIntrospection: {{{SOURCE}, {config}, {options}}}}}"
    )])
    .await
}

// Holds BR-03.
#[tokio::test]
async fn each_answer_of_the_server_gets_the_answer_of_its_row() {
    let server = server().await;
    let group = "claims: 'Equals(`grp`, `admin`)'";
    let ours = "audience: us, issuer: 'https://as.test'";
    for (options, token, status) in [
        ("", "right", 200),
        ("", "unknown", 401),
        ("", "ended", 401),
        ("", "wrong-end", 503),
        ("", "endless", 503),
        ("", "text", 401),
        ("", "nothing", 401),
        ("", "list", 503),
        ("", "twice", 503),
        ("", "moved", 503),
        ("", "forbidden", 503),
        ("", "failing", 503),
        ("", "large", 503),
        ("", "bound", 401),
        (group, "right", 200),
        (group, "user", 403),
        (ours, "for-us", 200),
        (ours, "for-others", 401),
        (ours, "right", 401),
    ] {
        let door = door(&server, options).await;
        let response = door.with(token).await;
        assert_eq!(response.status, status, "{options} {token}");
        let expected = match status {
            401 => Some("Bearer realm=\"carnet\", error=\"invalid_token\""),
            403 => Some("Bearer realm=\"carnet\", error=\"insufficient_scope\""),
            _ => None,
        };
        assert_eq!(challenge(&response), expected, "{token}");
        assert_eq!(door.backend.count(), usize::from(status == 200), "{token}");
        if status == 503 {
            assert_eq!(response.headers.only("retry-after"), Some("1"), "{token}");
        }
    }
    let door = door(&server, "").await;
    let missing = door.get(&[]).await;
    assert_eq!(
        (missing.status, challenge(&missing)),
        (401, Some("Bearer realm=\"carnet\""))
    );
}

// Holds BR-01.
#[tokio::test]
async fn a_token_comes_in_one_way_and_from_a_place_that_is_named() {
    let server = server().await;
    let config = format!("clientConfig: {{url: '{}'}}", server.url("/introspect"));
    let source = "tokenSource: {header: X-Token, query: t, cookie: sid}";
    let door = Door::behind(&[&format!("oAuthIntrospection: {{{source}, {config}}}")]).await;
    for (target, fields, status) in [
        ("/x?a=1&t=right", "", 200),
        ("/x", "X-Token: right\r\n", 200),
        ("/x", "Cookie: a=1; sid=right\r\n", 200),
        ("/x", "", 401),
        ("/x?access_token=right", "", 401),
        ("/x", "Authorization: Bearer right\r\n", 401),
        ("/x?t=unknown", "", 401),
        ("/x?t=right&t=right", "", 400),
        ("/x?t=right", "X-Token: right\r\n", 400),
        ("/x?t=right", "Cookie: sid=right\r\n", 400),
        ("/x", "Cookie: sid=right\r\nX-Token: unknown\r\n", 400),
        ("/x", "X-Token: right\r\nX-Token: right\r\n", 401),
    ] {
        let before = door.backend.count();
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{fields}\r\n");
        assert_eq!(door.send(&request).await.status, status, "{request}");
        let passed = door.backend.count() - before;
        assert_eq!(passed, usize::from(status == 200), "{request}");
    }
    // The service gets none of them.
    let seen = format!("{:?}", door.backend.seen());
    assert!(!seen.contains("right"), "{seen}");
    let log = door.gateway.access_log().join("\n");
    assert!(
        !log.contains("t=right") && log.contains("t=REDACTED"),
        "{log}"
    );
}

#[tokio::test]
async fn the_server_gets_the_token_and_the_gateways_own_credentials_and_nothing_of_the_caller() {
    let server = server().await;
    let config = format!(
        "clientConfig: {{url: '{}', headers: {{X-Tenant: a}}, tokenTypeHint: access_token}}",
        server.url("/introspect?realm=a")
    );
    let door = Door::behind(&[&format!(
        "oAuthIntrospection: {{{SOURCE}, {config}, clientID: gate way, clientSecret: 's:1', \
         forwardHeaders: {{X-User: sub}}, usernameClaim: sub}}"
    )])
    .await;
    let caller = [
        &*bearer("right"),
        "Cookie: a=b",
        "X-User: root",
        "X-Tenant: b",
    ];
    assert_eq!(door.get(&caller).await.status, 200);
    let asked = &server.seen()[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.target, "/introspect?realm=a");
    assert_eq!(asked.body, b"token=right&token_type_hint=access_token");
    // `gate+way:s%3A1`, as RFC 6749 writes it.
    assert_eq!(
        asked.headers.only("authorization"),
        Some("Basic Z2F0ZSt3YXk6cyUzQTE=")
    );
    assert_eq!(asked.headers.all("x-tenant"), ["a"]);
    assert_eq!(asked.headers.all("cookie"), [""; 0]);
    assert_eq!(door.seen("x-user"), ["alice"]);
    assert_eq!(door.seen("authorization"), [""; 0]);
    let log = door.gateway.access_log().join("\n");
    assert!(log.contains("alice") && !log.contains("right"), "{log}");
}

// Holds CVE-2021-32701, CVE-2026-33496.
#[tokio::test]
async fn an_answer_is_kept_no_longer_than_the_token_lives_and_a_no_briefly() {
    let server = server().await;
    let door = door(&server, "cache: {maxAge: 60s, negativeMaxAge: 5s}").await;
    let asked = |count: usize| assert_eq!(server.count(), count);
    for (token, status, seconds) in [("right", 200, 60), ("short", 200, 10), ("unknown", 401, 5)] {
        let before = server.count();
        for _ in 0..3 {
            assert_eq!(door.with(token).await.status, status);
        }
        asked(before + 1);
        door.clock.advance(Duration::from_secs(seconds - 1));
        assert_eq!(door.with(token).await.status, status);
        asked(before + 1);
        door.clock.advance(Duration::from_secs(1));
        let ended = if token == "short" { 401 } else { status };
        assert_eq!(door.with(token).await.status, ended, "{token}");
        asked(before + 2);
        door.clock.turn_back(Duration::from_secs(seconds));
    }
    // What another middleware was told is nothing to this one.
    let before = server.count();
    let config = format!("clientConfig: {{url: '{}'}}", server.url("/other"));
    let introspection = format!("oAuthIntrospection: {{{SOURCE}, {config}}}");
    assert_eq!(door.offer(&[&introspection]), "");
    assert_eq!(door.with("right").await.status, 200);
    asked(before + 1);
}

/// Ten thousand in the figures of `bench/`; here as many as fit into a second.
#[tokio::test]
async fn however_many_come_with_one_token_its_server_is_asked_once() {
    let server = server().await;
    let door = Arc::new(door(&server, "").await);
    server.hold();
    let mut requests = JoinSet::new();
    for _ in 0..300 {
        let door = Arc::clone(&door);
        requests.spawn(async move { door.with("right").await.status });
    }
    server.asked(1).await;
    server.release();
    while let Some(status) = requests.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!((server.count(), door.backend.count()), (1, 300));
}

// Holds F08.
#[tokio::test]
async fn a_server_that_is_down_is_left_alone_and_what_it_said_counts_on() {
    let number = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&number);
    let server = Server::start(move |request| match &*token(request) {
        "right" => told(request),
        _ => {
            counted.fetch_add(1, Ordering::Relaxed);
            Answer::text(503, "")
        }
    })
    .await
    .unwrap();
    let door = door(&server, "").await;
    assert_eq!(door.with("right").await.status, 200);
    for token in 0..50 {
        assert_eq!(door.with(&format!("t{token}")).await.status, 503);
        assert_eq!(door.with("right").await.status, 200);
    }
    let asked = number.load(Ordering::Relaxed);
    assert!(asked < 10, "{asked}");
}

#[tokio::test]
async fn a_route_without_a_server_to_ask_is_closed() {
    for (options, finding) in [
        (SOURCE.to_owned(), "`clientConfig.url` is missing"),
        (
            "clientConfig: {url: 'https://as.test'}".to_owned(),
            "names no place",
        ),
        (
            format!("{SOURCE}, clientConfig: {{url: 'ftp://as.test'}}"),
            "only `http` and `https`",
        ),
        (
            format!("{SOURCE}, clientConfig: {{url: 'https://as.test'}}, clientID: a"),
            "belong together",
        ),
        (
            format!(
                "{SOURCE}, clientConfig: {{url: 'https://as.test', headers: {{X: '{{{{ .Request }}}}'}}}}"
            ),
            "templates are not served",
        ),
    ] {
        let door = Door::closed().await;
        let told = door.offer(&[&format!("oAuthIntrospection: {{{options}}}")]);
        assert!(told.contains(finding), "{options}: {told}");
        assert_eq!(door.with("right").await.status, 503);
        assert_eq!(door.backend.count(), 0);
    }
}
