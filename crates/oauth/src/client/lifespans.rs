//! Token lifetimes of one client, written as Go writes durations (`34h0m0s`).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The lifetimes of one client; an absent one is the server's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Lifespans {
    /// Access tokens of the authorization code grant.
    pub authorization_code_grant_access_token_lifespan: Option<Lifespan>,
    /// Id tokens of the authorization code grant.
    pub authorization_code_grant_id_token_lifespan: Option<Lifespan>,
    /// Refresh tokens of the authorization code grant.
    pub authorization_code_grant_refresh_token_lifespan: Option<Lifespan>,
    /// Access tokens of the client credentials grant.
    pub client_credentials_grant_access_token_lifespan: Option<Lifespan>,
    /// Access tokens of the implicit grant.
    pub implicit_grant_access_token_lifespan: Option<Lifespan>,
    /// Id tokens of the implicit grant.
    pub implicit_grant_id_token_lifespan: Option<Lifespan>,
    /// Access tokens of the JWT bearer grant.
    pub jwt_bearer_grant_access_token_lifespan: Option<Lifespan>,
    /// Id tokens of the refresh grant.
    pub refresh_token_grant_id_token_lifespan: Option<Lifespan>,
    /// Access tokens of the refresh grant.
    pub refresh_token_grant_access_token_lifespan: Option<Lifespan>,
    /// Refresh tokens of the refresh grant.
    pub refresh_token_grant_refresh_token_lifespan: Option<Lifespan>,
    /// Id tokens of the device grant.
    pub device_authorization_grant_id_token_lifespan: Option<Lifespan>,
    /// Access tokens of the device grant.
    pub device_authorization_grant_access_token_lifespan: Option<Lifespan>,
    /// Refresh tokens of the device grant.
    pub device_authorization_grant_refresh_token_lifespan: Option<Lifespan>,
}

/// A signed span of time with Go's text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifespan {
    nanoseconds: i64,
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no duration: write a number and a unit, such as 1h30m, 90s or 500ms")]
pub struct LifespanError {
    text: String,
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Lifespan {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::{ObjectBuilder, Type};
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A duration as Go writes it, such as 1h30m."));
        text.build().into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Lifespan {}

impl Lifespan {
    /// A span of whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self {
            nanoseconds: seconds.saturating_mul(1_000_000_000),
        }
    }

    /// A span as Go counts it.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { nanoseconds }
    }

    /// The whole seconds, rounded towards zero.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.nanoseconds / 1_000_000_000
    }

    /// Reads Go's form: an optional sign, then numbers with units.
    ///
    /// # Errors
    /// When the text is no duration or too long a one.
    pub fn parse(text: &str) -> Result<Self, LifespanError> {
        let error = || LifespanError {
            text: text.to_owned(),
        };
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned == "0" {
            return Ok(Self { nanoseconds: 0 });
        }
        if unsigned.is_empty() {
            return Err(error());
        }
        let mut rest = unsigned;
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let (nanoseconds, tail) = component(rest).ok_or_else(error)?;
            total = total.checked_add(nanoseconds).ok_or_else(error)?;
            rest = tail;
        }
        Ok(Self {
            nanoseconds: if negative { -total } else { total },
        })
    }
}

/// One number and its unit, in nanoseconds, and what follows.
fn component(text: &str) -> Option<(i64, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let unit_end = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let (unit, tail) = rest.split_at(unit_end);
    let scale: i64 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanoseconds = whole.checked_mul(scale)?;
    let mut weight = scale;
    for digit in fraction.bytes() {
        // A second dot is no digit.
        let digit = char::from(digit).to_digit(10)?;
        weight /= 10;
        nanoseconds = nanoseconds.checked_add(i64::from(digit) * weight)?;
    }
    Some((nanoseconds, tail))
}

impl fmt::Display for Lifespan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.nanoseconds.unsigned_abs();
        if self.nanoseconds < 0 {
            f.write_str("-")?;
        }
        if nanoseconds == 0 {
            return f.write_str("0s");
        }
        if nanoseconds < 1_000_000_000 {
            return sub_second(f, nanoseconds);
        }
        let seconds = nanoseconds / 1_000_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if seconds >= 60 {
            write!(f, "{minutes}m")?;
        }
        decimal(f, nanoseconds % 60_000_000_000, 1_000_000_000)?;
        f.write_str("s")
    }
}

fn sub_second(f: &mut fmt::Formatter<'_>, nanoseconds: u64) -> fmt::Result {
    let (scale, unit) = match nanoseconds {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "\u{b5}s"),
        _ => (1_000_000, "ms"),
    };
    decimal(f, nanoseconds, scale)?;
    f.write_str(unit)
}

/// `value / scale` without trailing zeros.
fn decimal(f: &mut fmt::Formatter<'_>, value: u64, scale: u64) -> fmt::Result {
    write!(f, "{}", value / scale)?;
    let fraction = value % scale;
    if fraction == 0 {
        return Ok(());
    }
    let width = scale.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

impl Serialize for Lifespan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifespan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_back_the_way_go_does() {
        for (read, written) in [
            ("34h0m0s", "34h0m0s"),
            ("36h", "36h0m0s"),
            ("90m", "1h30m0s"),
            ("1h30m5s", "1h30m5s"),
            ("1.5s", "1.5s"),
            ("-5s", "-5s"),
            ("0s", "0s"),
            ("0", "0s"),
            ("250ms", "250ms"),
            ("1500us", "1.5ms"),
            ("10m", "10m0s"),
            ("5s", "5s"),
        ] {
            assert_eq!(
                Lifespan::parse(read).unwrap().to_string(),
                written,
                "{read}"
            );
        }
    }

    #[test]
    fn texts_that_are_no_durations_are_refused() {
        for text in [
            "",
            "-",
            "soon",
            "2d",
            "5",
            "1h2",
            "1..5s",
            ".s",
            "99999999999h",
        ] {
            assert!(Lifespan::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_towards_zero() {
        assert_eq!(Lifespan::parse("1.5s").unwrap().as_seconds(), 1);
        assert_eq!(Lifespan::parse("-5s").unwrap().as_seconds(), -5);
    }
}
