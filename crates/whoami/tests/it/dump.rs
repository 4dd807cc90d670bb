//! The text of `/`.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::server::{ask, ask_of, options, start};

#[tokio::test]
async fn lines_have_the_order_and_the_line_ends_of_the_original() {
    let answer = ask("GET /some/path?q=1 HTTP/1.1\r\n\
         x-real-ip: 10.0.0.1\r\nX-FORWARDED-FOR: 10.0.0.1\r\naccept: */*\r\n\
         Accept-Encoding: gzip\r\nuser-agent: curl/7.88.1\r\nHost: whoami.localhost\r\n\r\n")
    .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.has("Content-Type: text/plain; charset=utf-8"),
        "{:?}",
        answer.headers
    );
    assert_eq!(
        answer.text(),
        format!(
            "Hostname: box\n\
             RemoteAddr: 127.0.0.1:{}\n\
             GET /some/path?q=1 HTTP/1.1\r\n\
             Host: whoami.localhost\r\n\
             User-Agent: curl/7.88.1\r\n\
             Accept: */*\r\n\
             Accept-Encoding: gzip\r\n\
             X-Forwarded-For: 10.0.0.1\r\n\
             X-Real-Ip: 10.0.0.1\r\n\
             \r\n",
            answer.port
        )
    );
}

#[tokio::test]
async fn every_address_of_the_machine_has_a_line_between_hostname_and_peer() {
    let answer = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut lines = answer.body.lines();
    assert_eq!(lines.next(), Some("Hostname: box"));
    let addresses: Vec<IpAddr> = lines
        .map_while(|line| line.strip_prefix("IP: "))
        .map(|ip| ip.parse().unwrap())
        .collect();
    assert!(
        addresses.contains(&"127.0.0.1".parse().unwrap()),
        "{addresses:?}"
    );
}

#[tokio::test]
async fn a_name_comes_first() {
    let mut options = options();
    options.name = "blue".to_owned();
    let answer = ask_of(&start(options), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        answer.body.starts_with("Name: blue\nHostname: box\n"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_header_sent_twice_is_two_lines() {
    let answer = ask("GET / HTTP/1.1\r\nHost: a\r\nX-B: 2\r\nX-A: x\r\nX-B: 1\r\n\r\n").await;
    assert!(
        answer.body.ends_with("X-A: x\r\nX-B: 2\r\nX-B: 1\r\n\r\n"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn the_user_agent_is_gos_when_there_is_none_and_nothing_when_it_is_empty() {
    let absent = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let expected = "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Go-http-client/1.1\r\n\r\n";
    assert!(absent.body.ends_with(expected), "{}", absent.body);
    let empty = ask("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent:\r\n\r\n").await;
    assert!(
        empty.body.ends_with("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        "{}",
        empty.body
    );
}

#[tokio::test]
async fn a_body_follows_with_its_length_before_the_sorted_headers() {
    let answer = ask(
        "POST /x HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\nAccept: */*\r\n\
         Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
    )
    .await;
    let expected = "POST /x HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\nContent-Length: 5\r\n\
         Accept: */*\r\nContent-Type: text/plain\r\n\r\nhello";
    assert!(answer.body.ends_with(expected), "{}", answer.body);
}

#[tokio::test]
async fn a_method_that_usually_has_a_body_shows_that_it_is_empty() {
    for (method, line) in [("POST", "Content-Length: 0\r\n"), ("DELETE", "")] {
        let answer = ask(&format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let expected = format!("User-Agent: Go-http-client/1.1\r\n{line}\r\n");
        assert!(answer.body.ends_with(&expected), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_chunked_body_stays_chunked_with_its_trailers() {
    let answer = ask("PUT / HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\n\
         Transfer-Encoding: chunked\r\nX-A: 1\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n")
    .await;
    let expected = "PUT / HTTP/1.1\r\nHost: a\r\nUser-Agent: u\r\nTransfer-Encoding: chunked\r\n\
         X-A: 1\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n";
    assert!(answer.body.ends_with(expected), "{}", answer.body);
}

#[tokio::test]
async fn binary_bodies_make_the_answer_binary() {
    let answer = ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n\x00\x01").await;
    assert!(
        answer.has("Content-Type: application/octet-stream"),
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
async fn an_old_client_is_shown_in_the_words_of_today() {
    let answer = ask("GET / HTTP/1.0\r\nHost: a\r\nPragma: no-cache\r\n\r\n").await;
    let expected = "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Go-http-client/1.1\r\n\
         Connection: close\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\r\n";
    assert!(answer.body.ends_with(expected), "{}", answer.body);
}

#[tokio::test]
async fn the_environment_is_shown_to_who_asks_for_it() {
    let answer = ask("GET /?env=true HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        answer.body.ends_with("\r\n\r\nA=1=2\nB=<b>\n"),
        "{}",
        answer.body
    );
    let with_body = ask("POST /?env=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").await;
    assert!(
        with_body.body.ends_with("\r\n\r\nhiA=1=2\nB=<b>\n"),
        "{}",
        with_body.body
    );
    let unasked = ask("GET /?env=yes HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!unasked.body.contains("A=1=2"), "{}", unasked.body);
}

#[tokio::test(start_paused = true)]
async fn the_answer_waits_as_long_as_it_is_told() {
    let server = start(options());
    let before = Instant::now();
    let request = "GET /?wait=1h30m HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(ask_of(&server, request).await.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(5400));
}

#[tokio::test]
async fn a_stopped_application_ends() {
    let mut server = start(options());
    let answer = ask_of(&server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.status, 200);
    server.shutdown.cancel();
    (&mut server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_is_read_to_its_end_even_where_only_the_head_is_wanted() {
    let server = start(options());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    tokio::task::yield_now().await;
    let rest = b"2\r\nok\r\n0\r\n\r\nGET /bench HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(rest).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
}
