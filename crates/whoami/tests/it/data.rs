//! The bytes of `/data`.

use crate::server::ask;

#[tokio::test]
async fn one_gets_as_many_bytes_as_one_asks_for() {
    for (query, length) in [
        ("", 0),
        ("?size=0", 0),
        ("?size=-3", 0),
        ("?size=x", 0),
        ("?size=2", 2),
        ("?size=60", 60),
        ("?size=1&unit=KB", 1024),
        ("?size=2&unit=mb", 2 << 20),
    ] {
        let answer = ask(&format!("GET /data{query} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!((answer.status, answer.body.len()), (200, length), "{query}");
    }
}

#[tokio::test]
async fn the_alphabet_lies_between_bars() {
    let answer = ask("GET /data?size=30 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.body, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ-A|");
    assert!(
        answer.has("Content-Type: text/plain; charset=utf-8"),
        "{:?}",
        answer.headers
    );
}

#[tokio::test]
async fn an_attachment_can_be_asked_for_in_ranges() {
    for (range, status, content_range, body) in [
        ("", 200, None, "|ABCDEFG|"),
        ("Range: bytes=0-2\r\n", 206, Some("bytes 0-2/9"), "|AB"),
        ("Range: bytes=7-\r\n", 206, Some("bytes 7-8/9"), "G|"),
        ("Range: bytes=-3\r\n", 206, Some("bytes 6-8/9"), "FG|"),
        ("Range: bytes=5-99\r\n", 206, Some("bytes 5-8/9"), "EFG|"),
        ("Range: bytes=0-1,3-4\r\n", 200, None, "|ABCDEFG|"),
        (
            "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n",
            200,
            None,
            "|ABCDEFG|",
        ),
        ("Range: lines=0-1\r\n", 200, None, "|ABCDEFG|"),
        (
            "Range: bytes=9-\r\n",
            416,
            Some("bytes */9"),
            "invalid range: failed to overlap\n",
        ),
    ] {
        let answer = ask(&format!(
            "GET /data?size=10&attachment=true HTTP/1.1\r\nHost: a\r\n{range}\r\n"
        ))
        .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{range}"
        );
        let line = content_range.map(|value| format!("Content-Range: {value}"));
        assert!(
            line.is_none_or(|line| answer.has(&line)),
            "{range}: {:?}",
            answer.headers
        );
        let attached = answer.has("Content-Disposition: Attachment");
        assert_eq!(attached, status != 416, "{range}");
    }
}
