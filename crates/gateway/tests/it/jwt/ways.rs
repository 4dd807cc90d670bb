//! Every way to a service goes past the one who verifies: every version of HTTP, every name, and the
//! router for all that no other takes.

use bytes::Bytes;
use carnet_jose::Algorithm;
use http::{Request, StatusCode, Version};
use http_body_util::Empty;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{Door, bearer, claims, inline, key, signed};

/// A gateway whose service stands behind two routers, one of which takes everything; and the token
/// that passes.
async fn everywhere() -> (Door, String) {
    let own = key(Algorithm::Es256, "k");
    let door = Door::closed().await;
    let told = door.gateway.offer(&format!(
        "http:\n  routers:\n    named: {{rule: 'Host(`api.test`)', service: s, middlewares: [jwt]}}\n    \
         rest: {{rule: 'PathPrefix(`/`)', priority: 1, service: s, middlewares: [jwt]}}\n  services:\n    \
         s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}\n  middlewares:\n    jwt: {{plugin: {{jwt: \
         {{{}}}}}}}\n",
        door.backend.url(""),
        inline(&[&own])
    ));
    assert_eq!(told, "");
    let token = signed(&own, &claims());
    (door, token)
}

// Holds JW-21, CVE-2022-29226.
#[tokio::test]
async fn no_name_of_a_host_and_no_form_of_a_target_leads_past_the_one_who_verifies() {
    let (door, token) = everywhere().await;
    let heads = [
        "GET / HTTP/1.1\r\nHost: api.test",
        "GET / HTTP/1.1\r\nHost: other.test",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:443",
        "GET / HTTP/1.1\r\nHost: [::1]",
        "GET / HTTP/1.1\r\nHost: localhost",
        "GET http://other.test/ HTTP/1.1\r\nHost: api.test",
        "GET http://api.test/ HTTP/1.1\r\nHost: other.test",
    ];
    for head in heads {
        for wrong in [
            String::new(),
            format!("{}\r\n", bearer("x")),
            format!("{}x\r\n", bearer(&token)),
            format!("X-{}\r\n", bearer(&token)),
            format!("Proxy-{}\r\n", bearer(&token)),
            format!("Cookie: {token}\r\n"),
        ] {
            let request = format!("{head}\r\nConnection: close\r\n{wrong}\r\n");
            assert_eq!(door.send(&request).await.status, 401, "{request}");
        }
    }
    // Requests without a host have no route of their own, and none past the guard.
    let old = "GET / HTTP/1.0\r\n\r\n";
    assert!(matches!(door.send(old).await.status, 400 | 401));
    assert_eq!(door.backend.count(), 0);
    for head in heads {
        let right = bearer(&token);
        let request = format!("{head}\r\nConnection: close\r\n{right}\r\n\r\n");
        assert_eq!(door.send(&request).await.status, 200, "{head}");
    }
}

async fn connect(door: &Door) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(door.gateway.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

async fn asked(
    sender: &mut SendRequest<Empty<Bytes>>,
    authority: &str,
    tokens: &[&str],
) -> StatusCode {
    let mut request = Request::builder()
        .uri(format!("http://{authority}/"))
        .version(Version::HTTP_2);
    for token in tokens {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Empty::new()).unwrap();
    sender.send_request(request).await.unwrap().status()
}

// Holds JW-21, HI-07.
#[tokio::test]
async fn over_http2_a_token_is_judged_as_over_http1() {
    let (door, token) = everywhere().await;
    let mut sender = connect(&door).await;
    let forged = format!("{token}x");
    for authority in ["api.test", "other.test", "127.0.0.1", "[::1]:80"] {
        for wrong in [&[][..], &["x"], &[&*forged], &[&*token, &*token]] {
            let status = asked(&mut sender, authority, wrong).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{authority} {wrong:?}");
        }
    }
    assert_eq!(door.backend.count(), 0);
    // On the same connection, after and before one that was right.
    for (tokens, expected) in [(&[&*token][..], 200), (&[], 401), (&[&*token], 200)] {
        let status = asked(&mut sender, "api.test", tokens).await;
        assert_eq!(status.as_u16(), expected);
    }
    assert_eq!(door.backend.count(), 2);
    assert_eq!(door.seen("authorization"), [""; 0]);
}
