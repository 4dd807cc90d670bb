//! A request as a server saw it.

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The fields as they were written, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// All values of a field; its name in any case.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        let fields = self.headers.iter().filter(same);
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a field that is there once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.values(name).as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The request at the front of a buffer with its length; `None` while it is incomplete.
    pub(super) fn parse(buffer: &[u8]) -> Option<(Self, usize)> {
        let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
        let mut lines = text.split("\r\n");
        let mut line = lines.next()?.split(' ');
        let mut request = Self {
            method: line.next()?.to_owned(),
            target: line.next()?.to_owned(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
        };
        let start = head + 4;
        let length = match request.header("content-length") {
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
        assert_eq!(request.values("A"), ["1", "2"]);
        assert_eq!(
            (request.header("a"), request.header("host")),
            (None, Some("x"))
        );
        assert_eq!(request.body, b"ok");
    }
}
