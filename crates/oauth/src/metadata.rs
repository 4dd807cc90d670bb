//! What a server tells about itself (RFC 8414 and OpenID discovery). A list without elements is
//! left out, as RFC 8414 wants.

use serde::{Deserialize, Serialize};

/// The discovery document, as far as it is true here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Metadata {
    /// The issuer, byte for byte as in tokens.
    pub issuer: String,
    /// Where browsers come to ask for a code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authorization_endpoint: String,
    /// Where devices ask for their codes (RFC 8628).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device_authorization_endpoint: String,
    /// Where tokens are asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_endpoint: String,
    /// Where the public keys are.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub jwks_uri: String,
    /// Where clients register themselves (RFC 7591).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub registration_endpoint: String,
    /// How subjects are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_types_supported: Vec<String>,
    /// What browsers may come for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// The claims of tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_supported: Vec<String>,
    /// The grants that work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// How clients are answered through a browser.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<String>,
    /// Where a token tells about its person.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub userinfo_endpoint: String,
    /// The scopes the server knows by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How clients may authenticate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// The algorithms of client assertions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How what is told of a person may be signed, if it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_signing_alg_values_supported: Vec<String>,
    /// The algorithms of id tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// The algorithm of id tokens now (Hydra's word).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_signed_response_alg: Vec<String>,
    /// Whether request objects are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_parameter_supported: Option<bool>,
    /// Whether addresses of request objects are taken; absent means that they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_uri_parameter_supported: Option<bool>,
    /// Whether the parameter `claims` is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims_parameter_supported: Option<bool>,
    /// Where tokens are revoked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revocation_endpoint: String,
    /// Whether clients are called when a person leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_supported: Option<bool>,
    /// Whether they are told of which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_supported: Option<bool>,
    /// Whether pages of clients are opened when a person leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_supported: Option<bool>,
    /// Whether they are told of which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_session_supported: Option<bool>,
    /// Where people leave.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub end_session_endpoint: String,
    /// The proofs of codes (RFC 7636).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<String>,
    /// Whether answers through browsers say whose they are (RFC 9207).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// Where tokens are introspected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub introspection_endpoint: String,
    /// The algorithms of proofs of possession (RFC 9449).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Whether tokens can be bound to certificates (RFC 8705).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
    /// Where clients push their requests (RFC 9126).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pushed_authorization_request_endpoint: String,
    /// Whether they have to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pushed_authorization_requests: Option<bool>,
    /// Where certificates are asked for, when that is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<Aliases>,
}

/// Endpoints at which clients are asked for certificates (RFC 8705, section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Aliases {
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// Where tokens are revoked.
    pub revocation_endpoint: String,
    /// Where devices ask for their codes.
    pub device_authorization_endpoint: String,
    /// Where a token tells about its person.
    pub userinfo_endpoint: String,
    /// Where clients push their requests.
    pub pushed_authorization_request_endpoint: String,
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
