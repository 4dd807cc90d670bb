//! The answers of late: ten seconds of statuses, a minute of latencies, as in Traefik.

use std::collections::BTreeMap;
use std::time::Duration;

use carnet_config::routing::middleware::circuit_breaker::Measure;
use tokio::time::Instant;

/// How long a part of either is, and how many parts there are.
const STATUSES: (Duration, usize) = (Duration::from_secs(1), 10);
const LATENCIES: (Duration, usize) = (Duration::from_secs(10), 6);

/// What was answered.
#[derive(Default)]
pub(super) struct Window {
    /// How often each status was.
    statuses: Parts<u16>,
    /// How often each latency was, in microseconds of which two digits count.
    latencies: Parts<u64>,
}

/// Counts of short times, the oldest first, each with its beginning.
struct Parts<K>(Vec<(Instant, BTreeMap<K, u64>)>);

impl<K> Default for Parts<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Parts<K> {
    fn count(&mut self, now: Instant, length: Duration, key: K) {
        let is_current = |begun: Instant| now.saturating_duration_since(begun) < length;
        if !self.0.last().is_some_and(|(begun, _)| is_current(*begun)) {
            self.0.push((now, BTreeMap::new()));
        }
        if let Some((_, counts)) = self.0.last_mut() {
            *counts.entry(key).or_default() += 1;
        }
    }

    fn forget(&mut self, now: Instant, (length, parts): (Duration, usize)) {
        let whole = length * u32::try_from(parts).unwrap_or(u32::MAX);
        self.0
            .retain(|(begun, _)| now.saturating_duration_since(*begun) < whole);
    }

    fn sum(&self, is_counted: impl Fn(K) -> bool) -> u64 {
        let counts = self.0.iter().flat_map(|(_, counts)| counts);
        let counted = counts.filter(|(key, _)| is_counted(**key));
        counted.map(|(_, count)| count).sum()
    }
}

impl Window {
    pub(super) fn count(&mut self, now: Instant, status: u16, latency: Duration) {
        self.statuses.count(now, STATUSES.0, status);
        self.latencies.count(now, LATENCIES.0, rounded(latency));
        // Parts must not gather where nobody looks.
        if self.statuses.0.len() > 2 * STATUSES.1 {
            self.forget(now);
        }
    }

    pub(super) fn forget(&mut self, now: Instant) {
        self.statuses.forget(now, STATUSES);
        self.latencies.forget(now, LATENCIES);
    }

    /// What a measure is now.
    pub(super) fn value(&self, measure: Measure) -> f64 {
        match measure {
            Measure::NetworkErrorRatio => ratio(
                self.statuses.sum(|status| matches!(status, 502 | 504)),
                self.statuses.sum(|_| true),
            ),
            Measure::ResponseCodeRatio([from, to, of_from, of_to]) => {
                let between = |from: f64, to: f64| {
                    let is_counted = move |status: u16| (from..to).contains(&f64::from(status));
                    self.statuses.sum(is_counted)
                };
                ratio(between(from, to), between(of_from, of_to))
            }
            Measure::LatencyAtQuantileMs(quantile) => self.quantile(quantile),
        }
    }

    /// Whole milliseconds.
    fn quantile(&self, quantile: f64) -> f64 {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for (latency, count) in self.latencies.0.iter().flat_map(|(_, counts)| counts) {
            *counts.entry(*latency).or_default() += count;
        }
        let wanted = quantile / 100.0 * number(self.latencies.sum(|_| true));
        let mut sum = 0;
        let found = counts.iter().find(|(_, count)| {
            sum += **count;
            number(sum) + 0.5 > wanted
        });
        found.map_or(0.0, |(latency, _)| number(latency / 1000))
    }
}

/// A latency in microseconds with its first two digits.
fn rounded(latency: Duration) -> u64 {
    let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let digits = micros.checked_ilog10().unwrap_or(0);
    let unit = 10_u64.pow(digits.saturating_sub(1));
    micros / unit * unit
}

fn ratio(part: u64, of: u64) -> f64 {
    match of {
        0 => 0.0,
        _ => number(part) / number(of),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody tells such numbers of requests apart"
)]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ratios_are_of_the_last_ten_seconds_and_quantiles_of_the_last_minute() {
        let mut window = Window::default();
        let server_errors = Measure::ResponseCodeRatio([500.0, 600.0, 0.0, 600.0]);
        let now = Instant::now();
        assert_eq!(window.value(server_errors).to_string(), "0");
        assert_eq!(
            window.value(Measure::LatencyAtQuantileMs(50.0)).to_string(),
            "0"
        );
        for (status, millis) in [(200, 10), (502, 20), (504, 30), (500, 1234), (599, 40)] {
            window.count(now, status, Duration::from_millis(millis));
        }
        let shown = |window: &Window, measure| format!("{:.2}", window.value(measure));
        assert_eq!(shown(&window, server_errors), "0.80");
        assert_eq!(shown(&window, Measure::NetworkErrorRatio), "0.40");
        assert_eq!(shown(&window, Measure::LatencyAtQuantileMs(50.0)), "30.00");
        assert_eq!(
            shown(&window, Measure::LatencyAtQuantileMs(100.0)),
            "1200.00"
        );
        tokio::time::advance(Duration::from_secs(10)).await;
        window.forget(Instant::now());
        assert_eq!(shown(&window, server_errors), "0.00");
        assert_eq!(shown(&window, Measure::LatencyAtQuantileMs(50.0)), "30.00");
        tokio::time::advance(Duration::from_secs(50)).await;
        window.forget(Instant::now());
        assert_eq!(shown(&window, Measure::LatencyAtQuantileMs(50.0)), "0.00");
    }
}
