//! What must hold whatever a server sends: a function of [`crate::fuzzing`].

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::answer::Answer;
use super::framing::Left;
use super::is_early;

/// What was read of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    status: StatusCode,
    keeps: bool,
    data: Vec<u8>,
    trailers: usize,
    is_over: bool,
    /// Bytes after its end.
    rest: Vec<u8>,
}

/// Reads an answer whose bytes come in pieces. `Ok(None)`: its head is not whole.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Option<Read>, ()> {
    let mut input = Bytes::new();
    let mut read: Option<(Read, Left)> = None;
    for piece in pieces {
        input = [&input, piece].concat().into();
        while read.is_none() && !input.is_empty() {
            let Some(answer) =
                Answer::take(&mut input, false, &mut HeaderMap::new()).map_err(drop)?
            else {
                break;
            };
            let status = answer.response.status();
            let keeps = answer.keeps;
            let (data, trailers, is_over, rest) = (Vec::new(), 0, false, Vec::new());
            let begun = Read {
                status,
                keeps,
                data,
                trailers,
                is_over,
                rest,
            };
            read = (!is_early(status)).then_some((begun, answer.left));
        }
        let Some((read, left)) = &mut read else {
            continue;
        };
        while let Some(frame) = left.take(&mut input).map_err(drop)? {
            match frame.into_data() {
                Ok(data) => read.data.extend_from_slice(&data),
                Err(frame) => read.trailers += frame.into_trailers().map_or(0, |it| it.len()),
            }
        }
    }
    Ok(read.map(|(mut read, left)| {
        read.is_over = left.is_over();
        read.rest = input.to_vec();
        read
    }))
}

/// An answer is read alike however its bytes come.
pub fn answer(bytes: &[u8]) {
    let whole = read([bytes].into_iter());
    assert_eq!(whole, read(bytes.chunks(1)));
    assert_eq!(whole, read(bytes.chunks(7)));
    if let Ok(Some(read)) = whole {
        assert!(read.data.len() <= bytes.len());
        assert!(read.is_over || read.rest.is_empty());
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};
    use proptest::sample::select;

    use super::*;

    /// What answers are made of, and what they are not.
    const PIECES: [&str; 18] = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 404 No\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "A: b\r\n",
        "\r\n",
        "0\r\n",
        "3\r\nabc\r\n",
        "5;x=y\r\n",
        "hello",
        "ffffffffffffffff\r\n",
        "\n",
        "\r",
        "\0",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn whatever_comes_is_read_alike_however_it_is_cut(
            begins in select(&PIECES[..4]),
            pieces in proptest::collection::vec(select(&PIECES[..]), 0..12),
        ) {
            answer(format!("{begins}{}", pieces.concat()).as_bytes());
        }
    }

    fn read_all(text: &str) -> Result<Option<Read>, ()> {
        answer(text.as_bytes());
        read([text.as_bytes()].into_iter())
    }

    /// The body of a whole answer, and what follows it.
    fn body(text: &str) -> (String, String) {
        let read = read_all(text).unwrap().unwrap();
        assert!(read.is_over, "{read:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(read.data), text(read.rest))
    }

    // Holds HT-34.
    #[test]
    fn a_body_ends_where_the_head_says() {
        for (fields, sent, data, rest) in [
            ("Content-Length: 2", "okHTTP/1.1", "ok", "HTTP/1.1"),
            ("Content-Length: 2\r\nContent-Length: 2", "ok", "ok", ""),
            ("Content-Length: 0", "EVIL", "", "EVIL"),
            (
                "Transfer-Encoding: chunked",
                "2\r\nok\r\n1;x\r\n!\r\n0\r\n\r\nEVIL",
                "ok!",
                "EVIL",
            ),
            (
                "Content-Length: 9\r\nTransfer-Encoding: gzip, Chunked",
                "2\r\nok\r\n0\r\n\r\n",
                "ok",
                "",
            ),
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{sent}");
            assert_eq!(body(&text), (data.to_owned(), rest.to_owned()), "{text}");
        }
    }

    // Holds HT-35.
    #[test]
    fn what_breaks_off_is_not_over() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n",
            "HTTP/1.1 200 OK\r\n\r\nok",
        ] {
            let read = read_all(text).unwrap().unwrap();
            assert!(!read.is_over && read.data == b"ok", "{text}: {read:?}");
        }
        assert_eq!(read_all("HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
        assert_eq!(read_all("HTTP/1.1 100 Continue\r\n\r\n"), Ok(None));
    }

    // Holds HT-36.
    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nab",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokEVIL",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 099 No\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "EVIL",
        ] {
            assert_eq!(read_all(text), Err(()), "{text}");
        }
        let fields = "A: b\r\n".repeat(101);
        assert_eq!(
            read_all(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")),
            Err(())
        );
        let long = "a".repeat(128 << 10);
        let long = format!("HTTP/1.1 200 OK\r\nA: {long}\r\n\r\n");
        assert_eq!(read([long.as_bytes()].into_iter()), Err(()));
    }

    #[test]
    fn trailers_are_read_and_a_connection_is_kept_where_it_may_be() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let text = format!("{chunked}2\r\nok\r\n0\r\nA: b\r\nC: d\r\n\r\n");
        let read = read_all(&text).unwrap().unwrap();
        assert_eq!((read.trailers, read.is_over), (2, true));
        for (head, keeps) in [
            ("HTTP/1.1 204 No Content", true),
            ("HTTP/1.1 204 No Content\r\nConnection: close", false),
            (
                "HTTP/1.1 204 No Content\r\nConnection: x\r\nConnection: y, Close",
                false,
            ),
            ("HTTP/1.0 204 No Content", false),
            ("HTTP/1.0 204 No Content\r\nConnection: keep-alive", true),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive", false),
            ("HTTP/1.1 101 Switching Protocols", false),
        ] {
            let read = read_all(&format!("{head}\r\n\r\n")).unwrap().unwrap();
            assert_eq!(read.keeps, keeps, "{head}");
        }
    }
}
