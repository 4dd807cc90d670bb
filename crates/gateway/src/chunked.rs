//! Where the data of a chunked body are and where it ends (RFC 9112 section 7.1), strictly: the next
//! head begins there.

/// Bytes of extensions and trailers a body may hold.
const MARGIN: usize = 16 << 10;

/// Reads a chunked body without keeping it.
#[derive(Debug)]
pub(crate) struct Chunked {
    at: At,
    margin: usize,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Size {
        size: u64,
        digits: u8,
    },
    Extension {
        size: u64,
    },
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataEnd,
    /// Of a trailer line; `length` bytes of it are read.
    Trailer {
        length: usize,
    },
    TrailerEnd {
        length: usize,
    },
    End,
}

const SIZE: At = At::Size { size: 0, digits: 0 };

impl Default for Chunked {
    fn default() -> Self {
        Self {
            at: SIZE,
            margin: MARGIN,
        }
    }
}

impl Chunked {
    /// Reads on: how many of these bytes belong to the body. `None`: this is no chunked body.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut read = 0;
        while read < bytes.len() && !self.is_over() {
            let here = u64::try_from(bytes.len() - read).unwrap_or(u64::MAX);
            read += match usize::try_from(self.data().min(here)).ok()? {
                0 => self.read_framing(&bytes[read..], |_| {})?,
                data => self.pass_data(data),
            };
        }
        Some(read)
    }

    /// Reads on to the next data, or to the end: how many of these bytes stand before it. The bytes
    /// of trailers, with the empty line after them, are told. `None`: this is no chunked body.
    pub(crate) fn read_framing(
        &mut self,
        bytes: &[u8],
        mut trailer: impl FnMut(u8),
    ) -> Option<usize> {
        let mut read = 0;
        while read < bytes.len() && !self.is_over() && self.data() == 0 {
            let byte = bytes[read];
            if matches!(self.at, At::Trailer { .. } | At::TrailerEnd { .. }) {
                trailer(byte);
            }
            self.at = self.step(byte)?;
            read += 1;
        }
        Some(read)
    }

    /// How many bytes of data come next; none: there is framing before them.
    pub(crate) fn data(&self) -> u64 {
        match self.at {
            At::Data { left } => left,
            _ => 0,
        }
    }

    /// Passes so many bytes of data, of which there are as many: their number again.
    pub(crate) fn pass_data(&mut self, bytes: usize) -> usize {
        self.at = match self.data().saturating_sub(bytes as u64) {
            0 => At::DataReturn,
            left => At::Data { left },
        };
        bytes
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.at, At::End)
    }

    fn step(&mut self, byte: u8) -> Option<At> {
        match (self.at, byte) {
            (At::Size { size, digits }, _) if byte.is_ascii_hexdigit() && digits < 16 => {
                let digit = (byte as char).to_digit(16)?;
                Some(At::Size {
                    size: (size << 4) | u64::from(digit),
                    digits: digits + 1,
                })
            }
            (At::Size { digits: 0, .. }, _) => None,
            (At::Size { size, .. }, b';' | b' ' | b'\t') => Some(At::Extension { size }),
            (At::Size { size, .. } | At::Extension { size }, b'\r') => Some(At::SizeEnd { size }),
            (At::Extension { size }, _) if byte != b'\n' => {
                self.spend()?;
                Some(At::Extension { size })
            }
            (At::SizeEnd { size: 0 }, b'\n') => Some(At::Trailer { length: 0 }),
            (At::SizeEnd { size }, b'\n') => Some(At::Data { left: size }),
            (At::DataReturn, b'\r') => Some(At::DataEnd),
            (At::DataEnd, b'\n') => Some(SIZE),
            (At::Trailer { length }, b'\r') => Some(At::TrailerEnd { length }),
            (At::Trailer { length }, _) if byte != b'\n' => {
                self.spend()?;
                Some(At::Trailer { length: length + 1 })
            }
            (At::TrailerEnd { length: 0 }, b'\n') => Some(At::End),
            (At::TrailerEnd { .. }, b'\n') => Some(At::Trailer { length: 0 }),
            _ => None,
        }
    }

    fn spend(&mut self) -> Option<()> {
        self.margin = self.margin.checked_sub(1)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of the body, fed in pieces of one and at once.
    fn length(bytes: &[u8]) -> Option<usize> {
        let mut whole = Chunked::default();
        let at_once = whole.read(bytes).filter(|_| whole.is_over());
        let mut single = Chunked::default();
        let mut one_by_one = Some(0);
        for byte in bytes {
            if single.is_over() {
                break;
            }
            one_by_one = one_by_one.zip(single.read(&[*byte])).map(|(a, b)| a + b);
            if one_by_one.is_none() {
                break;
            }
        }
        assert_eq!(at_once, one_by_one.filter(|_| single.is_over()));
        at_once
    }

    #[test]
    fn the_body_ends_where_it_ends() {
        assert_eq!(length(b"0\r\n\r\nGET"), Some(5));
        assert_eq!(length(b"5\r\nhello\r\n0\r\n\r\nGET"), Some(15));
        assert_eq!(
            length(b"A;x=\"y\"\r\n0123456789\r\n0\r\nT: v\r\n\r\n"),
            Some(32)
        );
    }

    // Holds HT-06, HT-07, HT-08.
    #[test]
    fn a_loose_chunk_is_refused() {
        for body in [
            &b"\r\n"[..],
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"-1\r\n",
            b" 5\r\nhello\r\n0\r\n\r\n",
            b"1_0\r\n",
            b"10000000000000000\r\n",
            b"5\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"5\r\nhelloXX0\r\n\r\n",
            b"5;a\r\r\nhello\r\n0\r\n\r\n",
            b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        ] {
            assert_eq!(length(body), None, "{}", String::from_utf8_lossy(body));
        }
        let mut long = b"1;".to_vec();
        long.resize(MARGIN + 3, b'x');
        assert_eq!(length(&long), None);
    }
}
