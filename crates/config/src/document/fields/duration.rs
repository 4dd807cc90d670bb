//! Go's notation of durations, as `time.ParseDuration` reads it.

use std::time::Duration;

/// The longest duration of Go, 292 years.
pub(crate) const LONGEST: Duration = Duration::from_nanos(i64::MAX as u64);

/// `1h15m30.918s`; `None` when it is no duration, below zero, or without a unit.
pub(crate) fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (part, after) = term(rest)?;
        total = total.checked_add(part)?;
        rest = after;
    }
    Some(total)
}

/// One number with its unit, and what follows.
fn term(text: &str) -> Option<(Duration, &str)> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, rest) = text.split_at(text.find(|c| !is_number(c))?);
    let (unit, after) = rest.split_at(rest.find(is_number).unwrap_or(rest.len()));
    let nanoseconds: u64 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| match text {
        "" => Some(0_u64),
        _ => text.parse().ok(),
    };
    let full = digits(whole)?.checked_mul(nanoseconds)?;
    // More digits than a nanosecond has do not count.
    let fraction = fraction.get(..fraction.len().min(15))?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(digits(fraction)?) * u128::from(nanoseconds) / scale;
    let sum = full.checked_add(u64::try_from(part).ok()?)?;
    Some((Duration::from_nanos(sum), after))
}

#[cfg(test)]
mod tests {
    use super::{Duration, go_duration};

    #[test]
    fn durations_are_written_as_in_go() {
        let rows = [
            ("10s", Some(10_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            (".5s", Some(500_000_000)),
            ("100ms", Some(100_000_000)),
            ("3us", Some(3_000)),
            ("3\u{b5}s", Some(3_000)),
            ("7ns", Some(7)),
            ("0", Some(0)),
            ("+1s", Some(1_000_000_000)),
            ("720h", Some(2_592_000_000_000_000)),
            ("", None),
            ("10", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("-1s", None),
            ("1d", None),
            ("1 s", None),
            ("99999999999999999999h", None),
        ];
        for (text, nanoseconds) in rows {
            let expected = nanoseconds.map(Duration::from_nanos);
            assert_eq!(go_duration(text), expected, "{text}");
        }
    }
}
