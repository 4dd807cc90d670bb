//! When to ask an authority.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// After the first failure; doubled after each further one. Let's Encrypt takes five failures of
/// a host an hour.
const FIRST_PAUSE: Duration = Duration::from_secs(2 * MINUTE);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * HOUR);

/// How long before its end a certificate is renewed, by the hours that certificates live.
/// Traefik's thresholds.
pub(super) fn renewed_before(hours: u64) -> Duration {
    const HOURS_A_DAY: u64 = 24;
    let seconds = match hours / HOURS_A_DAY {
        265.. => 120 * DAY,
        90.. => 30 * DAY,
        30.. => 10 * DAY,
        7.. => DAY,
        1.. => 6 * HOUR,
        0 => 20 * MINUTE,
    };
    Duration::from_secs(seconds)
}

/// The pause after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    let factor = 2u32.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

/// A part of a tenth of the duration: not everybody at once.
pub(super) fn jitter(duration: Duration, random: [u8; 2]) -> Duration {
    duration / 10 * u32::from(u16::from_be_bytes(random)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_are_as_early_as_traefiks() {
        let days = |hours| renewed_before(hours).as_secs_f64() / DAY as f64;
        let expected = [
            (365 * 24, 120.0),
            (2160, 30.0),
            (720, 10.0),
            (168, 1.0),
            (24, 0.25),
        ];
        for (hours, before) in expected {
            assert!((days(hours) - before).abs() < 1e-9, "{hours}");
        }
        assert_eq!(renewed_before(1), Duration::from_secs(20 * MINUTE));
    }

    #[test]
    fn five_failures_take_an_hour_and_no_pause_is_longer_than_half_a_day() {
        let sum: Duration = (1..=5).map(pause).sum();
        assert!(sum >= Duration::from_secs(HOUR), "{sum:?}");
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
        assert_eq!(jitter(LONGEST_PAUSE, [0, 0]), Duration::ZERO);
        assert_eq!(jitter(LONGEST_PAUSE, [255, 255]), LONGEST_PAUSE / 10);
    }
}
