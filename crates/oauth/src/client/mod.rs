//! A client as the admin API speaks of it: the members of RFC 7591 with Hydra's additions, in
//! Hydra's order.
//!
//! The server and the command line share this type, so they cannot drift. Its rules about absence:
//! a member that is `null` counts as absent; lists that were never set are `null` in the answer to
//! a creation and `[]` when read back ([`Client::as_stored`]).

mod lifespans;
mod token_limits;

pub use lifespans::{Lifespan, LifespanError, Lifespans};
pub use token_limits::TokenLimits;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A registered client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Client {
    /// The id; generated when empty.
    #[serde(deserialize_with = "null_is_default")]
    pub client_id: String,
    /// A name for people.
    #[serde(deserialize_with = "null_is_default")]
    pub client_name: String,
    /// The secret, only ever shown in the answer to the request that set it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, default = json!(null)))]
    pub client_secret: Option<SecretString>,
    /// Where authorization answers may go.
    pub redirect_uris: Option<Vec<String>>,
    /// The grants the client may use. Empty means `authorization_code`.
    pub grant_types: Option<Vec<String>>,
    /// The response types the client may use. Empty means `code`.
    pub response_types: Option<Vec<String>>,
    /// The scopes the client may ask for, separated by spaces.
    #[serde(deserialize_with = "null_is_default")]
    pub scope: String,
    /// The audiences the client may ask for.
    #[serde(deserialize_with = "null_is_default")]
    pub audience: Vec<String>,
    /// Who owns the client.
    #[serde(deserialize_with = "null_is_default")]
    pub owner: String,
    /// The client's privacy policy.
    #[serde(deserialize_with = "null_is_default")]
    pub policy_uri: String,
    /// Browser origins that may call the public endpoints for this client.
    #[serde(deserialize_with = "null_is_default")]
    pub allowed_cors_origins: Vec<String>,
    /// The client's terms of service.
    #[serde(deserialize_with = "null_is_default")]
    pub tos_uri: String,
    /// The client's home page.
    #[serde(deserialize_with = "null_is_default")]
    pub client_uri: String,
    /// The client's logo.
    #[serde(deserialize_with = "null_is_default")]
    pub logo_uri: String,
    /// Mail addresses of the people responsible.
    pub contacts: Option<Vec<String>>,
    /// Always 0: secrets do not expire.
    #[serde(deserialize_with = "null_is_default")]
    pub client_secret_expires_at: i64,
    /// `public` or `pairwise`.
    #[serde(deserialize_with = "null_is_default")]
    pub subject_type: String,
    /// Groups clients that share pairwise subjects.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub sector_identifier_uri: String,
    /// Where the client publishes its keys.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub jwks_uri: String,
    /// The client's public keys.
    #[serde(deserialize_with = "null_is_default")]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub jwks: Map<String, Value>,
    /// How the client authenticates at the token endpoint.
    #[serde(deserialize_with = "null_is_default")]
    pub token_endpoint_auth_method: String,
    /// The algorithm of the client's assertions; RS256 when empty.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub token_endpoint_auth_signing_alg: String,
    /// Where the client publishes request objects.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub request_uris: Vec<String>,
    /// The algorithm of the client's request objects.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub request_object_signing_alg: String,
    /// `none` or `RS256`.
    #[serde(deserialize_with = "null_is_default")]
    pub userinfo_signed_response_alg: String,
    /// When the client was created (RFC 3339, whole seconds). Set by the server.
    #[serde(deserialize_with = "null_is_default")]
    pub created_at: String,
    /// When the client last changed (RFC 3339, microseconds). Set by the server.
    #[serde(deserialize_with = "null_is_default")]
    pub updated_at: String,
    /// OpenID Connect front-channel logout.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub frontchannel_logout_uri: String,
    /// Whether front-channel logout carries the session.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
    /// Where a browser may go after logout.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub post_logout_redirect_uris: Vec<String>,
    /// OpenID Connect back-channel logout.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub backchannel_logout_uri: String,
    /// Whether back-channel logout carries the session.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// Anything the administrator wants to keep beside the client.
    #[serde(default = "empty_object")]
    pub metadata: Value,
    /// The token of RFC 7592, only in the answer to a creation.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, default = json!(null)))]
    pub registration_access_token: Option<SecretString>,
    /// The address of RFC 7592, only in the answer to a creation.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub registration_client_uri: String,
    /// `jwt` or `opaque`; the server's own strategy when empty.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub access_token_strategy: String,
    /// `hydra` or `rfc9068`: what signed tokens look like; the server's own profile when empty. A
    /// member of our own.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub access_token_profile: String,
    /// Extra claims of the client's tokens. A member of our own.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "Map::is_empty"
    )]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub access_token_claims: Map<String, Value>,
    /// How many tokens the client gets. A member of our own.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "TokenLimits::is_empty"
    )]
    pub token_limits: TokenLimits,
    /// Clients and trusted issuers whose tokens the client may exchange for its own (RFC 8693). A
    /// member of our own.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub may_act_for: Vec<String>,
    /// Whether the consent screen is left out.
    #[serde(deserialize_with = "null_is_default")]
    pub skip_consent: bool,
    /// Whether the logout screen is left out.
    pub skip_logout_consent: Option<bool>,
    /// Old secrets that still work, the newest first. Set by the server; a member of our own.
    #[serde(
        deserialize_with = "null_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rotated_secrets: Vec<RotatedSecret>,
    /// Lifetimes that differ from the server's.
    #[serde(flatten)]
    pub lifespans: Lifespans,
}

/// What can be seen of a secret that a rotation replaced and that still works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RotatedSecret {
    /// When it was replaced (RFC 3339, whole seconds).
    pub rotated_at: String,
    /// When it was last used since, to the minute or better; `null` when it was not.
    pub last_used_at: Option<String>,
}

impl Client {
    /// The client as it is read back: without secret and registration members, with empty lists in
    /// place of those that were never set.
    #[must_use]
    pub fn as_stored(mut self) -> Self {
        self.client_secret = None;
        self.registration_access_token = None;
        self.registration_client_uri = String::new();
        for list in [
            &mut self.redirect_uris,
            &mut self.grant_types,
            &mut self.response_types,
            &mut self.contacts,
        ] {
            list.get_or_insert_default();
        }
        self
    }

    /// Whether the client has no secret (method `none`).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == "none"
    }

    /// Whether the client may use a grant. A client without any may use `authorization_code`.
    #[must_use]
    pub fn allows_grant(&self, grant: &str) -> bool {
        match self.grant_types.as_deref() {
            None | Some([]) => grant == "authorization_code",
            Some(grants) => grants.iter().any(|registered| registered == grant),
        }
    }

    /// The registered scopes, one by one.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

/// Go's decoder leaves a member alone whose value is `null`; old clients rely on it.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn exposed<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands in a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn empty_object() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_creation_answer_has_the_members_in_the_order_clients_know() {
        let client: Client = serde_json::from_str(
            r#"{"client_id":"a","client_secret":"s3cret!","audience":["https://a.example"]}"#,
        )
        .unwrap();
        let Value::Object(json) = serde_json::to_value(&client).unwrap() else {
            unreachable!()
        };
        let names: Vec<&str> = json.keys().map(String::as_str).collect();
        assert_eq!(
            &names[..8],
            [
                "client_id",
                "client_name",
                "client_secret",
                "redirect_uris",
                "grant_types",
                "response_types",
                "scope",
                "audience"
            ]
        );
        assert_eq!(json["client_secret"], "s3cret!");
        assert!(json["redirect_uris"].is_null());
        assert_eq!(json["metadata"], serde_json::json!({}));
        assert_eq!(
            names.last(),
            Some(&"device_authorization_grant_refresh_token_lifespan")
        );
    }

    #[test]
    fn what_is_read_back_has_no_secret_and_no_null_lists() {
        let client: Client =
            serde_json::from_str(r#"{"client_secret":"s3cret!","contacts":null}"#).unwrap();
        let json = serde_json::to_value(client.as_stored()).unwrap();
        assert_eq!(json.get("client_secret"), None);
        assert_eq!(json["contacts"], serde_json::json!([]));
        assert!(json["skip_logout_consent"].is_null());
    }

    #[test]
    fn null_counts_as_absent_and_unknown_members_are_ignored() {
        let client: Client = serde_json::from_str(
            r#"{"scope":null,"audience":null,"jwks":null,"frobnicate":1,"metadata":null}"#,
        )
        .unwrap();
        assert_eq!(client.scope, "");
        assert!(client.metadata.is_null());
    }

    // Holds AD-03.
    #[test]
    fn debug_output_hides_the_secret() {
        let client: Client = serde_json::from_str(r#"{"client_secret":"canary-1234"}"#).unwrap();
        assert!(!format!("{client:?}").contains("canary"));
    }

    #[test]
    fn a_client_without_grants_may_only_use_authorization_code() {
        let client = Client::default();
        assert!(client.allows_grant("authorization_code"));
        assert!(!client.allows_grant("client_credentials"));
    }
}
