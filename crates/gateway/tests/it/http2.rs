//! HTTP/2 with prior knowledge, on both sides.

use bytes::Bytes;
use http::{Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::stand::{Stand, Whoami, routes};

async fn connect(stand: &Stand) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(stand.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: Method, uri: &str) -> Request<Empty<Bytes>> {
    let builder = Request::builder()
        .method(method)
        .uri(uri)
        .version(Version::HTTP_2);
    builder.body(Empty::new()).unwrap()
}

#[tokio::test]
async fn requests_over_http2_are_routed_by_their_authority() {
    let whoami = Whoami::start();
    let stand = Stand::new(&routes(&["Host(`a.test`)"], &whoami.url)).await;
    let mut sender = connect(&stand).await;
    for _ in 0..2 {
        let asked = request(Method::GET, "http://a.test:8000/x?y");
        let response = sender.send_request(asked).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(
            text.contains("GET /x?y HTTP/1.1\r\nHost: a.test:8000\r\n"),
            "{text}"
        );
        assert!(text.contains("X-Forwarded-Port: 8000\r\n"), "{text}");
    }
    let response = sender
        .send_request(request(Method::GET, "http://b.test/"))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

// Holds H2-04, H2-07.
#[tokio::test]
async fn another_host_beside_the_authority_and_connect_are_refused() {
    let whoami = Whoami::start();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &whoami.url)).await;
    let mut sender = connect(&stand).await;
    let mut two = request(Method::GET, "http://a.test/");
    two.headers_mut().insert("host", "b.test".parse().unwrap());
    let response = sender.send_request(two).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let connect = request(Method::CONNECT, "a.test:443");
    let response = sender.send_request(connect).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn h2c_servers_are_spoken_to_in_http2() {
    let whoami = Whoami::start();
    let stand = Stand::new(&routes(
        &["Host(`a.test`)"],
        &whoami.url.replace("http", "h2c"),
    ))
    .await;
    let text = stand.get("a.test", &[]).await.text();
    assert!(text.contains("Host: a.test\r\n"), "{text}");
    assert!(text.contains("X-Forwarded-Host: a.test\r\n"), "{text}");
}
