//! The JSON of `/api`, and `/bench`.

use crate::server::{ask, ask_of, options, start};

/// The document without the addresses of the machine.
fn without_addresses(body: &str) -> String {
    let (before, rest) = body.split_once(",\"ip\":[").unwrap();
    let (_, after) = rest.split_once(']').unwrap();
    format!("{before}{after}")
}

#[tokio::test]
async fn the_document_has_gos_order_and_escapes() {
    let answer = ask(
        "GET /api?a=1&b HTTP/1.1\r\nHost: who\r\nx-b: 2\r\nX-A: <&>\r\nX-B: 1\r\n\
         User-Agent: u\r\n\r\n",
    )
    .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.has("Content-Type: application/json"),
        "{:?}",
        answer.headers
    );
    assert_eq!(
        without_addresses(&answer.body),
        format!(
            concat!(
                r#"{{"hostname":"box","headers":{{"User-Agent":["u"],"#,
                r#""X-A":["\u003c\u0026\u003e"],"X-B":["2","1"]}},"url":"/api?a=1\u0026b","#,
                r#""host":"who","method":"GET","remoteAddr":"127.0.0.1:{}"}}"#,
                "\n"
            ),
            answer.port
        )
    );
}

#[tokio::test]
async fn name_and_environment_are_members_when_there_are_any() {
    let mut options = options();
    options.name = "blue".to_owned();
    let server = start(options);
    let answer = ask_of(&server, "GET /api?env=true HTTP/1.1\r\nHost: who\r\n\r\n").await;
    let expected = format!(
        concat!(
            r#""name":"blue","remoteAddr":"127.0.0.1:{}","#,
            r#""environ":{{"A":"1=2","B":"\u003cb\u003e"}}}}"#,
            "\n"
        ),
        answer.port
    );
    assert!(answer.body.ends_with(&expected), "{}", answer.body);
}

#[tokio::test]
async fn bench_is_one_byte() {
    let answer = ask("GET /bench HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "1"));
    assert!(answer.has("Connection: keep-alive"), "{:?}", answer.headers);
    assert!(
        answer.has("Content-Type: text/plain"),
        "{:?}",
        answer.headers
    );
}
