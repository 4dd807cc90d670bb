//! Durations as Go writes them: in headers, in logs and in the API.

use std::time::Duration;

use serde::Serializer;

/// `1h0m1.5s`, `500ms`, `0s`.
pub fn text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let (whole, rest) = (nanos / unit, nanos % unit);
    let digits = unit.ilog10() as usize;
    let fraction = match rest {
        0 => String::new(),
        _ => format!(".{rest:0digits$}").trim_end_matches('0').to_owned(),
    };
    match (whole / 3600, whole / 60 % 60) {
        _ if name != "s" => format!("{whole}{fraction}{name}"),
        (0, 0) => format!("{whole}{fraction}s"),
        (0, minutes) => format!("{minutes}m{}{fraction}s", whole % 60),
        (hours, minutes) => format!("{hours}h{minutes}m{}{fraction}s", whole % 60),
    }
}

/// For `#[serde(serialize_with)]`.
pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text(*duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanos, expected) in [
            (0, "0s"),
            (7, "7ns"),
            (1_100, "1.1\u{b5}s"),
            (2_000_000, "2ms"),
            (999_999_999, "999.999999ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (9_999_876_543, "9.999876543s"),
            (90_000_000_000, "1m30s"),
            (3_601_500_000_000, "1h0m1.5s"),
            (259_200_000_000_000, "72h0m0s"),
        ] {
            assert_eq!(text(Duration::from_nanos(nanos)), expected);
        }
    }
}
