//! What the server says about a token (RFC 7662).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Introspection {
    /// Whether the token counts.
    pub active: bool,
    /// What the token says; absent when it does not count.
    #[serde(flatten, default)]
    pub token: Option<ActiveToken>,
}

/// What an active token says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActiveToken {
    /// The granted scopes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The client.
    pub client_id: String,
    /// The subject.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub: String,
    /// The end of the token's life.
    pub exp: i64,
    /// When the token was issued.
    pub iat: i64,
    /// When the token began to count.
    pub nbf: i64,
    /// Whom the token is for.
    #[serde(default)]
    pub aud: Vec<String>,
    /// Who issued the token.
    #[serde(default)]
    pub iss: String,
    /// `Bearer`.
    pub token_type: String,
    /// `access_token`.
    pub token_use: String,
    /// Who acts for the subject (RFC 8693, section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// Claims of the application.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
}

impl Introspection {
    /// The answer for every token that does not count, for whatever reason.
    pub const INACTIVE: Self = Self {
        active: false,
        token: None,
    };

    /// The answer for a token that counts.
    #[must_use]
    pub const fn active(token: ActiveToken) -> Self {
        Self {
            active: true,
            token: Some(token),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds IN-02.
    #[test]
    fn an_inactive_token_says_nothing_else() {
        let text = serde_json::to_string(&Introspection::INACTIVE).unwrap();
        assert_eq!(text, r#"{"active":false}"#);
        assert_eq!(
            serde_json::from_str::<Introspection>(&text).unwrap(),
            Introspection::INACTIVE
        );
    }

    #[test]
    fn an_active_token_leaves_out_what_it_does_not_have() {
        let token = ActiveToken {
            client_id: "c".to_owned(),
            ..ActiveToken::default()
        };
        let text = serde_json::to_string(&Introspection::active(token.clone())).unwrap();
        assert!(
            text.starts_with(r#"{"active":true,"client_id":"c","exp":0"#),
            "{text}"
        );
        let read: Introspection = serde_json::from_str(&text).unwrap();
        assert_eq!(read.token, Some(token));
    }
}
