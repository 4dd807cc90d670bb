//! `digestAuth`.

use carnet_testkit::client::Response;
use md5::{Digest as _, Md5};

use super::{Guarded, seen};

fn md5(text: &str) -> String {
    let digest = Md5::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// alice:secret, and one of another realm.
fn options(more: &str) -> String {
    let alice = md5("alice:traefik:secret");
    let bob = md5("bob:elsewhere:secret");
    format!("{{digestAuth: {{users: ['alice:traefik:{alice}', 'bob:elsewhere:{bob}']{more}}}}}")
}

/// A parameter of the challenge.
fn parameter(response: &Response, name: &str) -> String {
    let challenge = response.headers.only("www-authenticate").unwrap();
    let rest = challenge.split_once(&format!("{name}=\"")).unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// What a client shows.
#[derive(Clone)]
struct Client {
    user: &'static str,
    password: &'static str,
    realm: &'static str,
    nonce: String,
    opaque: String,
    method: &'static str,
    uri: &'static str,
}

impl Client {
    async fn challenged(gateway: &Guarded) -> Self {
        let response = gateway.ask("GET /a HTTP/1.1\nHost: a.test").await;
        assert_eq!(response.status, 401);
        assert_eq!(parameter(&response, "realm"), "traefik");
        assert_eq!(response.text(), "401 Unauthorized\n");
        Self {
            user: "alice",
            password: "secret",
            realm: "traefik",
            nonce: parameter(&response, "nonce"),
            opaque: parameter(&response, "opaque"),
            method: "GET",
            uri: "/a",
        }
    }

    fn field(&self, count: u32) -> String {
        let Self {
            user,
            password,
            realm,
            nonce,
            opaque,
            method,
            uri,
        } = self;
        let who = md5(&format!("{user}:{realm}:{password}"));
        let what = md5(&format!("{method}:{uri}"));
        let response = md5(&format!("{who}:{nonce}:{count:08x}:c:auth:{what}"));
        format!(
            "\nAuthorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", \
             uri=\"{uri}\", cnonce=\"c\", nc={count:08x}, qop=auth, response=\"{response}\", \
             opaque=\"{opaque}\", algorithm=MD5"
        )
    }

    async fn ask(&self, gateway: &Guarded, count: u32) -> Response {
        let head = format!("GET /a HTTP/1.1\nHost: a.test{}", self.field(count));
        gateway.ask(&head).await
    }
}

#[tokio::test]
async fn a_right_password_passes_and_no_request_passes_twice() {
    let gateway = Guarded::by(&[&options("")]).await;
    let client = Client::challenged(&gateway).await;
    assert_eq!(client.ask(&gateway, 1).await.status, 200);
    assert_eq!(client.ask(&gateway, 2).await.status, 200);
    assert_eq!(client.ask(&gateway, 9).await.status, 200);
    for replayed in [1, 2, 5, 9] {
        let response = client.ask(&gateway, replayed).await;
        assert_eq!(response.status, 401);
        let challenge = response.headers.only("www-authenticate").unwrap();
        assert!(challenge.ends_with(", stale=true"), "{challenge}");
    }
    assert_eq!(client.ask(&gateway, 10).await.status, 200);
}

#[tokio::test]
async fn everything_else_is_challenged() {
    let gateway = Guarded::by(&[&options("")]).await;
    let client = Client::challenged(&gateway).await;
    let wrong: [fn(&mut Client); 7] = [
        |client| client.password = "wrong",
        |client| client.user = "nobody",
        |client| (client.user, client.realm) = ("bob", "elsewhere"),
        |client| client.nonce = "x".repeat(43),
        |client| client.opaque = "x".to_owned(),
        |client| client.method = "PUT",
        // Nobody's answer for one path opens another.
        |client| client.uri = "/",
    ];
    for change in wrong {
        let mut changed = client.clone();
        change(&mut changed);
        let response = changed.ask(&gateway, 1).await;
        assert_eq!(response.status, 401);
        let challenge = response.headers.only("www-authenticate").unwrap();
        assert!(!challenge.contains("stale"), "{challenge}");
    }
    let twice = format!("{}{}", client.field(3), client.field(4));
    let head = format!("GET /a HTTP/1.1\nHost: a.test{twice}");
    assert_eq!(gateway.ask(&head).await.status, 401);
    for options in [
        "{digestAuth: {users: []}}",
        "{digestAuth: {users: ['a:b']}}",
        "{digestAuth: {users: ['a:traefik:0123']}}",
        "{digestAuth: {users: ['a:other:0123456789abcdef0123456789abcdef']}}",
    ] {
        assert_eq!(
            Guarded::by(&[options]).await.status("").await,
            503,
            "{options}"
        );
    }
}

// Holds HI-01, HI-02, CVE-2026-33433, CVE-2026-54763.
#[tokio::test]
async fn the_service_gets_the_name_that_was_shown_and_no_other() {
    let gateway = Guarded::by(&[&options(", headerField: X-User, removeHeader: true")]).await;
    let client = Client::challenged(&gateway).await;
    let head = format!(
        "GET /a HTTP/1.1\nHost: a.test\nX-User: forged\nX_User: forged\nX.User: forged{}",
        client.field(1)
    );
    let response = gateway.ask(&head).await;
    assert_eq!(seen(&response, "X-User").as_deref(), Some("alice"));
    assert!(!response.text().contains("forged"), "{}", response.text());
    assert_eq!(seen(&response, "Authorization"), None);
}
