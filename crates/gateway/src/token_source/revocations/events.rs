//! Server-sent events (HTML, section 9.2.6), as much of them as revocations need: `data` lines and
//! the empty line after them. Comments, which are heartbeats, and other fields are skipped.

/// A line may be so long, and an event.
const LONGEST: usize = 64 * 1024;

/// Reads a stream in pieces.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: String,
}

/// A stream that is none of ours.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Events {
    /// Takes the next piece; gives the data of the events that end in it.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > LONGEST {
                    return Err(TooLong);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line);
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                events.extend(Some(data).filter(|data| !data.is_empty()));
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            self.line.clear();
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_the_stream_is_cut() {
        let stream =
            ": hello\nid: 1\ndata: {\"a\":1}\n\n:\n\r\ndata:{\"b\":\ndata: 2}\r\n\r\ndata: x";
        for length in 1..stream.len() {
            let mut events = Events::default();
            let pieces = stream.as_bytes().chunks(length);
            let read: Vec<_> = pieces
                .flat_map(|piece| events.take(piece))
                .flatten()
                .collect();
            assert_eq!(read, ["{\"a\":1}", "{\"b\":2}"]);
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut events = Events::default();
        assert_eq!(events.take(&[b'a'; LONGEST]), Ok(Vec::new()));
        assert_eq!(events.take(b"a"), Err(TooLong));
    }
}
