//! What must hold whatever a client sends: the functions of [`crate::fuzzing`].

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use carnet_config::install::EntryPoint;
use carnet_config::install::entry_points::{ForwardedHeaders, Transport};
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Uri};
use tokio::io::{AsyncRead, ReadBuf};

use super::forwarded::{self, Origin};
use super::path;
use super::proxy_protocol::{Beginning, judge};
use super::traffic::Traffic;
use super::wire::{self, Limits, Wire};
use crate::middleware::Connection;
use crate::room::Room;

/// Bytes that come in pieces.
struct Pieces<'a>(Vec<&'a [u8]>);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let pieces = &mut self.get_mut().0;
        while pieces.first().is_some_and(|piece| piece.is_empty()) {
            pieces.remove(0);
        }
        if let Some(piece) = pieces.first_mut() {
            let (now, later) = piece.split_at(piece.len().min(buffer.remaining()));
            buffer.put_slice(now);
            *piece = later;
        }
        Poll::Ready(Ok(()))
    }
}

/// What the parser gets of a connection, without the mark of a refusal, and whether there was one.
fn passed(pieces: Vec<&[u8]>) -> (Vec<u8>, bool) {
    let (mut passed, is_broken) = read(pieces);
    match passed.strip_suffix(wire::GARBAGE).map(<[u8]>::len) {
        Some(length) => {
            passed.truncate(length);
            (passed, true)
        }
        None => (passed, is_broken),
    }
}

fn read(pieces: Vec<&[u8]>) -> (Vec<u8>, bool) {
    let limits = Limits {
        head: 16 << 10,
        read: Duration::ZERO,
        write: Duration::ZERO,
        idle: Duration::ZERO,
    };
    let traffic = Arc::new(Traffic::new(&Transport::default()));
    let mut wire = pin!(Wire::new(Pieces(pieces), traffic, limits, &Room::of(None)));
    let mut cx = Context::from_waker(Waker::noop());
    let mut passed = Vec::new();
    loop {
        let mut space = [0; 4096];
        let mut buffer = ReadBuf::new(&mut space);
        match wire.as_mut().poll_read(&mut cx, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => return (passed, false),
            Poll::Ready(Ok(())) => passed.extend_from_slice(buffer.filled()),
            Poll::Ready(Err(_)) => return (passed, true),
            Poll::Pending => {}
        }
    }
}

/// A connection's bytes mean the same however they are cut. Of what is refused, more or less may
/// have passed when that shows.
pub fn request(bytes: &[u8]) {
    let (whole, is_refused) = passed(vec![bytes]);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for pieces in [bytes.chunks(1).collect(), vec![first, second]] {
        let (again, is_refused_again) = passed(pieces);
        assert_eq!(is_refused, is_refused_again, "pieces are judged otherwise");
        let is_alike = match is_refused {
            true => whole.starts_with(&again) || again.starts_with(&whole),
            false => whole == again,
        };
        assert!(is_alike, "pieces are read otherwise");
    }
}

/// Headers of a stranger, a line each: none of those that are ours comes through, in any spelling.
pub fn forwarded(lines: &str) {
    let mut headers = HeaderMap::new();
    for line in lines.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let name = HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.trim())) {
            headers.append(name, value);
        }
    }
    let Ok(peer) = "192.0.2.1:5000".parse() else {
        return;
    };
    let connection = Connection::new("web".into(), peer, None);
    let (host, server) = ("a.test", "gateway");
    let [host, server] = [host, server].map(HeaderValue::from_static);
    let origin = Origin {
        connection: &connection,
        host: &host,
        server: &server,
    };
    forwarded::forward(&mut headers, &origin, &ForwardedHeaders::default());
    let ours = [
        "x-real-ip",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-server",
    ];
    for name in ours {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
    }
    assert_eq!(headers.get("x-real-ip"), Some(connection.peer_ip()));
    for name in headers.keys().map(HeaderName::as_str) {
        let folded = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let is_ours = ours.contains(&name) || name == "x-forwarded-host";
        let is_alike = folded.starts_with("x-forwarded-for") && folded.len() == 15
            || ours.contains(&folded.as_str())
            || folded == "forwarded";
        assert!(is_ours || !is_alike, "{name} came through");
    }
}

/// A header of the PROXY protocol ends within the bytes that have come, and what it is does not
/// change when more of them come.
pub fn proxy_protocol(bytes: &[u8]) {
    let whole = judge(bytes);
    for length in 0..bytes.len().min(600) {
        match judge(&bytes[..length]) {
            Beginning::Undecided => {}
            Beginning::Header(end, client) => {
                assert!(end <= length, "it ends behind its bytes");
                assert_eq!(whole, Beginning::Header(end, client));
                return;
            }
            decided => {
                assert_eq!(whole, decided, "at {length} bytes");
                return;
            }
        }
    }
}

/// A cleaned target is clean, and leads nowhere but where it says.
pub fn target(text: &str) {
    let Ok(uri) = text.parse::<Uri>() else { return };
    let options = EntryPoint::at(":80");
    let Ok(clean) = path::clean(&uri, &options) else {
        return;
    };
    let clean = clean.unwrap_or(uri);
    let path = clean.path();
    assert!(path.starts_with('/'), "{path}");
    let hops = ["", ".", ".."];
    let mut inside = path.split('/').skip(1).peekable();
    while let Some(segment) = inside.next() {
        let is_last = inside.peek().is_none();
        assert!(
            !hops.contains(&segment) || is_last && segment.is_empty(),
            "{path}"
        );
    }
    let again = path::clean(&clean, &options).ok();
    let again = again.map(|again| again.unwrap_or_else(|| clean.clone()).to_string());
    assert_eq!(again, Some(clean.to_string()), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_hold_holds_for_the_seeds() {
        for seed in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 80\r\nGET",
            "X-Real-Ip: 1\nx_real_ip: 2\nConnection: x-real-ip",
            "/a/../b//%7e?x;y",
        ] {
            request(seed.as_bytes());
            forwarded(seed);
            proxy_protocol(seed.as_bytes());
            target(seed);
        }
    }

    #[test]
    fn an_empty_line_before_a_request_is_none_of_its_head_however_it_comes() {
        request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        request(b"POST / HTTP/1.1d\r\n\r\n\r\nHost: a\r\nTransfer: chunked\r\n\r\n0\r\n\r\n");
    }
}
