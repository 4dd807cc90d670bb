//! `perform client-credentials`: a token for a client (RFC 6749, section 4.4).

use std::time::{Duration, SystemTime};

use carnet_oauth::ErrorBody;
use carnet_oauth::token_response::TokenResponse;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::api::{self, Api, Unanswered};
use crate::args::{ApiFlags, ClientCredentials};
use crate::commands::shown;
use crate::output::Failure;
use crate::process::Process;
use crate::report::Report;

const HEADER: &[&str] = &["ACCESS TOKEN", "REFRESH TOKEN", "ID TOKEN", "EXPIRY"];

/// Asks for a token and prints it.
pub(super) async fn run(
    args: ClientCredentials,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let client = api::credentials(&args.credentials, process)?;
    let api = Api::open(api_flags, process)?;
    let (scope, audience) = (args.scope.join(" "), args.audience.join(" "));
    let asked = [
        ("grant_type", "client_credentials"),
        ("scope", scope.as_str()),
        ("audience", audience.as_str()),
    ];
    let pairs: Vec<_> = asked
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let answer = api::post_as_client(&api, &["oauth2", "token"], &pairs, &client).await;
    let token: TokenResponse = answer.map_err(failure)?.json()?;
    report(&token, process.clock.now()).print(api_flags, process)
}

/// Why there is no token, in the words of the server.
fn failure(unanswered: Unanswered) -> Failure {
    const WHAT: &str = "Could not retrieve access token because:";
    match unanswered {
        Unanswered::Failed(failure) => failure,
        Unanswered::Refused { status, body } => {
            let text = match serde_json::from_slice::<ErrorBody>(&body) {
                Ok(ErrorBody {
                    error,
                    error_description,
                }) if error_description.is_empty() => {
                    format!("{WHAT} {error}")
                }
                Ok(ErrorBody {
                    error,
                    error_description,
                }) => {
                    format!("{WHAT} {error}: {error_description}")
                }
                Err(_) => format!("{WHAT} the server answered HTTP {status}"),
            };
            Failure::verbatim(text)
        }
    }
}

fn report(token: &TokenResponse, now: SystemTime) -> Report {
    const NONE: &str = "<empty>";
    let text = token.access_token.expose_secret();
    let expiry = expiry(token, now);
    let row = vec![
        text.to_owned(),
        NONE.to_owned(),
        NONE.to_owned(),
        expiry.map_or_else(|| NONE.to_owned(), shown::time),
    ];
    let mut json = Map::from_iter([
        ("access_token".to_owned(), Value::from(text)),
        (
            "token_type".to_owned(),
            Value::from(token.token_type.as_str()),
        ),
    ]);
    if let Some(expiry) = expiry {
        json.insert("expiry".to_owned(), Value::from(expiry.to_string()));
    }
    Report::object(HEADER, row, Value::Object(json))
}

/// When the token ends, by our clock.
fn expiry(token: &TokenResponse, now: SystemTime) -> Option<Timestamp> {
    let seconds = u64::try_from(token.expires_in?).ok()?;
    let end = now.checked_add(Duration::from_secs(seconds))?;
    Timestamp::try_from(end).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_counted_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        let body = br#"{"access_token":"t","token_type":"bearer","expires_in":3599}"#;
        let token = TokenResponse::from_json(body).unwrap();
        let end = expiry(&token, now).unwrap();
        assert_eq!(end.to_string(), "2023-11-14T23:13:19.25Z");
        assert_eq!(shown::time(end), "2023-11-14 23:13:19 +0000 UTC");
    }

    #[test]
    fn a_refusal_is_one_line_in_the_servers_words() {
        let refused = |body: &[u8]| {
            let status = reqwest::StatusCode::UNAUTHORIZED;
            failure(Unanswered::Refused {
                status,
                body: body.to_vec(),
            })
            .to_string()
        };
        let text = refused(br#"{"error":"invalid_client","error_description":"No."}"#);
        assert_eq!(
            text,
            "Could not retrieve access token because: invalid_client: No."
        );
        assert!(refused(b"<html>").ends_with("the server answered HTTP 401 Unauthorized"));
    }
}
