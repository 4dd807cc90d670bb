//! A request as a server saw it.

use crate::Fields;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Its fields.
    pub headers: Fields,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The request at the front of a buffer with its length; `None` while it is incomplete.
    pub(super) fn parse(buffer: &[u8]) -> Option<(Self, usize)> {
        let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
        let mut lines = text.split("\r\n");
        let mut line = lines.next()?.split(' ');
        let mut request = Self {
            method: line.next()?.to_owned(),
            target: line.next()?.to_owned(),
            headers: Fields::parse(lines),
            body: Vec::new(),
        };
        let start = head + 4;
        let length = match request.headers.only("content-length") {
            Some(length) => length.parse().ok()?,
            None => 0,
        };
        request.body = buffer.get(start..start + length)?.to_vec();
        Some((request, start + length))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_once_it_is_whole() {
        let bytes =
            b"POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nA: 1\r\na: 2\r\n\r\nokGET";
        assert_eq!(Request::parse(&bytes[..bytes.len() - 4]), None);
        let (request, length) = Request::parse(bytes).unwrap();
        assert_eq!(&bytes[length..], b"GET");
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/a?b")
        );
        assert_eq!(request.headers.all("A"), ["1", "2"]);
        assert_eq!(
            (request.headers.only("a"), request.headers.only("host")),
            (None, Some("x"))
        );
        assert_eq!(request.body, b"ok");
    }
}
