use std::convert::Infallible;
use std::future::poll_fn;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

use super::outgoing::{Outgoing, Unsent};
use crate::body::Body;

fn ask(method: Method, target: &str, fields: &[(&'static str, &str)], body: Body) -> Outgoing {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().unwrap();
    for (name, value) in fields {
        let value = HeaderValue::from_str(value).unwrap();
        request.headers_mut().append(*name, value);
    }
    Outgoing::new(request, Vec::new())
}

fn pieces(frames: Vec<Frame<Bytes>>) -> Body {
    let frames = frames.into_iter().map(Ok::<_, Infallible>);
    Body::stream(StreamBody::new(stream::iter(frames)))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

async fn send(outgoing: &mut Outgoing, stream: &mut DuplexStream) -> Result<(), Unsent> {
    poll_fn(|cx| outgoing.poll_send(stream, cx)).await
}

async fn sent(mut outgoing: Outgoing) -> String {
    let (mut near, mut far) = duplex(1 << 16);
    assert!(send(&mut outgoing, &mut near).await.is_ok());
    assert!(outgoing.is_sent());
    drop(near);
    let mut text = String::new();
    far.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_request_is_written_with_its_host_and_the_length_of_its_body() {
    let get = ask(
        Method::GET,
        "http://a.test?b",
        &[("x-y", "z")],
        Body::empty(),
    );
    let text = "GET /?b HTTP/1.1\r\nHost: a.test\r\nX-Y: z\r\n\r\n";
    assert_eq!(sent(get).await, text);
    let fields = [("host", "b"), ("a", "1"), ("a", "2")];
    let post = ask(Method::POST, "/a", &fields, Body::from("hello"));
    let text = "POST /a HTTP/1.1\r\nHost: b\r\nA: 1\r\nA: 2\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(sent(post).await, text);
}

// Holds HT-01.
#[tokio::test]
async fn no_head_says_another_length_than_its_body_has() {
    let fields = [("host", "a"), ("content-length", "5")];
    let none = ask(Method::POST, "/", &fields, Body::empty());
    assert!(sent(none).await.ends_with("\r\nContent-Length: 0\r\n\r\n"));
    for text in ["hell", "hello!"] {
        let mut lying = ask(Method::POST, "/", &fields, pieces(vec![data(text)]));
        let (mut near, _far) = duplex(1 << 16);
        let outcome = send(&mut lying, &mut near).await;
        assert!(matches!(outcome, Err(Unsent::Body(_))), "{text}");
    }
    let fields = [("content-length", "5"), ("transfer-encoding", "gzip")];
    let both = ask(
        Method::GET,
        "/",
        &fields,
        pieces(vec![data("he"), data("llo")]),
    );
    let text = "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    assert_eq!(sent(both).await, text);
}

#[tokio::test]
async fn trailers_follow_where_they_were_announced_and_are_harmless() {
    let trailers = HeaderMap::from_iter(["x-sum", "x-other", "host"].map(|name| {
        let name = http::HeaderName::from_static(name);
        (name, HeaderValue::from_static("7"))
    }));
    let body = pieces(vec![data("a"), Frame::trailers(trailers)]);
    let fields = [("trailer", "X-Sum, Host")];
    let text = sent(ask(Method::POST, "/", &fields, body)).await;
    assert!(text.ends_with("1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n"), "{text}");
}

// Holds HT-30.
#[tokio::test]
async fn a_request_of_which_nothing_was_written_goes_over_another_connection_whole() {
    let mut post = ask(Method::POST, "/", &[], Body::from("hello"));
    let (mut closed, far) = duplex(1 << 16);
    drop(far);
    let outcome = send(&mut post, &mut closed).await;
    assert!(matches!(outcome, Err(Unsent::Connection(_))));
    assert!(post.is_untouched() && !post.is_repeatable());
    post.rewind();
    let text = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(sent(post).await, text);
    let (mut narrow, far) = duplex(8);
    let mut post = ask(Method::POST, "/", &[], Body::from("hello"));
    assert!(
        poll_fn(|cx| std::task::Poll::Ready(post.poll_send(&mut narrow, cx).is_pending())).await
    );
    drop(far);
    assert!(send(&mut post, &mut narrow).await.is_err());
    assert!(!post.is_untouched());
}
