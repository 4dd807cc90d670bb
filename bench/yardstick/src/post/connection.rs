//! A connection with at most one request under way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// Longer answers are not expected.
const LONGEST: usize = 16 * 1024;

/// The connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// When the request was due whose answer is awaited.
    due: Option<Instant>,
    /// Whether it may have come while nobody looked.
    overlooked: bool,
    answer: Vec<u8>,
    received: usize,
}

impl Connection {
    /// Opens a connection to the loopback.
    pub(super) fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            due: None,
            overlooked: false,
            answer: Vec::with_capacity(LONGEST),
            received: 0,
        })
    }

    /// Whether no answer is awaited.
    pub(super) const fn is_idle(&self) -> bool {
        self.due.is_none()
    }

    /// How many bytes came in.
    pub(super) const fn received(&self) -> usize {
        self.received
    }

    /// The answer that is awaited will not count.
    pub(super) const fn overlook(&mut self) {
        self.overlooked = !self.is_idle();
    }

    /// Sends a request that was due at a time.
    pub(super) fn send(&mut self, request: &[u8], due: Instant) -> Result<()> {
        // A short request fits into the buffer of a connection that awaits nothing.
        self.stream.write_all(request)?;
        self.due = Some(due);
        Ok(())
    }

    /// How long the answer took, once all of it is there and if it counts. Any but 200 is an error.
    pub(super) fn answer(&mut self) -> Result<Option<Duration>> {
        let Some(due) = self.due else {
            return Ok(None);
        };
        let mut buffer = [0; LONGEST];
        match self.stream.read(&mut buffer) {
            Ok(0) => bail!("the server hung up"),
            Ok(count) => self.answer.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if !is_whole(&self.answer)? {
            return Ok(None);
        }
        self.received += self.answer.len();
        self.answer.clear();
        self.due = None;
        let counts = !std::mem::take(&mut self.overlooked);
        Ok(counts.then(|| due.elapsed()))
    }
}

/// Whether an answer has come to its end.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&answer[..head])?;
    ensure!(
        text.starts_with("HTTP/1.1 200"),
        "the server answered {text}"
    );
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length: usize = length
        .context("the answer has no Content-Length")?
        .trim()
        .parse()?;
    Ok(answer.len() >= head + 4 + length)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        for (answer, whole) in [
            ("HTTP/1.1 200", false),
            (head, false),
            (&format!("{head}ab"), false),
            (&format!("{head}abc"), true),
        ] {
            assert_eq!(is_whole(answer.as_bytes()).unwrap(), whole, "{answer}");
        }
        assert!(is_whole(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").is_err());
        assert!(is_whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
