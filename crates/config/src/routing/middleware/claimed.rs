//! What is asked of the claims of a token that is right, and what becomes of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::oauth_client_credentials::{claim_path, claims, forward_headers, scopes_at};
use crate::claims::{ClaimPath, Expression};
use crate::document::Fields;

/// `requiredScopes`, `claims`, `forwardHeaders`, `usernameClaim` and `forwardAuthorization`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claimed {
    /// `requiredScopes` (ours): the token must have each of them; a refusal names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_scopes: Vec<String>,
    /// Condition over the token's claims; false answers 403.
    #[serde(skip)]
    pub claims: Option<Expression>,
    /// Request headers set from claims; a missing claim sets the header empty.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "as_texts"
    )]
    pub forward_headers: BTreeMap<String, ClaimPath>,
    /// Claim written to the access log as `ClientUsername`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub username_claim: Option<ClaimPath>,
    /// Whether the service gets the token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forward_authorization: bool,
}

impl Claimed {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            forward_authorization: fields.boolean("forwardAuthorization").unwrap_or(false),
            required_scopes: scopes_at(fields, "requiredScopes"),
            ..Self::without_token(fields)
        }
    }

    /// As [`Self::read`], where requests bring no token that could be forwarded.
    pub(super) fn without_token(fields: &mut Fields<'_>) -> Self {
        Self {
            claims: claims(fields),
            forward_headers: forward_headers(fields),
            username_claim: claim_path(fields, "usernameClaim"),
            forward_authorization: false,
            required_scopes: Vec::new(),
        }
    }
}

fn as_texts<S: serde::Serializer>(
    paths: &BTreeMap<String, ClaimPath>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(paths.iter().map(|(name, path)| (name, path.to_string())))
}

fn as_text<S: serde::Serializer>(
    path: &Option<ClaimPath>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => serializer.collect_str(path),
        None => serializer.serialize_none(),
    }
}
