//! JSON bodies, as tolerantly as Hydra reads them: whatever the content type says, the first value
//! counts, `null` is an empty object, unknown members are ignored.

use axum::body::Body;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Map, Value};

use crate::{
    domain::AdminError,
    http::{body, error::AdminFailure},
};

/// Reads a body.
pub(in crate::http) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, AdminFailure> {
    let bytes = body::admin(body).await?;
    Ok(parse(&bytes).map_err(AdminError::Malformed)?)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let value = match Deserializer::from_slice(bytes).into_iter().next() {
        None => return Err("The body is empty; JSON is expected here.".to_owned()),
        Some(Err(error)) => return Err(format!("The body is no JSON: {error}.")),
        Some(Ok(Value::Null)) => Value::Object(Map::new()),
        Some(Ok(value)) => value,
    };
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string() {
        path if path == "." => format!("The body cannot be used: {}.", error.inner()),
        path => format!("Member '{path}' cannot be used: {}.", error.inner()),
    })
}

#[cfg(test)]
mod tests {
    use carnet_oauth::client::Client;

    use super::*;

    #[test]
    fn a_body_is_read_as_hydra_reads_it() {
        for (body, expected) in [
            ("{}", Ok("")),
            ("null", Ok("")),
            (r#"{"client_name":"x"}{"client_name":"y"}"#, Ok("x")),
            (r#"{"client_name":"x","frobnicate":1}"#, Ok("x")),
            ("", Err("empty")),
            ("{", Err("no JSON")),
            ("[]", Err("cannot be used")),
            (r#"{"audience":"x"}"#, Err("Member 'audience'")),
            (
                r#"{"implicit_grant_access_token_lifespan":"2d"}"#,
                Err("is no duration"),
            ),
        ] {
            match (parse::<Client>(body.as_bytes()), expected) {
                (Ok(client), Ok(name)) => assert_eq!(client.client_name, name, "{body}"),
                (Err(text), Err(part)) => assert!(text.contains(part), "{body}: {text}"),
                (outcome, _) => assert!(outcome.is_err() == expected.is_err(), "{body}"),
            }
        }
    }
}
