//! Where lines wait and are written. A disk that is full loses lines, never requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::format::Stamp;
use crate::gateway::Output;
use crate::metrics::Metrics;
use crate::seldom::Seldom;
use crate::shard::{self, Apart, SHARDS};

/// Lines on their way to the output.
pub(super) struct Writer {
    output: Output,
    /// So many lines wait in each thread.
    patience: usize,
    waiting: [Apart<Mutex<Waiting>>; SHARDS],
    /// Whether the last text broke off within a line.
    is_torn: Mutex<bool>,
    metrics: Option<Arc<Metrics>>,
    trouble: Seldom,
}

/// Lines that are not written yet.
#[derive(Debug, Default)]
struct Waiting {
    text: String,
    lines: usize,
    stamp: Stamp,
}

impl Writer {
    pub(super) fn new(output: Output, patience: usize, metrics: Option<Arc<Metrics>>) -> Self {
        Self {
            output,
            patience,
            waiting: Default::default(),
            is_torn: Mutex::default(),
            metrics,
            trouble: Seldom::default(),
        }
    }

    /// Writes a line, or keeps it for a moment. It is made where it waits.
    pub(super) fn add(&self, line: impl FnOnce(&mut String, &mut Stamp)) {
        let mut waiting = locked(&self.waiting[shard::mine()].0);
        let Waiting { text, lines, stamp } = &mut *waiting;
        line(text, stamp);
        *lines += 1;
        if waiting.lines > self.patience {
            self.write(&mut waiting);
        }
    }

    /// Writes the lines that wait.
    pub(super) fn flush(&self) {
        for waiting in &self.waiting {
            let mut waiting = locked(&waiting.0);
            if waiting.lines > 0 {
                self.write(&mut waiting);
            }
        }
    }

    /// Whether lines wait at all.
    pub(super) fn is_patient(&self) -> bool {
        self.patience > 0
    }

    fn write(&self, waiting: &mut Waiting) {
        let mut is_torn = locked(&self.is_torn);
        let mut output = locked(&self.output);
        let mut rest = waiting.text.as_bytes();
        let mut written = match *is_torn {
            // What is left of a line shall not spoil the next one.
            true => output.write_all(b"\n"),
            false => Ok(()),
        };
        while written.is_ok() && !rest.is_empty() {
            match output.write(rest) {
                Ok(0) => written = Err(std::io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => written = Err(error),
            }
        }
        match written.and_then(|()| output.flush()) {
            Ok(()) => *is_torn = false,
            Err(error) => {
                let done = &waiting.text.as_bytes()[..waiting.text.len() - rest.len()];
                *is_torn = match done.last() {
                    Some(last) => *last != b'\n',
                    None => *is_torn,
                };
                self.lost(&error, rest.iter().filter(|byte| **byte == b'\n').count());
            }
        }
        waiting.text.clear();
        waiting.lines = 0;
    }

    fn lost(&self, error: &std::io::Error, lines: usize) {
        self.trouble.tell(|untold| {
            tracing::error!(%error, untold, "access log cannot be written; its lines are lost");
        });
        if let Some(metrics) = &self.metrics {
            metrics.lost_lines(lines);
        }
    }
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::{Error, ErrorKind, Write};

    use super::*;

    /// A disk with room for so many bytes.
    #[derive(Default)]
    struct Disk {
        room: usize,
        text: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(Error::from(ErrorKind::StorageFull));
            }
            self.room -= count;
            self.text.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn add(writer: &Writer, line: &str) {
        writer.add(|text, _| text.push_str(line));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_loses_lines_and_spoils_none_that_follow() {
        let disk = Arc::new(Mutex::new(Disk {
            room: 6,
            ..Disk::default()
        }));
        let writer = Writer::new(Arc::clone(&disk) as Output, 0, None);
        add(&writer, "one\n");
        add(&writer, "two\n");
        add(&writer, "three\n");
        locked(&disk).room = 100;
        add(&writer, "four\n");
        let text = String::from_utf8(locked(&disk).text.clone()).unwrap();
        assert_eq!(text, "one\ntw\nfour\n");
    }

    #[tokio::test]
    async fn lines_wait_until_there_are_enough_or_they_are_flushed() {
        let disk = Arc::new(Mutex::new(Disk {
            room: 100,
            ..Disk::default()
        }));
        let writer = Writer::new(Arc::clone(&disk) as Output, 2, None);
        let text = || String::from_utf8(locked(&disk).text.clone()).unwrap();
        add(&writer, "1\n");
        add(&writer, "2\n");
        assert_eq!(text(), "");
        add(&writer, "3\n");
        assert_eq!(text(), "1\n2\n3\n");
        add(&writer, "4\n");
        writer.flush();
        assert_eq!(text(), "1\n2\n3\n4\n");
    }
}
