//! Copies of requests.

use carnet_testkit::Server;
use carnet_testkit::server::Answer;

use super::{balancer, behind, get, named, until};
use crate::stand::Stand;

async fn mirrored(options: &str, main: &Server, mirror: &Server) -> Stand {
    Stand::new(&behind(&[
        format!("s: {{mirroring: {{service: x, {options}}}}}"),
        balancer("x", "", &[main]),
        balancer("y", "", &[mirror]),
    ]))
    .await
}

fn post(fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /p?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}Content-Length: {length}\
         \r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_share_of_requests_is_copied_with_their_bodies_and_the_answer_is_the_services() {
    let (main, mirror) = (named("main").await, named("mirror").await);
    let stand = mirrored("mirrors: [{name: y, percent: 50}]", &main, &mirror).await;
    for _ in 0..10 {
        assert_eq!(stand.send(&post("", "hello")).await.text(), "main");
    }
    mirror.asked(5).await;
    let copy = mirror.seen().pop().unwrap();
    assert_eq!(
        (copy.method.as_str(), copy.target.as_str()),
        ("POST", "/p?q")
    );
    assert_eq!(
        (copy.body.as_slice(), copy.headers.only("host")),
        (&b"hello"[..], Some("a"))
    );
    assert_eq!((main.count(), mirror.count()), (10, 5));
}

#[tokio::test]
async fn a_mirror_that_fails_or_says_nothing_is_nobodys_trouble() {
    for answer in [Answer::Drop, Answer::Hang, Answer::text(500, "ill")] {
        let main = named("main").await;
        let mirror = Server::start(move |_| answer.clone()).await.unwrap();
        let stand = mirrored("mirrors: [{name: y, percent: 100}]", &main, &mirror).await;
        for count in 1..4 {
            assert_eq!(get(&stand).await.text(), "main");
            mirror.asked(count).await;
        }
    }
}

#[tokio::test]
async fn larger_bodies_are_not_copied_and_none_where_it_is_said_so() {
    for (options, bodies) in [
        ("maxBodySize: 5, ", &["hello"][..]),
        ("mirrorBody: false, ", &["", ""]),
    ] {
        let (main, mirror) = (named("main").await, named("mirror").await);
        let options = format!("{options}mirrors: [{{name: y, percent: 100}}]");
        let stand = mirrored(&options, &main, &mirror).await;
        for body in ["hello", "hello!"] {
            assert_eq!(stand.send(&post("", body)).await.text(), "main");
        }
        mirror.asked(bodies.len()).await;
        // Had there been another, it would have come before this one.
        assert_eq!(get(&stand).await.text(), "main");
        mirror.asked(bodies.len() + 1).await;
        let seen = mirror.seen();
        let got: Vec<_> = seen.iter().map(|copy| copy.body.clone()).collect();
        let expected = bodies.iter().map(|body| body.as_bytes().to_vec());
        let expected: Vec<_> = expected.chain([Vec::new()]).collect();
        assert_eq!(got, expected);
        let sent = main.seen().into_iter().map(|request| request.body);
        assert_eq!(sent.collect::<Vec<_>>(), [&b"hello"[..], b"hello!", b""]);
    }
}

/// A mirror is another service than the route's.
// Holds HI-14.
#[tokio::test]
async fn copies_have_no_credentials_unless_it_is_said_so() {
    for (more, count) in [("", 0), (", credentials: true", 1)] {
        let (main, mirror) = (named("main").await, named("mirror").await);
        let options = format!("mirrors: [{{name: y, percent: 100{more}}}]");
        let stand = mirrored(&options, &main, &mirror).await;
        let fields = "Authorization: Basic Y2FuYXJ5\r\nCookie: canary=1\r\nX-A: b\r\n";
        assert_eq!(stand.send(&post(fields, "hello")).await.text(), "main");
        mirror.asked(1).await;
        let got = mirror.seen().pop().unwrap().headers;
        let sent = main.seen().pop().unwrap().headers;
        for name in ["authorization", "cookie"] {
            assert_eq!(
                (got.all(name).len(), sent.all(name).len()),
                (count, 1),
                "{name}"
            );
        }
        assert_eq!(got.only("x-a"), Some("b"));
    }
}

#[tokio::test]
async fn a_mirror_that_is_not_there_closes_the_service_and_health_is_the_services() {
    let (main, mirror) = (named("main").await, named("mirror").await);
    let stand = mirrored("mirrors: [{name: nobody, percent: 1}]", &main, &mirror).await;
    assert_eq!(get(&stand).await.status, 503);
    let stand = mirrored("mirrors: [{name: y, percent: 101}]", &main, &mirror).await;
    assert_eq!(get(&stand).await.status, 503);
    let ill = Server::start(|_| Answer::text(500, "ill")).await.unwrap();
    let stand = Stand::new(&behind(&[
        "s: {weighted: {services: [{name: m}, {name: y}], healthCheck: {}}}".to_owned(),
        "m: {mirroring: {service: x, mirrors: [], healthCheck: {}}}".to_owned(),
        balancer(
            "x",
            "healthCheck: {path: /, interval: 20ms, timeout: 5s}",
            &[&ill],
        ),
        balancer(
            "y",
            "healthCheck: {path: /, interval: 20ms, timeout: 5s}",
            &[&mirror],
        ),
    ]))
    .await;
    until(|| !stand.gateway.server_status("x@file")[0].is_up).await;
    for _ in 0..4 {
        assert_eq!(get(&stand).await.text(), "mirror");
    }
}
