//! The answer of the token endpoint (RFC 6749, section 5.1), read and written.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An issued token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// The token.
    #[serde(serialize_with = "exposed")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub access_token: SecretString,
    /// Its lifetime in seconds, when the server tells.
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_in: Option<i64>,
    /// The id token, where there is a person who asked for one.
    #[serde(
        default,
        serialize_with = "exposed_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub id_token: Option<SecretString>,
    /// What was issued, in an answer to an exchange (RFC 8693, section 2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<String>,
    /// The refresh token, where there is one.
    #[serde(
        default,
        serialize_with = "exposed_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub refresh_token: Option<SecretString>,
    /// The granted scopes.
    #[serde(default)]
    pub scope: String,
    /// The kind of the token: `bearer`, in any case.
    pub token_type: String,
}

impl TokenResponse {
    /// Reads the body of a successful answer.
    ///
    /// # Errors
    /// When the body is no token answer.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Whether the token is one to be shown as it is (RFC 6750).
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        self.token_type.eq_ignore_ascii_case("bearer")
    }
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

fn exposed_if_any<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

/// Some servers write the number as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(i64),
        Fraction(f64),
        Text(String),
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "lifetimes beyond i64 saturate"
    )]
    match Option::<Written>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Written::Whole(seconds)) => Ok(Some(seconds)),
        Some(Written::Fraction(seconds)) => Ok(Some(seconds as i64)),
        Some(Written::Text(text)) => text.trim().parse().map(Some).map_err(D::Error::custom),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_members_in_alphabetical_order() {
        let response = TokenResponse {
            access_token: SecretString::from("t"),
            expires_in: Some(3599),
            id_token: None,
            issued_token_type: None,
            refresh_token: None,
            scope: String::new(),
            token_type: "bearer".to_owned(),
        };
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            r#"{"access_token":"t","expires_in":3599,"scope":"","token_type":"bearer"}"#
        );
        assert!(!format!("{response:?}").contains("\"t\""));
    }

    // Holds TE-29.
    #[test]
    fn the_answers_of_other_servers_are_read() {
        for (kind, bearer) in [
            ("bearer", true),
            ("Bearer", true),
            ("BEARER", true),
            ("mac", false),
        ] {
            let body = format!(r#"{{"access_token":"t","token_type":"{kind}","expires_in":"60"}}"#);
            let response = TokenResponse::from_json(body.as_bytes()).unwrap();
            assert_eq!(
                (response.is_bearer(), response.expires_in),
                (bearer, Some(60))
            );
        }
        for body in [
            "",
            "{}",
            "[]",
            r#"{"access_token":1,"token_type":"bearer"}"#,
            "<html>",
        ] {
            assert!(TokenResponse::from_json(body.as_bytes()).is_err(), "{body}");
        }
    }
}
