//! `tokenPolicy` (ours): what a token must be beside right.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Fields;

/// `tokenPolicy`, ours: of the tokens that `jwt` or `oAuthIntrospection` before it took, some are
/// refused with 401. Without such a middleware before it the route is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenPolicy {
    /// Those that live longer, from `iat` (or `nbf`) to `exp`, or do not say for how long (ours).
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    #[schemars(with = "Option<String>")]
    pub max_lifetime: Option<Duration>,
    /// Those that were issued longer ago, or do not say when (ours). Default: none.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    #[schemars(with = "Option<String>")]
    pub max_age: Option<Duration>,
    /// Those that whoever has them may use: `certificate` wants tokens of RFC 8705, `key` of RFC
    /// 9449, `any` either (ours). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Bound>,
    /// Those that a smaller RSA key signed (ours). Smaller ones than 2048 never count. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rsa_bits: Option<u32>,
    /// Those that a shared secret signed (ours). Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuse_shared_secrets: bool,
    /// Those without one of these claims (ours). Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_claims: Vec<String>,
}

/// What a token must be bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// Either of them.
    Any,
    /// A certificate.
    Certificate,
    /// A key.
    Key,
}

const BOUND: [(&str, Bound); 3] = [
    ("any", Bound::Any),
    ("certificate", Bound::Certificate),
    ("key", Bound::Key),
];

impl TokenPolicy {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let policy = Self {
            max_lifetime: fields.duration("maxLifetime"),
            max_age: fields.duration("maxAge"),
            binding: fields.word("binding", &BOUND),
            min_rsa_bits: fields.number("minRsaBits"),
            refuse_shared_secrets: fields.boolean("refuseSharedSecrets").unwrap_or(false),
            required_claims: fields.texts("requiredClaims"),
        };
        if policy == Self::default() {
            fields.error("", "refuses nothing; give one of its options");
        }
        Some(policy)
    }
}

fn as_text<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => crate::duration::serialize(duration, serializer),
        None => serializer.serialize_none(),
    }
}
