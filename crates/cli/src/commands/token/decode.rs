//! `token decode`: header and claims of a JWT. Nobody is asked, nothing is verified.

use std::time::SystemTime;

use carnet_jose::{jws, jwt};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::args::TokenDecode;
use crate::commands::{read, shown};
use crate::output::{self, Failure};
use crate::process::Process;
use crate::report;

/// Claims that are moments (RFC 7519, section 4.1), and what they mean.
const TIMES: [(&str, &str); 3] = [("iat", "issued"), ("nbf", "counts from"), ("exp", "ends")];

/// Prints the token as one JSON object; what people want to know besides goes to standard error.
pub(super) async fn run(args: TokenDecode, process: &Process) -> Result<(), Failure> {
    let text = match args.token.as_deref() {
        None | Some("-") => String::from_utf8_lossy(&read("-", process).await?).into_owned(),
        Some(token) => token.to_owned(),
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(Failure::new(
            "there is no token: name one, or send it to standard input",
        ));
    }
    if !token.contains('.') {
        return Err(Failure::new(
            "the token is opaque, it says nothing by itself; ask the server: `carnet introspect \
             token TOKEN -e URL`",
        ));
    }
    let failure = |error| Failure::new(format!("this is no JWT: {error}"));
    let decoded = jws::decode_unverified(token).map_err(failure)?;
    let claims = jwt::claims(&decoded.payload).map_err(failure)?;
    for line in times(&claims, process.clock.now()) {
        output::say(process, &line);
    }
    output::say(
        process,
        "the signature was not verified; `carnet jose verify` does that",
    );
    let json = json!({"header": decoded.header, "claims": claims});
    output::print(process, &report::pretty(&json));
    Ok(())
}

/// The moments of a token, for people.
fn times(claims: &Map<String, Value>, now: SystemTime) -> Vec<String> {
    let now = Timestamp::try_from(now).unwrap_or_default();
    let lines = TIMES.iter().filter_map(|(name, meaning)| {
        let moment = Timestamp::from_second(jwt::time(claims, name)?).ok()?;
        let distance = distance(now, moment);
        Some(format!(
            "{name}: {meaning} {} ({distance})",
            shown::time(moment)
        ))
    });
    lines.collect()
}

/// `in 59m 3s` or `2h ago`, to the second.
fn distance(now: Timestamp, moment: Timestamp) -> String {
    let seconds = moment.as_second() - now.as_second();
    let distance = SignedDuration::from_secs(seconds.abs());
    match seconds {
        0 => "now".to_owned(),
        ..0 => format!("{distance:#} ago"),
        1.. => format!("in {distance:#}"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_told_as_dates_and_distances() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let claims =
            json!({"iat": 1_700_000_000 - 90, "exp": 1_700_003_510, "nbf": 1_700_000_000, "x": 1});
        assert_eq!(
            times(claims.as_object().unwrap(), now),
            [
                "iat: issued 2023-11-14 22:11:50 +0000 UTC (1m 30s ago)",
                "nbf: counts from 2023-11-14 22:13:20 +0000 UTC (now)",
                "exp: ends 2023-11-14 23:11:50 +0000 UTC (in 58m 30s)",
            ]
        );
    }
}
