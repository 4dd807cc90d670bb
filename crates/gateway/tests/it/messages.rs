//! What a message is made of besides its head: trailers, streams in both directions at once, and
//! as much of a body at a time as somebody reads.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Outcome, block};
use crate::stand::{Stand, routes};

type Pieces = StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn data(text: &'static str) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

fn trailers(fields: &[(&'static str, &'static str)]) -> Result<Frame<Bytes>, Infallible> {
    let pairs = fields.iter();
    let map = pairs.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    Ok(Frame::trailers(map.collect()))
}

/// A server that speaks HTTP/2 with prior knowledge and answers by this function.
async fn grpc_server<F>(answer: F) -> String
where
    F: Fn(Request<Incoming>) -> Response<Pieces> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let response = answer(request);
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    url
}

async fn grpc_client(stand: &Stand) -> http2::SendRequest<Pieces> {
    let stream = TcpStream::connect(stand.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

fn call(body: stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>) -> Request<Pieces> {
    Request::post("http://a/pkg.Service/Method")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(StreamBody::new(body))
        .unwrap()
}

#[tokio::test]
async fn a_grpc_call_gets_its_message_and_its_status() {
    let url = grpc_server(|request| {
        assert_eq!(request.headers()["te"], "trailers");
        assert_eq!(request.uri().path(), "/pkg.Service/Method");
        let frames = [
            data("\0\0\0\0\x02ok"),
            trailers(&[("grpc-status", "0"), ("grpc-message", "fine")]),
        ];
        let mut response = Response::new(StreamBody::new(stream::iter(frames).boxed()));
        let kind = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", kind);
        response
    })
    .await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let mut client = grpc_client(&stand).await;
    let message = stream::iter([data("\0\0\0\0\x02hi")]).boxed();
    let response = client.send_request(call(message)).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(body.trailers().unwrap()["grpc-message"], "fine");
    assert_eq!(body.to_bytes().as_ref(), b"\0\0\0\0\x02ok");
}

#[tokio::test]
async fn a_grpc_error_is_one_head_without_a_body() {
    let url = grpc_server(|_| {
        let mut response = Response::new(StreamBody::new(stream::iter([]).boxed()));
        let headers = response.headers_mut();
        headers.insert("grpc-status", HeaderValue::from_static("12"));
        response
    })
    .await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let mut client = grpc_client(&stand).await;
    let message = stream::iter([data("\0\0\0\0\x02hi")]).boxed();
    let response = client.send_request(call(message)).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "12");
    assert!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
}

#[tokio::test]
async fn a_conversation_goes_on_in_both_directions_at_once() {
    // Echoes each message when it comes.
    let url = grpc_server(|request| {
        let echo = stream::unfold(request.into_body(), |mut body| async move {
            let frame = body.frame().await?.unwrap();
            Some((Ok(frame), body))
        });
        Response::new(StreamBody::new(echo.boxed()))
    })
    .await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let mut client = grpc_client(&stand).await;
    let (say, said) = mpsc::channel(1);
    let messages = stream::unfold(said, |mut said| async move {
        let frame = said.recv().await?;
        Some((frame, said))
    });
    let response = client.send_request(call(messages.boxed())).await.unwrap();
    let mut answer = response.into_body();
    for text in ["one", "two", "three"] {
        say.send(data(text)).await.unwrap();
        let echo = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(echo, text);
    }
    say.send(trailers(&[("x-sum", "3")])).await.unwrap();
    let echo = answer.frame().await.unwrap().unwrap();
    assert_eq!(echo.into_trailers().unwrap()["x-sum"], "3");
}

/// A backend of HTTP/1.1 that gives all that it has got until these bytes came, and answers 200.
async fn until(end: &'static [u8]) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            bytes.push(stream.read_u8().await.unwrap());
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        String::from_utf8(bytes).unwrap()
    });
    (url, seen)
}

// Holds HT-23, HI-07.
#[tokio::test]
async fn trailers_stay_trailers_and_those_that_could_be_taken_for_headers_are_gone() {
    let harmful = "Sub: admin\r\nX_Real_Ip: 9\r\nAuthorization: Basic eA==\r\nHost: evil\r\n\
        X-Forwarded-Prefix: /e\r\nX-User.Id: evil\r\n";
    let (url, seen) = until(b"\r\n\r\n").await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-User-Id: me\r\nSub: me\r\n\
         Trailer: X-Sum, Sub, X_Real_Ip, Authorization, Host, X-Forwarded-Prefix, X-User.Id\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n{harmful}\r\n"
    );
    let _ = stand.send(&request).await;
    let head = seen.await.unwrap();
    assert_eq!(head.matches("Sub: me").count(), 1, "{head}");
    assert!(!head.contains("admin") && !head.contains("evil"), "{head}");

    let (url, seen) = until(b"0\r\nX-Sum: 7\r\n\r\n").await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let response = stand.send(&request).await;
    assert_eq!(response.status, 200);
    let bytes = seen.await.unwrap();
    let (_, body) = bytes.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n");
}

// Holds HT-23, HI-07.
#[tokio::test]
async fn trailers_of_http2_are_never_headers_of_http1() {
    let (url, seen) = until(b"0\r\n\r\n").await;
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let mut frames = Frames::connect(stand.address).await;
    let head = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/"),
        ("sub", "me"),
    ];
    frames.send(HEADERS, END_HEADERS, 1, &block(&head)).await;
    frames.send(DATA, 0, 1, b"hi").await;
    let harmful = [
        ("sub", "admin"),
        ("authorization", "Basic eA=="),
        ("content-length", "9"),
    ];
    let end = END_HEADERS | END_STREAM;
    frames.send(HEADERS, end, 1, &block(&harmful)).await;
    assert_eq!(frames.outcome(1).await, Outcome::Status(200));
    let bytes = seen.await.unwrap();
    assert!(bytes.ends_with("\r\n\r\n2\r\nhi\r\n0\r\n\r\n"), "{bytes}");
    assert!(
        !bytes.contains("admin") && !bytes.contains("Authorization"),
        "{bytes}"
    );
}

// Holds HT-25.
#[tokio::test]
async fn early_answers_of_a_backend_are_no_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let bytes = format!("{}{answer}", early.repeat(20));
        stream.write_all(bytes.as_bytes()).await.unwrap();
    });
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let response = stand.ask("GET / HTTP/1.1\nHost: a").await;
    assert_eq!((response.status, response.text().as_str()), (200, "ok"));
    assert!(response.headers.all("Link").is_empty());
}

/// Sockets and libraries hold some of a body; more than this is kept by the gateway.
const BOUND: usize = 24 << 20;
const PIECE: usize = 64 << 10;

/// Waits until a count has stood still for a while.
pub(crate) async fn at_rest(count: &AtomicUsize) -> usize {
    let mut last = usize::MAX;
    loop {
        let now = count.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>())
            .await
            .unwrap_err();
    }
}

/// An endless body, and how much of it was taken.
fn endless() -> (Pieces, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let pieces = stream::repeat_with(move || {
        count.fetch_add(PIECE, Ordering::SeqCst);
        Ok(Frame::data(Bytes::from_static(&[b'x'; PIECE])))
    });
    (StreamBody::new(pieces.boxed()), taken)
}

#[tokio::test]
async fn a_slow_reader_of_an_answer_slows_the_backend_down() {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let url = grpc_server(move |_| {
        let count = Arc::clone(&count);
        let pieces = stream::repeat_with(move || {
            count.fetch_add(PIECE, Ordering::SeqCst);
            Ok(Frame::data(Bytes::from_static(&[b'x'; PIECE])))
        });
        Response::new(StreamBody::new(pieces.boxed()))
    })
    .await;
    for url in [url.replace("h2c", "http"), url] {
        taken.store(0, Ordering::SeqCst);
        let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
        let mut plain = TcpStream::connect(stand.address).await.unwrap();
        plain
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        let over_http1 = at_rest(&taken).await;
        assert!(over_http1 < BOUND, "{over_http1}");

        let mut client = grpc_client(&stand).await;
        let nothing = stream::iter([]).boxed();
        let response = client.send_request(call(nothing)).await.unwrap();
        let both = at_rest(&taken).await;
        assert!(both < over_http1 + BOUND, "{both}");
        drop((plain, response));
    }
}

#[tokio::test]
async fn a_slow_reader_of_a_request_slows_the_client_down() {
    // Takes a connection and reads nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stand = Stand::new(&routes(&["Host(`a`)"], &url)).await;
    let mut client = grpc_client(&stand).await;
    let (body, taken) = endless();
    let mut request = call(stream::iter([]).boxed());
    *request.body_mut() = body;
    let sending = tokio::spawn(async move { client.send_request(request).await });
    let over_http2 = at_rest(&taken).await;
    assert!(over_http2 < BOUND, "{over_http2}");
    sending.abort();

    let mut plain = TcpStream::connect(stand.address).await.unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n";
        plain.write_all(head).await.unwrap();
        while let Ok(length) = plain.write(&[b'x'; PIECE]).await {
            count.fetch_add(length, Ordering::SeqCst);
        }
    });
    let over_http1 = at_rest(&written).await;
    assert!(over_http1 < BOUND, "{over_http1}");
    writing.abort();
    drop(listener);
}
