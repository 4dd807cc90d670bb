//! One request to one backend and its answer back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::stand::{Stand, Whoami, routes};

/// Made by `printf hellohellohello | gzip -9n`.
const PACKED: &[u8] = include_bytes!("packed.gz");

async fn stand_before(backend: &Server) -> Stand {
    Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url(""))).await
}

#[tokio::test]
async fn the_path_goes_as_it_was_cleaned_and_the_query_with_ampersands() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = stand_before(&backend).await;
    stand
        .ask("GET /a/../b//%7Ec%2f%20?x=1;y=%zz&z HTTP/1.1\nHost: a")
        .await;
    assert_eq!(backend.seen()[0].target, "/b/~c%2F%20?x=1&y=%zz&z");
}

#[tokio::test]
async fn the_path_of_a_server_counts_only_when_preserved() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let yaml = |preserve: bool| {
        format!(
            "http: {{routers: {{r: {{rule: 'Host(`a`)', service: s}}}}, services: {{s: {{loadBalancer: \
             {{servers: [{{url: '{}/base/', preservePath: {preserve}}}]}}}}}}}}",
            backend.url("")
        )
    };
    let stand = Stand::new(&yaml(false)).await;
    stand.ask("GET /x HTTP/1.1\nHost: a").await;
    stand.apply(&yaml(true));
    stand.ask("GET /x HTTP/1.1\nHost: a").await;
    let targets: Vec<_> = backend.seen().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, ["/x", "/base/x"]);
}

#[tokio::test]
async fn the_host_is_the_clients_unless_told_otherwise() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let yaml = |pass: bool| {
        format!(
            "http: {{routers: {{r: {{rule: 'Host(`a`)', service: s}}}}, services: {{s: {{loadBalancer: \
             {{passHostHeader: {pass}, servers: [{{url: '{}'}}]}}}}}}}}",
            backend.url("")
        )
    };
    let stand = Stand::new(&yaml(true)).await;
    stand.ask("GET / HTTP/1.1\nHost: a:80").await;
    stand.apply(&yaml(false));
    stand.ask("GET / HTTP/1.1\nHost: a:80").await;
    let seen = backend.seen();
    assert_eq!(seen[0].headers.only("Host"), Some("a:80"));
    assert_eq!(
        seen[1].headers.only("Host"),
        Some(backend.address().to_string().as_str())
    );
}

#[tokio::test]
async fn bodies_go_both_ways() {
    let backend = Server::start(|request| Answer::Response {
        status: 201,
        headers: vec![],
        body: request.body.clone(),
    })
    .await
    .unwrap();
    let stand = stand_before(&backend).await;
    let body = "x".repeat(300_000);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n";
    let response = stand.send(&format!("{head}{body}")).await;
    assert_eq!((response.status, response.text().len()), (201, 300_000));
}

#[tokio::test]
async fn a_body_in_chunks_goes_on_whatever_the_method() {
    let backend = Whoami::start();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url)).await;
    for method in ["GET", "DELETE", "POST"] {
        let head = "HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked";
        let request = format!("{method} / {head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let echo = stand.send(&request).await;
        assert!(echo.text().contains("hello"), "{method}: {}", echo.text());
    }
}

#[tokio::test]
async fn a_body_that_is_no_http_is_the_clients_fault() {
    let backend = Whoami::start();
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &backend.url)).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let response = stand.send(&format!("{head}zz\r\n")).await;
    assert_eq!(
        (response.status, response.text().as_str()),
        (400, "Bad Request")
    );
}

#[tokio::test]
async fn who_names_no_host_asks_for_the_servers() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = stand_before(&backend).await;
    stand.send("GET / HTTP/1.0\r\n\r\n").await;
    let seen = backend.seen().pop().unwrap();
    let own = backend.address().to_string();
    assert_eq!(seen.headers.only("Host"), Some(own.as_str()));
    assert!(seen.headers.all("X-Forwarded-Host").is_empty());
}

#[tokio::test]
async fn a_user_agent_is_never_invented_and_never_empty() {
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = stand_before(&backend).await;
    for (field, sent) in [
        ("", vec![]),
        ("\nUser-Agent:", vec![]),
        ("\nUser-Agent: a/1", vec!["a/1"]),
    ] {
        stand.ask(&format!("GET / HTTP/1.1\nHost: a{field}")).await;
        let seen = backend.seen().pop().unwrap();
        assert_eq!(seen.headers.all("User-Agent"), sent, "{field}");
    }
}

// Holds HT-21, HI-18.
#[tokio::test]
async fn hop_by_hop_headers_of_the_backend_stay_on_its_side() {
    let backend = Server::start(|_| {
        Answer::text(401, "no")
            .with("Connection", "x-hop")
            .with("X-Hop", "1")
            .with("Keep-Alive", "timeout=5")
            .with("WWW-Authenticate", "Negotiate")
            .with("WWW-Authenticate", "Basic realm=\"b\"")
    })
    .await
    .unwrap();
    let stand = stand_before(&backend).await;
    let response = stand.ask("GET / HTTP/1.1\nHost: a").await;
    assert!(response.headers.all("X-Hop").is_empty());
    assert!(response.headers.all("Keep-Alive").is_empty());
    assert_eq!(
        response.headers.all("WWW-Authenticate"),
        ["Negotiate", "Basic realm=\"b\""]
    );
}

// Holds DO-09, HT-33.
#[tokio::test]
async fn gzip_is_unpacked_only_where_the_client_asked_for_nothing() {
    let backend = Server::start(|_| Answer::Response {
        status: 200,
        headers: vec![("Content-Encoding".to_owned(), "gzip".to_owned())],
        body: PACKED.to_vec(),
    })
    .await
    .unwrap();
    let stand = stand_before(&backend).await;
    let plain = stand.ask("GET / HTTP/1.1\nHost: a").await;
    assert_eq!(plain.headers.all("Content-Encoding"), Vec::<&str>::new());
    assert_eq!(plain.headers.all("Content-Length"), Vec::<&str>::new());
    assert!(plain.text().contains("hellohellohello"), "{}", plain.text());

    let own = stand
        .ask("GET / HTTP/1.1\nHost: a\nAccept-Encoding: gzip")
        .await;
    assert_eq!(own.headers.only("Content-Encoding"), Some("gzip"));
    assert_eq!(own.body, PACKED);

    for head in [
        "HEAD / HTTP/1.1\nHost: a",
        "GET / HTTP/1.1\nHost: a\nRange: bytes=0-1",
    ] {
        stand.ask(head).await;
        let asked = backend.seen().pop().unwrap();
        assert!(asked.headers.all("Accept-Encoding").is_empty(), "{head}");
    }
}

/// A server that takes one connection a time and answers each request on it by these bytes.
async fn scripted(answers: Vec<&'static [u8]>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut answers = answers.into_iter();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                assert!(length > 0);
                count.fetch_add(1, Ordering::SeqCst);
                match answers.next() {
                    Some(answer) if !answer.is_empty() => stream.write_all(answer).await.unwrap(),
                    // Reads the request, answers nothing and closes.
                    _ => break,
                }
            }
        }
    });
    (url, requests)
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Holds HT-30.
#[tokio::test]
async fn a_stale_connection_is_tried_once_more_for_idempotent_requests_only() {
    // The first request warms the pool, the second meets a close, the third is the repetition.
    let (url, requests) = scripted(vec![OK, b"", OK, b"", b"never"]).await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    assert_eq!(stand.ask("GET / HTTP/1.1\nHost: a").await.status, 200);
    assert_eq!(stand.ask("GET / HTTP/1.1\nHost: a").await.status, 200);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
    let post = stand
        .ask("POST / HTTP/1.1\nHost: a\nContent-Length: 0")
        .await;
    assert_eq!(post.status, 502);
    assert_eq!(requests.load(Ordering::SeqCst), 4);
}

// Holds HT-29.
#[tokio::test]
async fn who_comes_while_a_body_is_still_sent_does_not_wait_for_its_end() {
    // This backend answers before it has read the body.
    let backend = Server::start(|_| Answer::text(200, "ok")).await.unwrap();
    let stand = stand_before(&backend).await;
    let mut early = TcpStream::connect(stand.address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
    early.write_all(head).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok") {
        answer.push(early.read_u8().await.unwrap());
    }
    for _ in 0..3 {
        let answer = stand.ask("GET / HTTP/1.1\nHost: a").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    }
}

// Holds HT-31, CVE-2023-47633.
#[tokio::test]
async fn a_route_that_leads_back_to_the_gateway_ends_soon() {
    let stand = Stand::new("http: {}").await;
    for scheme in ["http", "h2c"] {
        let url = format!("{scheme}://{}", stand.address);
        stand.apply(&routes(&["Host(`a`)"], &url));
        let begun = tokio::time::Instant::now();
        assert_eq!(
            stand.ask("GET / HTTP/1.1\nHost: a").await.status,
            508,
            "{scheme}"
        );
        let forged = stand.ask("GET / HTTP/1.1\nHost: a\nX-Carnet-Hops: 0").await;
        assert_eq!(forged.status, 508, "{scheme}");
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
    // No backend is told.
    let backend = Server::start(|_| Answer::text(200, "")).await.unwrap();
    let stand = stand_before(&backend).await;
    stand.ask("GET / HTTP/1.1\nHost: a\nX-Carnet-Hops: 3").await;
    assert!(backend.seen()[0].headers.all("X-Carnet-Hops").is_empty());
}

// Holds HT-36.
#[tokio::test]
async fn a_malformed_answer_is_a_502() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ] {
        let (url, _) = scripted(vec![answer]).await;
        let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
        let response = stand.ask("GET / HTTP/1.1\nHost: a").await;
        assert_eq!(response.status, 502, "{}", String::from_utf8_lossy(answer));
    }
}

// Holds HT-35.
#[tokio::test]
async fn an_answer_that_breaks_off_is_no_clean_end() {
    let backend = Server::start(|_| {
        let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        Answer::Bytes(half.into())
    })
    .await
    .unwrap();
    let stand = stand_before(&backend).await;
    let response = stand.ask("GET / HTTP/1.1\nHost: a").await;
    assert_eq!(response.text(), "5\r\nhello\r\n");
}

// Holds HT-24.
#[tokio::test]
async fn a_body_that_is_expected_waits_for_the_backends_word() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let backend = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .unwrap();
        let mut body = [0; 5];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(OK).await.unwrap();
        (String::from_utf8(head).unwrap(), body)
    });
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut go = [0; 25];
    client.read_exact(&mut go).await.unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"hello").await.unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200"), "{rest}");
    let (head, body) = backend.await.unwrap();
    assert!(head.contains("Expect: 100-continue\r\n"), "{head}");
    assert_eq!(&body, b"hello");
}

// Holds HT-24.
#[tokio::test]
async fn a_refusal_before_the_body_reaches_the_client() {
    let (url, _) = scripted(vec![b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"]).await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
    let response = stand.send(head).await;
    assert_eq!(response.status, 401);
}

#[tokio::test]
async fn trailers_pass() {
    let (url, _) = scripted(vec![
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
    ])
    .await;
    let stand = Stand::new(&routes(&["PathPrefix(`/`)"], &url)).await;
    let response = stand.ask("GET / HTTP/1.1\nHost: a\nTE: trailers").await;
    assert!(
        response.text().to_lowercase().contains("x-sum: 7"),
        "{}",
        response.text()
    );
}
