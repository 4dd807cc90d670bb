//! Durations as Go writes them: `300ms`, `1.5h`, `2h45m`.

use std::time::Duration;

/// Longest unit names first: `m` is the beginning of `ms`.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Reads a duration (`time.ParseDuration`). `None`: it is no duration, or nothing to wait for
/// (zero or less).
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let (name, unit) = UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
        rest = &rest[name.len()..];
        seconds += number * unit;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_does() {
        for (text, expected) in [
            ("300ms", Some(Duration::from_millis(300))),
            ("1.5h", Some(Duration::from_secs(5400))),
            ("2h45m", Some(Duration::from_secs(9900))),
            (".5s", Some(Duration::from_millis(500))),
            ("+1us", Some(Duration::from_micros(1))),
            ("1µs", Some(Duration::from_micros(1))),
            ("-1s", None),
            ("0", None),
            ("", None),
            ("5", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
