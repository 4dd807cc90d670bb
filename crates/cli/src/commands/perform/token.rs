//! A token as the commands of `perform` print it, and why there is none.

use std::time::{Duration, SystemTime};

use carnet_oauth::ErrorBody;
use carnet_oauth::token_response::TokenResponse;
use jiff::Timestamp;
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::api::Unanswered;
use crate::commands::shown;
use crate::output::Failure;
use crate::report::Report;

const HEADER: &[&str] = &["ACCESS TOKEN", "REFRESH TOKEN", "ID TOKEN", "EXPIRY"];

/// Why there is no token, in the words of the server.
pub(super) fn failure(unanswered: Unanswered) -> Failure {
    const WHAT: &str = "Could not retrieve access token because:";
    match unanswered {
        Unanswered::Failed(failure) => failure,
        Unanswered::Refused { status, body } => {
            let text = match serde_json::from_slice::<ErrorBody>(&body) {
                Ok(body) => format!("{WHAT} {}", sentence(&body)),
                Err(_) if status == StatusCode::NOT_FOUND => format!(
                    "{WHAT} the server answered HTTP {status}; is --endpoint the public port, such \
                     as http://127.0.0.1:4444?"
                ),
                Err(_) => format!("{WHAT} the server answered HTTP {status}"),
            };
            Failure::verbatim(text)
        }
    }
}

/// The code of an error, and what it says besides.
pub(super) fn sentence(body: &ErrorBody) -> String {
    match body.error_description.is_empty() {
        true => body.error.clone(),
        false => format!("{}: {}", body.error, body.error_description),
    }
}

pub(super) fn report(token: &TokenResponse, now: SystemTime) -> Report {
    const NONE: &str = "<empty>";
    let text = token.access_token.expose_secret();
    let expiry = expiry(token, now);
    let or_none = |secret: &Option<SecretString>| match secret {
        Some(secret) => secret.expose_secret().to_owned(),
        None => NONE.to_owned(),
    };
    let row = vec![
        text.to_owned(),
        or_none(&token.refresh_token),
        or_none(&token.id_token),
        expiry.map_or_else(|| NONE.to_owned(), shown::time),
    ];
    let mut json = Map::from_iter([
        ("access_token".to_owned(), Value::from(text)),
        (
            "token_type".to_owned(),
            Value::from(token.token_type.as_str()),
        ),
    ]);
    let others = [
        ("refresh_token", &token.refresh_token),
        ("id_token", &token.id_token),
    ];
    for (name, secret) in others {
        if let Some(secret) = secret {
            json.insert(name.to_owned(), Value::from(secret.expose_secret()));
        }
    }
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
        let refused_by = |status, body: &[u8]| {
            failure(Unanswered::Refused {
                status,
                body: body.to_vec(),
            })
            .to_string()
        };
        let refused = |body: &[u8]| refused_by(StatusCode::UNAUTHORIZED, body);
        let text = refused(br#"{"error":"invalid_client","error_description":"No."}"#);
        assert_eq!(
            text,
            "Could not retrieve access token because: invalid_client: No."
        );
        assert!(refused(b"<html>").ends_with("the server answered HTTP 401 Unauthorized"));
        let text = refused_by(StatusCode::NOT_FOUND, b"404 page not found");
        assert!(text.contains("is --endpoint the public port"), "{text}");
    }
}
