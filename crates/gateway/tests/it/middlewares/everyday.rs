//! `contentType`, `encodedCharacters`, `ipWhiteList`, `grpcWeb`.

use std::convert::Infallible;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::{Guarded, chunks, document};
use crate::stand::Stand;

#[tokio::test]
async fn an_answer_without_a_type_gets_that_of_its_content() {
    let content: [(&[u8], Option<&str>); 10] = [
        (b"<html><body>", Some("text/html; charset=utf-8")),
        (b" \n<!doctype html>", Some("text/html; charset=utf-8")),
        (b"<?xml version='1.0'?>", Some("text/xml; charset=utf-8")),
        (b"{\"a\": 1}", Some("text/plain; charset=utf-8")),
        (b"%PDF-1.4", Some("application/pdf")),
        (b"\x89PNG\r\n\x1a\n", Some("image/png")),
        (b"RIFF\0\0\0\0WEBPVP", Some("image/webp")),
        (b"\0\0\0\x10ftypmp42\0\0\0\0", Some("video/mp4")),
        (b"\x01\x02", Some("application/octet-stream")),
        (b"", None),
    ];
    for (body, media_type) in content {
        let answer = Answer::Response {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
        };
        let backend = Server::start(move |_| answer.clone()).await.unwrap();
        let stand = Stand::new(&document(&["{contentType: {}}"], &backend.url(""))).await;
        let response = stand.get("a.test", &[]).await;
        assert_eq!(
            response.headers.only("content-type"),
            media_type,
            "{body:?}"
        );
        assert_eq!(response.body, body);
        let yaml = document(&["{contentType: {autoDetect: false}}"], &backend.url(""));
        let response = Stand::new(&yaml).await.get("a.test", &[]).await;
        assert_eq!(response.headers.only("content-type"), None);
    }
    let backend = Server::start(|_| Answer::text(200, "<html>"))
        .await
        .unwrap();
    let stand = Stand::new(&document(&["{contentType: {}}"], &backend.url(""))).await;
    let response = stand.get("a.test", &[]).await;
    assert_eq!(response.headers.only("content-type"), Some("text/plain"));
    // What is packed says nothing of what it holds.
    let packed = Answer::Bytes(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 6\r\n\r\n<html>".to_vec(),
    );
    let backend = Server::start(move |_| packed.clone()).await.unwrap();
    let stand = Stand::new(&document(&["{contentType: {}}"], &backend.url(""))).await;
    let response = stand.get("a.test", &[]).await;
    assert_eq!(response.headers.only("content-type"), None);
}

#[tokio::test]
async fn encoded_characters_pass_where_they_are_allowed_by_name() {
    let characters = [
        ("%2F", "Slash"),
        ("%5c", "BackSlash"),
        ("%00", "NullCharacter"),
        ("%3b", "Semicolon"),
        ("%25", "Percent"),
        ("%3F", "QuestionMark"),
        ("%23", "Hash"),
    ];
    let none = Guarded::by(&["{encodedCharacters: {}}"]).await;
    for (encoded, name) in characters {
        let head = format!("GET /a{encoded}b HTTP/1.1\nHost: a.test");
        let response = none.ask(&head).await;
        assert_eq!((response.status, response.text().as_str()), (400, ""));
        let options = format!("{{encodedCharacters: {{allowEncoded{name}: true}}}}");
        let one = Guarded::by(&[&options]).await;
        assert_eq!(one.ask(&head).await.status, 200, "{name}");
        let others = characters.iter().filter(|(other, _)| *other != encoded);
        for (other, _) in others {
            let head = format!("GET /a{encoded}{other} HTTP/1.1\nHost: a.test");
            assert_eq!(one.ask(&head).await.status, 400, "{name} {other}");
        }
    }
    let plain = "GET /a/b;c%20d?e=%2F HTTP/1.1\nHost: a.test";
    assert_eq!(none.ask(plain).await.status, 200);
}

#[tokio::test]
async fn the_old_name_of_ip_allow_list_does_the_same() {
    for (options, status) in [
        ("{ipWhiteList: {sourceRange: [127.0.0.1]}}", 200),
        ("{ipWhiteList: {sourceRange: [10.0.0.1]}}", 403),
        (
            "{ipWhiteList: {sourceRange: [127.0.0.1], ipStrategy: {depth: 1}}}",
            403,
        ),
        ("{ipWhiteList: {sourceRange: []}}", 503),
        (
            "{ipWhiteList: {sourceRange: [10.0.0.1], rejectStatusCode: 404}}",
            503,
        ),
    ] {
        let gateway = Guarded::by(&[options]).await;
        let forged = gateway.status("\nX-Forwarded-For: 127.0.0.1").await;
        assert_eq!(forged, status, "{options}");
    }
}

/// A gRPC server without TLS that gives each message back; its URL.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: http::Request<hyper::body::Incoming>| async {
                assert_eq!(request.headers()["content-type"], "application/grpc+proto");
                assert_eq!(request.headers()["te"], "trailers");
                let message = request.into_body().collect().await.unwrap().to_bytes();
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().unwrap());
                let frames = [Frame::data(message), Frame::trailers(trailers)];
                let frames = futures_util::stream::iter(frames.map(Ok::<_, Infallible>));
                let mut response = http::Response::new(StreamBody::new(frames));
                let media_type = "application/grpc+proto".parse().unwrap();
                response.headers_mut().insert("content-type", media_type);
                Ok::<_, Infallible>(response)
            });
            let server = http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(socket), service));
        }
    });
    url
}

#[tokio::test]
async fn a_browser_gets_the_trailers_of_a_call_as_its_last_message() {
    let options = "{grpcWeb: {allowOrigins: ['https://a.test']}}";
    let stand = Stand::new(&document(&[options], &echo().await)).await;
    let call = |media_type: &str, body: &str, origin: &str| {
        format!(
            "POST /s/m HTTP/1.1\r\nHost: a.test\r\nOrigin: {origin}\r\nContent-Type: {media_type}\
             \r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let message = "\0\0\0\0\u{3}abc";
    let end = "\u{80}\0\0\0\u{10}grpc-status: 0\r\n";
    let end: Vec<u8> = end
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let asked = call("application/grpc-web+proto", message, "https://a.test");
    let response = stand.send(&asked).await;
    assert_eq!(response.status, 200);
    assert_eq!(
        response.headers.only("content-type"),
        Some("application/grpc-web+proto")
    );
    assert_eq!(
        response.headers.only("access-control-allow-origin"),
        Some("https://a.test")
    );
    let body = chunks(&mut response.body.clone()).concat();
    assert_eq!(body, [message.as_bytes(), &end].concat());

    let text = "AAAAAANhYmM=";
    let asked = call("application/grpc-web-text+proto", text, "https://b.test");
    let response = stand.send(&asked).await;
    assert_eq!(
        response.headers.only("content-type"),
        Some("application/grpc-web-text+proto")
    );
    assert_eq!(response.headers.only("access-control-allow-origin"), None);
    let body = chunks(&mut response.body.clone()).concat();
    let expected = format!("{text}gAAAABBncnBjLXN0YXR1czogMA0K");
    assert_eq!(body, expected.as_bytes());
}

#[tokio::test]
async fn a_browser_is_told_which_scripts_may_call() {
    let gateway = Guarded::by(&["{grpcWeb: {allowOrigins: ['https://a.test']}}"]).await;
    for (origin, allowed) in [
        ("https://a.test", Some("https://a.test")),
        ("https://b.test", None),
    ] {
        let head = format!(
            "OPTIONS /s/m HTTP/1.1\nHost: a.test\nOrigin: {origin}\n\
             Access-Control-Request-Method: POST\n\
             Access-Control-Request-Headers: content-type,x-grpc-web"
        );
        let response = gateway.ask(&head).await;
        assert_eq!((response.status, response.text().as_str()), (204, ""));
        assert_eq!(
            response.headers.only("access-control-allow-origin"),
            allowed
        );
    }
    // What is no such call passes.
    assert_eq!(gateway.status("").await, 200);
}
