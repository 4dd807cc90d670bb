//! The status of `/health`.

use crate::server::{ask_of, options, start};

#[tokio::test]
async fn health_answers_the_status_that_was_set() {
    let server = start(options());
    let get = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let before = ask_of(&server, get).await;
    assert_eq!((before.status, before.body.as_str()), (200, ""));
    let post = "POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n503";
    assert_eq!(ask_of(&server, post).await.status, 200);
    assert_eq!(ask_of(&server, get).await.status, 503);
}

#[tokio::test]
async fn what_is_no_status_is_refused_and_changes_nothing() {
    let server = start(options());
    for body in ["", "x", "\"500\"", "99", "100", "1000", "2.5"] {
        let length = body.len();
        let answer = ask_of(
            &server,
            &format!("POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"),
        )
        .await;
        assert_eq!(answer.status, 400, "{body}");
        let get = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(ask_of(&server, get).await.status, 200);
    }
}
