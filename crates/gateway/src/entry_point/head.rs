//! A request's head as it stands on the wire, before the parser forgives it anything. What two
//! parsers could read in two ways is refused (RFC 9112 sections 2.2, 5.2, 6.1, 6.3 and 3.2).

/// How the body that follows a head is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// What a head says that matters here.
#[derive(Debug, Default)]
struct Findings<'a> {
    hosts: usize,
    length: Option<u64>,
    coding: Option<&'a [u8]>,
}

/// The length of the head that these bytes begin with, its empty line included; `None`: it is not
/// whole.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut ends = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
    ends.find(|end| bytes[..*end].ends_with(b"\r\n\r\n"))
}

/// Judges a head, from the request line to the empty line. `None`: refuse it.
pub(super) fn judge(head: &[u8]) -> Option<Framing> {
    let head = head.strip_suffix(b"\r\n\r\n")?;
    if has_stray_line_end(head) {
        return None;
    }
    let mut lines = lines(head);
    let request_line = lines.next()?;
    // A fragment is the client's own business; one on the wire hides something.
    if request_line.contains(&b'#') {
        return None;
    }
    let is_1_1 = request_line.ends_with(b" HTTP/1.1");
    let mut findings = Findings::default();
    for line in lines {
        findings.read(line)?;
    }
    if is_1_1 && findings.hosts != 1 || findings.hosts > 1 {
        return None;
    }
    match (findings.coding, findings.length) {
        (None, None) => Some(Framing::None),
        (None, Some(length)) => Some(Framing::Length(length)),
        (Some(coding), None) if is_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
            Some(Framing::Chunked)
        }
        _ => None,
    }
}

impl<'a> Findings<'a> {
    /// Reads a field line; `None`: refuse it.
    fn read(&mut self, line: &'a [u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // A folded line begins with a space, a name never holds one.
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = decimal(value)?;
            if self.length.is_some_and(|before| before != length) {
                return None;
            }
            self.length = Some(length);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.coding.is_some() {
                return None;
            }
            self.coding = Some(value);
        }
        Some(())
    }
}

/// `1*DIGIT`, without signs, spaces, lists or leading zeros beyond reason.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number =
        !digits.is_empty() && digits.len() <= 19 && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        digits
            .iter()
            .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
    })
}

/// A carriage return or a line feed without the other.
fn has_stray_line_end(head: &[u8]) -> bool {
    let mut rest = head;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        if !rest[at..].starts_with(b"\r\n") {
            return true;
        }
        rest = &rest[at + 2..];
    }
    false
}

/// Whether a head that is not whole yet has a line feed without a carriage return: no line end that
/// it waits for will come.
pub(super) fn has_bare_line_feed(head: &[u8]) -> bool {
    let feeds = head.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    feeds
        .into_iter()
        .any(|(at, _)| at == 0 || head[at - 1] != b'\r')
}

/// The lines of a head without stray line ends.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(head);
    std::iter::from_fn(move || {
        let here = rest?;
        let end = memchr::memchr(b'\r', here);
        rest = end.and_then(|end| here.get(end + 2..));
        Some(&here[..end.unwrap_or(here.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &str) -> Option<Framing> {
        judge(format!("{head}\r\n\r\n").as_bytes())
    }

    #[test]
    fn sound_heads_pass_with_their_framing() {
        for (rest, framing) in [
            ("", Framing::None),
            ("\r\nContent-Length: 5", Framing::Length(5)),
            (
                "\r\nContent-Length: 5\r\nContent-Length: 5",
                Framing::Length(5),
            ),
            ("\r\ntransfer-encoding:\tChunked ", Framing::Chunked),
        ] {
            let head = format!("POST / HTTP/1.1\r\nHost: a{rest}");
            assert_eq!(judged(&head), Some(framing), "{rest}");
        }
        assert_eq!(judged("GET / HTTP/1.0"), Some(Framing::None));
    }

    // Holds HT-01, HT-02, HT-03, HT-04, HT-05, HT-09, HT-10, HT-11, HT-12.
    #[test]
    fn what_two_parsers_read_in_two_ways_is_refused() {
        for rest in [
            "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            "\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
            "\r\nContent-Length: 5\r\nContent-Length: 6",
            "\r\nContent-Length: 5, 5",
            "\r\nContent-Length: +5",
            "\r\nContent-Length: 0x5",
            "\r\nContent-Length: 18446744073709551616",
            "\r\nContent-Length:",
            "\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "\r\nTransfer-Encoding: chunked, chunked",
            "\r\nTransfer-Encoding: gzip, chunked",
            "\r\nTransfer-Encoding: xchunked",
            "\r\nTransfer-Encoding: identity",
            "\r\nTransfer-Encoding: \u{b}chunked",
            "\nX: bare line feed",
            "\r\nX: bare\rreturn",
            "\r\nX : space before the colon",
            "\r\n X: folded",
            "\r\n: no name",
            "\r\nno colon",
            "\r\nHost: b",
        ] {
            assert_eq!(
                judged(&format!("POST / HTTP/1.1\r\nHost: a{rest}")),
                None,
                "{rest:?}"
            );
        }
        assert_eq!(
            judged("POST / HTTP/1.0\r\nTransfer-Encoding: chunked"),
            None
        );
    }

    // Holds HT-15, HT-19.
    #[test]
    fn a_missing_host_and_a_fragment_are_refused() {
        assert_eq!(judged("GET / HTTP/1.1"), None);
        assert_eq!(judged("GET / HTTP/1.0\r\nHost: a\r\nHost: a"), None);
        assert_eq!(judged("GET /a#b HTTP/1.1\r\nHost: a"), None);
    }
}
