//! `forwardAuth`: between a service that answers as told and an application that echoes.

use carnet_config::install::EntryPoint;
use carnet_testkit::server::{Answer, Request};
use carnet_testkit::{Server, client, token_endpoint};

use super::{document, seen};
use crate::stand::{Plan, Stand, Whoami};

/// What a name of a header may hold besides letters, digits and `-` (RFC 9110 section 5.6.2).
const PUNCTUATION: &str = "!#$%&'*+.^_`|~";

/// A gateway whose route asks a service first.
struct Asked {
    stand: Stand,
    service: Server,
    _backend: Whoami,
}

impl Asked {
    /// `options` but for the address, in YAML's flow style.
    async fn with(
        options: &str,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::planned(Plan::default(), options, respond).await
    }

    async fn planned(
        plan: Plan,
        options: &str,
        respond: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let service = Server::start(respond).await.unwrap();
        let backend = Whoami::start();
        let address = service.url("/auth?q=1");
        let options = format!("{{forwardAuth: {{address: '{address}', {options}}}}}");
        let yaml = document(&[&options], &backend.url);
        Self {
            stand: Stand::planned(plan, &yaml).await,
            service,
            _backend: backend,
        }
    }

    async fn ask(&self, head: &str) -> client::Response {
        self.stand.ask(head).await
    }

    /// The last question.
    fn question(&self) -> Request {
        self.service.seen().pop().unwrap()
    }
}

const PLAIN: &str = "GET /a?b=1 HTTP/1.1\nHost: a.test";

fn yes(_: &Request) -> Answer {
    Answer::text(200, "")
}

#[tokio::test]
async fn the_service_is_asked_with_the_callers_headers_and_what_the_gateway_knows() {
    let gateway = Asked::with("", yes).await;
    let head = "POST /a?b=1 HTTP/1.1\nHost: a.test:80\nCookie: s=1\nAuthorization: Bearer x\n\
         Content-Length: 0\nX-Forwarded-Uri: /b\nX-Forwarded-For: 1.2.3.4\nTE: trailers";
    assert_eq!(gateway.ask(head).await.status, 200);
    let question = gateway.question();
    assert_eq!(question.method, "GET");
    assert_eq!(question.target, "/auth?q=1");
    for (name, value) in [
        ("cookie", Some("s=1")),
        ("authorization", Some("Bearer x")),
        ("x-forwarded-for", Some("127.0.0.1")),
        ("x-forwarded-method", Some("POST")),
        ("x-forwarded-proto", Some("http")),
        ("x-forwarded-host", Some("a.test:80")),
        ("x-forwarded-uri", Some("/a?b=1")),
        ("te", None),
        ("user-agent", None),
    ] {
        assert_eq!(question.headers.only(name), value, "{name}");
    }
    let host = question.headers.only("host").unwrap();
    assert_eq!(host, gateway.service.address().to_string());

    let gateway = Asked::with("preserveRequestMethod: true", yes).await;
    gateway.ask("PUT / HTTP/1.1\nHost: a.test").await;
    let question = gateway.question();
    assert_eq!(question.method, "PUT");
    assert_eq!(question.headers.only("content-length"), Some("0"));

    let gateway = Asked::with("authRequestHeaders: [Cookie, Accept]", yes).await;
    gateway.ask(head).await;
    let question = gateway.question();
    assert_eq!(question.headers.only("cookie"), Some("s=1"));
    assert_eq!(question.headers.only("authorization"), None);
    assert_eq!(question.headers.only("x-forwarded-uri"), Some("/a?b=1"));
}

// Holds HI-01, HI-02, HI-06, CVE-2026-33433, CVE-2026-54763.
#[tokio::test]
async fn a_header_that_the_service_gives_is_nobody_elses_in_any_spelling() {
    let answer = |_: &Request| {
        Answer::text(200, "")
            .with("X-Auth-User", "alice")
            .with("X-Other", "no")
    };
    for options in [
        "authResponseHeaders: [x-auth-user, X-Auth-Role]",
        "authResponseHeadersRegex: '^X-Auth-'",
    ] {
        let gateway = Asked::with(options, answer).await;
        for mark in PUNCTUATION.chars().chain(['-']) {
            let forged = |name: &str| name.replace('-', &mark.to_string());
            let head = format!(
                "{PLAIN}\n{}: forged\n{}: forged\n{}: forged",
                forged("X-Auth-User"),
                forged("x-auth-role"),
                forged("X-AUTH-USER"),
            );
            let response = gateway.ask(&head).await;
            assert_eq!(seen(&response, "X-Auth-User").as_deref(), Some("alice"));
            let text = response.text();
            assert!(!text.contains("forged"), "{options} {mark}: {text}");
            assert_eq!(seen(&response, "X-Other").as_deref(), None);
        }
    }
}

#[tokio::test]
async fn who_may_not_pass_gets_the_services_answer() {
    let refusal = |request: &Request| {
        let place = request.headers.only("x-place").unwrap_or("/login?x=1");
        Answer::text(302, "go away")
            .with("Location", place)
            .with("Set-Cookie", "a=1")
            .with("Keep-Alive", "timeout=5")
    };
    let gateway = Asked::with("", refusal).await;
    let response = gateway.ask(PLAIN).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (302, "go away")
    );
    assert_eq!(response.headers.only("set-cookie"), Some("a=1"));
    assert_eq!(response.headers.only("keep-alive"), None);
    let whole = gateway.service.url("/login?x=1");
    assert_eq!(response.headers.only("location"), Some(whole.as_str()));
    let response = gateway
        .ask(&format!("{PLAIN}\nX-Place: https://a.test"))
        .await;
    assert_eq!(response.headers.only("location"), Some("https://a.test"));

    let gateway = Asked::with("preserveLocationHeader: true", refusal).await;
    let response = gateway.ask(PLAIN).await;
    assert_eq!(response.headers.only("location"), Some("/login?x=1"));
}

// Holds HI-22.
#[tokio::test]
async fn a_service_that_is_broken_lets_nobody_pass() {
    for broken in [
        Answer::Drop,
        Answer::Bytes(b"HTTP/1.1 2".to_vec()),
        Answer::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec()),
        Answer::Bytes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_vec()),
    ] {
        let gateway = Asked::with("", move |_| broken.clone()).await;
        let response = gateway.ask(PLAIN).await;
        assert_ne!(response.status, 200);
        assert!(!response.text().contains("Hostname"), "{}", response.text());
    }
    let backend = Whoami::start();
    let nobody = "{forwardAuth: {address: 'http://127.0.0.1:1/'}}";
    let stand = Stand::new(&document(&[nobody], &backend.url)).await;
    let response = stand.ask(PLAIN).await;
    assert_eq!((response.status, response.text().as_str()), (500, ""));
    // What cannot be asked closes the route.
    for options in [
        "{forwardAuth: {}}",
        "{forwardAuth: {address: 'file:///etc/passwd'}}",
        "{forwardAuth: {address: 'http://127.0.0.1:1/', authResponseHeaders: [Content-Length]}}",
        "{forwardAuth: {address: 'http://127.0.0.1:1/', tls: {ca: /nowhere.pem}}}",
    ] {
        let stand = Stand::new(&document(&[options], &backend.url)).await;
        assert_eq!(stand.ask(PLAIN).await.status, 503, "{options}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_says_nothing_lets_nobody_pass_after_thirty_seconds() {
    let gateway = Asked::with("", |_| Answer::Hang).await;
    let response = gateway.ask(PLAIN).await;
    assert_eq!((response.status, response.text().as_str()), (500, ""));
}

// Holds SS-03.
#[tokio::test]
async fn an_answer_larger_than_allowed_lets_nobody_pass() {
    for (limit, status) in [(4, 401), (5, 200), (-1, 200)] {
        let options = format!("maxResponseBodySize: {limit}");
        let gateway = Asked::with(&options, |_| Answer::text(200, "12345")).await;
        let response = gateway.ask(PLAIN).await;
        assert_eq!(response.status, status, "{limit}");
    }
}

#[tokio::test]
async fn the_service_gets_the_body_where_it_shall_and_never_more_than_allowed() {
    let post = "POST / HTTP/1.1\nHost: a.test\nConnection: close\nContent-Length: 5\n\nhello";
    for (options, status, body) in [
        ("", 200, ""),
        ("forwardBody: true", 200, "hello"),
        ("forwardBody: true, maxBodySize: -1", 200, "hello"),
        ("forwardBody: true, maxBodySize: 5", 200, "hello"),
        ("forwardBody: true, maxBodySize: 4", 401, ""),
    ] {
        let gateway = Asked::with(options, yes).await;
        let response = gateway.stand.send(&post.replace('\n', "\r\n")).await;
        assert_eq!(response.status, status, "{options}");
        let question = gateway.service.seen().pop();
        let question = question.map(|question| question.body).unwrap_or_default();
        assert_eq!(question, body.as_bytes(), "{options}");
        if status == 200 {
            assert!(response.text().ends_with("hello"), "{}", response.text());
        }
    }
}

#[tokio::test]
async fn cookies_of_the_service_reach_the_client_where_they_are_listed() {
    let service = Server::start(|_| {
        Answer::text(200, "")
            .with("Set-Cookie", "session=auth; Path=/")
            .with("Set-Cookie", "other=auth")
    });
    let service = service.await.unwrap();
    let backend = Server::start(|_| {
        Answer::text(200, "")
            .with("Set-Cookie", "session=app")
            .with("Set-Cookie", "app=1")
    });
    let backend = backend.await.unwrap();
    let address = service.url("");
    let options =
        format!("{{forwardAuth: {{address: '{address}', addAuthCookiesToResponse: [session]}}}}");
    let stand = Stand::new(&document(&[&options], &backend.url(""))).await;
    let response = stand.ask(PLAIN).await;
    let cookies = response.headers.all("set-cookie");
    assert_eq!(cookies, ["app=1", "session=auth; Path=/"]);
}

#[tokio::test]
async fn what_proxies_say_is_passed_on_where_the_service_shall_trust_it() {
    let said = "\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https\nX-Forwarded-Host: b.test\
                \nX-Forwarded-Uri: /b\nX-Forwarded-Method: PUT\nX-Forwarded-Port: 44\
                \nX_Forwarded_Host: c.test";
    for (options, expected) in [
        ("", ["127.0.0.1", "http", "a.test", "/a?b=1", "GET", "44"]),
        (
            "trustForwardHeader: false",
            ["127.0.0.1", "http", "a.test", "/a?b=1", "GET", "80"],
        ),
        (
            "trustForwardHeader: true",
            ["1.2.3.4, 127.0.0.1", "https", "b.test", "/b", "PUT", "44"],
        ),
    ] {
        let mut plan = Plan {
            entry_point: EntryPoint::at(":80"),
            ..Plan::default()
        };
        plan.entry_point.forwarded_headers.insecure = true;
        let gateway = Asked::planned(plan, options, yes).await;
        gateway.ask(&format!("{PLAIN}{said}")).await;
        let question = gateway.question();
        for (name, value) in ["for", "proto", "host", "uri", "method", "port"]
            .iter()
            .zip(expected)
        {
            let name = format!("x-forwarded-{name}");
            assert_eq!(
                question.headers.only(&name),
                Some(value),
                "{options} {name}"
            );
        }
        if options != "trustForwardHeader: true" {
            assert_eq!(question.headers.only("x_forwarded_host"), None);
        }
    }
}

// Holds HI-14.
#[tokio::test]
async fn a_token_that_the_gateway_fetched_is_not_shown_to_the_service() {
    let provider = Server::start(|_| token_endpoint::granted("CANARY", Some(3600)));
    let provider = provider.await.unwrap();
    let service = Server::start(yes).await.unwrap();
    let backend = Whoami::start();
    let token = format!(
        "{{plugin: {{oAuthClientCredentials: {{url: '{}', clientID: a, clientSecret: b}}}}}}",
        provider.url("/token")
    );
    for (more, shown) in [
        ("", None),
        (", authRequestHeaders: [Accept]", None),
        (
            ", authRequestHeaders: [Authorization]",
            Some("Bearer CANARY"),
        ),
    ] {
        let ask = format!("{{forwardAuth: {{address: '{}'{more}}}}}", service.url("/"));
        let stand = Stand::new(&document(&[&token, &ask], &backend.url)).await;
        let response = stand.ask(PLAIN).await;
        assert_eq!(response.status, 200);
        let token = seen(&response, "Authorization");
        assert_eq!(token.as_deref(), Some("Bearer CANARY"));
        let question = service.seen().pop().unwrap();
        assert_eq!(question.headers.only("authorization"), shown, "{more}");
    }
}
