//! One request over and over, evenly spread. The time of an answer counts from the moment at which
//! its request was due, also when it could not be sent then: a server that stalls cannot hide it by
//! getting fewer requests. It uses its core all the time, so as not to be late itself.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::now;

/// More requests are never under way.
const CONNECTIONS: usize = 64;

/// Longer answers are not expected.
const LONGEST: usize = 16 * 1024;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(5);

struct Connection {
    stream: TcpStream,
    /// When the request was due whose answer is awaited.
    due: Option<Instant>,
    read: Vec<u8>,
}

/// Sends for a time and writes what it came to, in microseconds.
pub(crate) fn run(port: u16, request: &[u8], rate: f64, seconds: f64) -> Result<()> {
    ensure!(
        rate > 0.0 && seconds > 0.0,
        "the rate and the time must be more than nothing"
    );
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(port)?);
    }
    let (started, step) = (now(), Duration::from_secs_f64(1.0 / rate));
    let end = started + Duration::from_secs_f64(seconds);
    let mut next = started;
    let mut took = Vec::new();
    loop {
        let time = now();
        if next < end && next <= time {
            if let Some(idle) = connections.iter_mut().find(|one| one.due.is_none()) {
                idle.send(request, next)?;
                next += step;
            }
        }
        for connection in &mut connections {
            took.extend(connection.answer()?);
        }
        if next >= end && connections.iter().all(|one| one.due.is_none()) {
            break;
        }
        ensure!(
            time < end + PATIENCE,
            "answers are missing {PATIENCE:?} after the end"
        );
    }
    report(&mut took)
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            due: None,
            read: Vec::with_capacity(LONGEST),
        })
    }

    fn send(&mut self, request: &[u8], due: Instant) -> Result<()> {
        // A short request fits into the buffer of a connection that awaits nothing.
        self.stream.write_all(request)?;
        self.due = Some(due);
        Ok(())
    }

    /// How long the answer took, once it is there.
    fn answer(&mut self) -> Result<Option<Duration>> {
        let Some(due) = self.due else {
            return Ok(None);
        };
        let mut buffer = [0; LONGEST];
        match self.stream.read(&mut buffer) {
            Ok(0) => bail!("the server hung up"),
            Ok(count) => self.read.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if !is_whole(&self.read)? {
            return Ok(None);
        }
        self.read.clear();
        self.due = None;
        Ok(Some(due.elapsed()))
    }
}

/// Whether an answer has come to its end. Any but 200 ends the measurement.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = std::str::from_utf8(&answer[..head])?.to_ascii_lowercase();
    ensure!(
        text.starts_with("http/1.1 200"),
        "the server answered {text}"
    );
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .context("the answer has no Content-Length")?;
    Ok(answer.len() >= head + 4 + length.trim().parse::<usize>()?)
}

fn report(took: &mut [Duration]) -> Result<()> {
    took.sort_unstable();
    let at = |part: usize| {
        let index = took.len() * part / 1000;
        took.get(index.min(took.len().saturating_sub(1)))
            .map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    let text = serde_json::json!({
        "requests": took.len(),
        "p50_us": at(500),
        "p90_us": at(900),
        "p99_us": at(990),
        "p999_us": at(999),
        "max_us": at(1000),
    });
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
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
    }
}
