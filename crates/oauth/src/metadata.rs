//! What a server tells about itself (RFC 8414 and OpenID discovery). A list without elements is
//! left out, as RFC 8414 wants.

use serde::{Deserialize, Serialize};

/// The discovery document, as far as machines need it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Metadata {
    /// The issuer, byte for byte as in tokens.
    pub issuer: String,
    /// Where tokens are asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_endpoint: String,
    /// Where the public keys are.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jwks_uri: String,
    /// How subjects are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_types_supported: Vec<String>,
    /// The claims of tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_supported: Vec<String>,
    /// The grants that work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// The scopes the server knows by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How clients may authenticate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// The algorithms of client assertions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Where tokens are revoked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revocation_endpoint: String,
    /// Where tokens are introspected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub introspection_endpoint: String,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds MD-03.
    #[test]
    fn what_there_is_not_is_not_there() {
        let metadata = Metadata {
            issuer: "https://i".to_owned(),
            ..Metadata::default()
        };
        assert_eq!(
            serde_json::to_string(&metadata).unwrap(),
            r#"{"issuer":"https://i"}"#
        );
    }
}
