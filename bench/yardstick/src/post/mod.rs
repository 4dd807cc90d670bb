//! Posts forms: as fast as the server answers, or evenly spread. One core does nothing else, so as
//! not to be late itself.
//!
//! At an even pace the time of an answer counts from the moment at which its request was due, also
//! when it could not be sent then: a server that stalls cannot hide it by getting fewer requests.
//! When it is this program that had to wait for its core, nobody can say what the server did
//! meanwhile: those answers do not count, and the requests that were due are due later.

mod absence;
mod connection;
mod forms;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use self::absence::Watch;
use self::connection::Connection;
use crate::now;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much to post.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// Each form once.
    Once,
    /// All of them over and over, for a time.
    Time(Duration),
    /// The same, so many a second.
    Pace(Duration, f64),
}

/// The plan of a measurement: which form is due when.
struct Plan {
    extent: Extent,
    forms: usize,
    started: Instant,
    sent: usize,
    /// How long nobody was there to follow the plan.
    away: Duration,
}

/// Posts the forms of a file and writes what it came to; times are in microseconds.
pub(crate) fn run(
    port: u16,
    path: &str,
    file: &Path,
    connections: usize,
    extent: Extent,
) -> Result<()> {
    let requests = forms::read(file, path)?;
    let mut connections = (0..connections)
        .map(|_| Connection::open(port))
        .collect::<Result<Vec<_>>>()?;
    let mut plan = Plan::new(extent, requests.len());
    let mut took = Vec::new();
    let (mut last, mut watch) = (now(), Watch::new(now())?);
    loop {
        let time = now();
        let away = watch.away(time)?;
        if plan.is_paced() && !away.is_zero() {
            plan.wait(away);
            connections.iter_mut().for_each(Connection::overlook);
        }
        for connection in &mut connections {
            took.extend(connection.answer()?);
            if connection.is_idle()
                && let Some(due) = plan.due(time)
            {
                connection.send(&requests[plan.next()], due)?;
                last = time;
            }
        }
        if plan.is_over(time) && connections.iter().all(Connection::is_idle) {
            break;
        }
        ensure!(
            time < last + PATIENCE,
            "answers are missing for {PATIENCE:?}"
        );
    }
    let received = connections.iter().map(Connection::received).sum();
    report(&mut took, &plan, received)
}

impl Plan {
    fn new(extent: Extent, forms: usize) -> Self {
        Self {
            extent,
            forms,
            started: now(),
            sent: 0,
            away: Duration::ZERO,
        }
    }

    /// When the next form is due, if it is due now.
    fn due(&self, time: Instant) -> Option<Instant> {
        let due = match self.extent {
            Extent::Once | Extent::Time(_) => time,
            Extent::Pace(_, rate) => {
                self.started + Duration::from_secs_f64(self.sent as f64 / rate)
            }
        };
        (due <= time && !self.is_over(due)).then_some(due)
    }

    const fn is_paced(&self) -> bool {
        matches!(self.extent, Extent::Pace(..))
    }

    /// What is due from now on is due so much later.
    fn wait(&mut self, away: Duration) {
        self.started += away;
        self.away += away;
    }

    const fn is_done(&self) -> bool {
        self.sent >= self.forms
    }

    fn is_over(&self, time: Instant) -> bool {
        match self.extent {
            Extent::Once => self.is_done(),
            Extent::Time(length) | Extent::Pace(length, _) => time >= self.started + length,
        }
    }

    /// The place of the next form.
    fn next(&mut self) -> usize {
        self.sent += 1;
        (self.sent - 1) % self.forms
    }
}

fn report(took: &mut [Duration], plan: &Plan, received: usize) -> Result<()> {
    let elapsed = plan.started.elapsed();
    ensure!(!took.is_empty(), "there was no answer");
    took.sort_unstable();
    let at = |part: usize| {
        let place = (took.len() * part / 1000).min(took.len() - 1);
        took[place].as_secs_f64() * 1e6
    };
    let text = serde_json::json!({
        "requests": took.len(),
        "per_second": took.len() as f64 / elapsed.as_secs_f64(),
        "bytes_each": received / plan.sent,
        "away_ms": plan.away.as_secs_f64() * 1e3,
        "p50_us": at(500),
        "p99_us": at(990),
        "p999_us": at(999),
        "max_us": at(1000),
    });
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_due_evenly_or_at_once() {
        let second = Duration::from_secs(1);
        let mut plan = Plan::new(Extent::Pace(second, 10.0), 3);
        let started = plan.started;
        assert_eq!(plan.due(started), Some(started));
        assert_eq!(plan.next(), 0);
        assert_eq!(plan.due(started), None);
        let late = started + second / 2;
        assert_eq!(plan.due(late), Some(started + second / 10));
        for _ in 1..10 {
            plan.next();
        }
        assert_eq!(plan.due(started + 2 * second), None);
        assert!(plan.is_over(started + second));

        let mut once = Plan::new(Extent::Once, 2);
        assert_eq!((once.next(), once.next()), (0, 1));
        assert_eq!(once.due(late), None);

        let mut time = Plan::new(Extent::Time(second), 2);
        let places = [time.next(), time.next(), time.next()];
        assert_eq!(places, [0, 1, 0]);
        assert_eq!(time.due(time.started + second), None);
    }
}
