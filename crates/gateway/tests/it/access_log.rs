//! One line a request.

use std::collections::BTreeMap;
use std::time::Duration;

use carnet_config::install::AccessLog;
use carnet_config::install::observability::{AccessLogFormat, FieldMode};
use carnet_testkit::Server;
use carnet_testkit::server::Answer;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::stand::{Plan, Stand, routes};

async fn stand(options: AccessLog, url: &str) -> Stand {
    let plan = Plan {
        access_log: Some(options),
        ..Plan::default()
    };
    Stand::planned(plan, &routes(&["Host(`a`)"], url)).await
}

/// The line without its milliseconds.
fn without_time(line: &str) -> &str {
    line.trim_end().rsplit_once(' ').unwrap().0
}

#[tokio::test]
async fn the_common_format_is_traefiks() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    let url = backend.url("");
    let stand = stand(AccessLog::default(), &url).await;
    stand
        .ask("GET /x?y=1 HTTP/1.1\nHost: a\nUser-Agent: curl")
        .await;
    stand.ask("GET / HTTP/1.1\nHost: b").await;
    let log = stand.logged().await;
    let lines: Vec<_> = log.lines().map(without_time).collect();
    assert_eq!(
        lines,
        [
            format!("127.0.0.1 - - [26/Nov/2026:12:00:00 +0000] \"GET /x?y=1 HTTP/1.1\" 200 5 \"-\" \"-\" 1 \"r0@file\" \"{url}\""),
            "127.0.0.1 - - [26/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 404 19 \"-\" \"-\" 2 \"-\" \"-\"".to_owned(),
        ]
    );
    assert!(log.lines().all(|line| line.ends_with("ms")));
}

#[tokio::test]
async fn the_generic_format_ends_with_the_user_agent() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    let mut options = AccessLog {
        format: AccessLogFormat::GenericClf,
        ..AccessLog::default()
    };
    options.fields.headers_default_mode = FieldMode::Keep;
    let stand = stand(options, &backend.url("")).await;
    stand
        .ask("GET / HTTP/1.1\nHost: a\nUser-Agent: a\"b\nReferer: http://r/")
        .await;
    let log = stand.logged().await;
    assert!(
        log.ends_with("\"GET / HTTP/1.1\" 200 5 \"http://r/\" \"a\\\"b\"\n"),
        "{log}"
    );
}

/// Fields of the JSON format and their values.
const TEXTS: &[(&str, &str)] = &[
    ("ClientHost", "127.0.0.1"),
    ("ClientPort", "REDACTED"),
    ("ClientUsername", "-"),
    ("RequestHost", "a"),
    ("RequestMethod", "POST"),
    ("RequestPath", "/x"),
    ("RequestProtocol", "HTTP/1.1"),
    ("RequestScheme", "http"),
    ("RouterName", "r0@file"),
    ("ServiceName", "s@file"),
    ("StartUTC", "2026-11-26T12:00:00Z"),
    ("request_X-A", "1"),
    ("request_Authorization", "REDACTED"),
    ("origin_Content-Type", "text/plain"),
    ("downstream_Set-Cookie", "REDACTED"),
    ("entryPointName", "web"),
    ("level", "info"),
    ("msg", ""),
    ("time", "2026-11-26T12:00:00Z"),
];

#[tokio::test]
async fn json_has_traefiks_fields_and_no_credentials() {
    let backend = Server::start(|_| Answer::text(201, "hello").with("Set-Cookie", "s=secret"))
        .await
        .unwrap();
    let mut options = AccessLog {
        format: AccessLogFormat::Json,
        ..AccessLog::default()
    };
    options.fields.headers_default_mode = FieldMode::Keep;
    options.fields.names = BTreeMap::from([
        ("RequestPort".to_owned(), FieldMode::Drop),
        ("ClientPort".to_owned(), FieldMode::Redact),
    ]);
    let stand = stand(options, &backend.url("")).await;
    let head = "POST /x HTTP/1.1\nHost: a\nAuthorization: Basic c2VjcmV0\nCookie: c=secret\nX-A: 1\nContent-Length: 0";
    stand.ask(head).await;
    let log = stand.logged().await;
    assert!(
        !log.contains("secret") && !log.contains("c2VjcmV0"),
        "{log}"
    );
    let line: Value = serde_json::from_str(&log).unwrap();
    for (name, value) in TEXTS {
        assert_eq!(line[name], *value, "{name}");
    }
    assert_eq!(line["ServiceURL"], backend.url(""));
    for (name, value) in [
        ("DownstreamStatus", 201),
        ("OriginStatus", 201),
        ("DownstreamContentSize", 5),
        ("RequestCount", 1),
        ("RetryAttempts", 0),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    assert!(line["Duration"].is_u64() && line["OriginDuration"].is_u64());
    assert_eq!(line.get("RequestPort"), None);
}

#[tokio::test]
async fn filters_let_through_what_any_of_them_wants() {
    let mut options = AccessLog::default();
    options.filters.status_codes = vec![(500, 599)];
    let stand = stand(options, "http://127.0.0.1:1").await;
    stand.ask("GET /missing HTTP/1.1\nHost: b").await;
    stand.ask("GET /broken HTTP/1.1\nHost: a").await;
    let log = stand.logged().await;
    assert_eq!(log.lines().count(), 1);
    assert!(log.contains("/broken"), "{log}");
}

#[tokio::test]
async fn a_client_that_leaves_is_logged_with_499() {
    let backend = Server::start(|_| Answer::Hang).await.unwrap();
    let stand = stand(AccessLog::default(), &backend.url("")).await;
    let mut client = TcpStream::connect(stand.address).await.unwrap();
    client
        .write_all(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    backend.asked(1).await;
    drop(client);
    let log = stand.logged().await;
    assert!(log.contains("\"GET /gone HTTP/1.1\" 499 0 "), "{log}");
}

#[tokio::test]
async fn lines_wait_for_the_buffer_and_are_written_at_the_end() {
    let options = AccessLog {
        buffering_size: 10,
        ..AccessLog::default()
    };
    let stand = stand(options, "http://127.0.0.1:1").await;
    stand.ask("GET / HTTP/1.1\nHost: b").await;
    assert_eq!(stand.log.text(), "");
    assert_eq!(stand.logged().await.lines().count(), 1);
}

#[tokio::test]
async fn a_line_stays_one_line() {
    let mut options = AccessLog::default();
    options.fields.headers_default_mode = FieldMode::Keep;
    let stand = stand(options, "http://127.0.0.1:1").await;
    stand
        .ask("GET /a%0Ab HTTP/1.1\nHost: b\nUser-Agent: a\tb")
        .await;
    let log = stand.logged().await;
    assert_eq!(log.lines().count(), 1);
    assert!(log.contains("/a%0Ab") && log.contains("a\\tb"), "{log}");
}

// Holds SE-06.
#[tokio::test]
async fn one_request_is_one_line_whatever_was_sent() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    for format in [
        AccessLogFormat::Common,
        AccessLogFormat::GenericClf,
        AccessLogFormat::Json,
    ] {
        let mut options = AccessLog {
            format,
            ..AccessLog::default()
        };
        options.fields.headers_default_mode = FieldMode::Keep;
        let stand = stand(options, &backend.url("")).await;
        let hostile = "\"\\ \u{85}\u{2028} \t\u{9b}31m {\"a\":1} %0a%1b";
        stand
            .ask(&format!(
                "GET /%0a%1b[31m?x=%0d HTTP/1.1\nHost: a\nUser-Agent: {hostile}\nX-A: {hostile}"
            ))
            .await;
        stand.ask("GET / HTTP/1.1\nHost: a").await;
        let log = stand.logged().await;
        assert_eq!(log.lines().count(), 2, "{format:?}: {log}");
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!log.contains(control), "{format:?}: {log:?}");
        if format == AccessLogFormat::Json {
            for line in log.lines() {
                serde_json::from_str::<Value>(line).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_line_does_not_wait_for_others_for_ever() {
    let backend = Server::start(|_| Answer::text(200, "hello")).await.unwrap();
    let options = AccessLog {
        buffering_size: 100,
        ..AccessLog::default()
    };
    let stand = stand(options, &backend.url("")).await;
    stand.ask("GET /waits HTTP/1.1\nHost: a").await;
    assert_eq!(stand.log.text(), "");
    let written = async {
        while !stand.log.text().contains("/waits") {
            tokio::task::yield_now().await;
        }
    };
    let deadline = Duration::from_secs(10);
    tokio::time::timeout(deadline, written).await.unwrap();
}
