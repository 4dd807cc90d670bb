//! How long to wait before another attempt.

use std::time::{Duration, SystemTime};

use carnet_oauth::Random;
use http::HeaderMap;
use http::header::RETRY_AFTER;

/// The longest first wait.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of our own choice.
const LONGEST: Duration = Duration::from_secs(1);

/// The wait before retry `number`, counted from 0: doubles up to a second, and a random half of it
/// keeps callers that failed together from coming back together.
pub(super) fn wait(number: u32, random: &dyn Random) -> Duration {
    let most = FIRST
        .saturating_mul(2_u32.saturating_pow(number))
        .min(LONGEST);
    most.mul_f64(0.5 + share(random) / 2.0)
}

/// A number from 0 to 1, drawn anew.
pub(super) fn share(random: &dyn Random) -> f64 {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

/// What an answer asks for in `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
pub(super) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use carnet_testkit::SeededRandom;
    use http::HeaderValue;

    #[test]
    fn waits_double_up_to_a_second_and_never_agree() {
        let random = SeededRandom::new(42);
        for (number, most) in [
            (0, 100),
            (1, 200),
            (2, 400),
            (3, 800),
            (4, 1000),
            (60, 1000),
        ] {
            let (one, other) = (wait(number, &random), wait(number, &random));
            let most = Duration::from_millis(most);
            assert!(one != other && one.max(other) <= most, "{number}");
            assert!(one.min(other) >= most / 2, "{number}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_its_forms() {
        let now = httpdate::parse_http_date("Thu, 26 Nov 2026 12:00:00 GMT").unwrap();
        for (value, seconds) in [
            ("10", Some(10)),
            ("Thu, 26 Nov 2026 12:00:07 GMT", Some(7)),
            ("Thu, 26 Nov 2026 11:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            assert_eq!(
                asked(&headers, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
        assert_eq!(asked(&HeaderMap::new(), now), None);
    }
}
