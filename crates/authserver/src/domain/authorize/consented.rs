//! What a consent says, as it is kept with its row.

use carnet_oauth::authorization_request::AuthorizationRequest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::TokenError,
    store::{CodeRow, ConsentRow},
};

/// What was asked, who was there, and what was granted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::domain) struct Consented {
    pub(in crate::domain) query: String,
    pub(in crate::domain) requested_at: i64,
    pub(in crate::domain) login_challenge: String,
    pub(in crate::domain) authenticated_at: i64,
    pub(in crate::domain) acr: String,
    pub(in crate::domain) amr: Vec<String>,
    pub(in crate::domain) login_context: Value,
    pub(in crate::domain) granted_scopes: Vec<String>,
    pub(in crate::domain) granted_audiences: Vec<String>,
    pub(in crate::domain) access_token: Map<String, Value>,
    pub(in crate::domain) id_token: Map<String, Value>,
    /// For how many seconds it stands for others; 0: for ever.
    pub(in crate::domain) remember_for: Option<i64>,
    pub(in crate::domain) context: Value,
    /// The name that the login application gave the person for this client; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::domain) forced_subject: String,
    /// What a hook said that the tokens claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::domain) hooked: Option<Hooked>,
}

/// What a hook said that tokens claim, in the place of what the consent application said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::domain) struct Hooked {
    /// Of access tokens; `None` where it left that open.
    pub(in crate::domain) access_token: Option<Map<String, Value>>,
    pub(in crate::domain) id_token: Map<String, Value>,
}

/// What the use of a code must agree with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::domain) struct Code {
    /// Where it was sent, when the request said so.
    pub(in crate::domain) redirect_uri: Option<String>,
    /// The challenge, by method `S256`.
    pub(in crate::domain) challenge: Option<String>,
    /// The thumbprint of the key that it was asked for with.
    #[serde(default)]
    pub(in crate::domain) key: Option<String>,
    /// Whether it is a device's, which no browser brings.
    #[serde(default)]
    pub(in crate::domain) is_of_device: bool,
}

impl Consented {
    /// What a row says.
    pub(in crate::domain) fn of(row: &ConsentRow) -> Result<Self, TokenError> {
        read(&row.document)
    }

    /// What was asked. It was read before.
    pub(in crate::domain) fn request(&self) -> AuthorizationRequest {
        AuthorizationRequest::parse(&self.query).unwrap_or_default()
    }

    /// The claims of access tokens; `None` where a hook left them open.
    pub(in crate::domain) fn access_token_claims(&self) -> Option<&Map<String, Value>> {
        match &self.hooked {
            Some(hooked) => hooked.access_token.as_ref(),
            None => Some(&self.access_token),
        }
    }

    /// The claims of id tokens.
    pub(in crate::domain) fn id_token_claims(&self) -> &Map<String, Value> {
        let hooked = self.hooked.as_ref();
        hooked.map_or(&self.id_token, |hooked| &hooked.id_token)
    }

    pub(in crate::domain) fn to_document(&self) -> Result<Map<String, Value>, TokenError> {
        written(self)
    }
}

impl Code {
    pub(super) fn new(request: &AuthorizationRequest) -> Self {
        Self {
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.code_challenge.clone(),
            key: request.dpop_jkt.clone(),
            is_of_device: false,
        }
    }

    pub(super) const fn of_device() -> Self {
        Self {
            redirect_uri: None,
            challenge: None,
            key: None,
            is_of_device: true,
        }
    }

    /// What a row says.
    pub(in crate::domain) fn of(row: &CodeRow) -> Result<Self, TokenError> {
        read(&row.document)
    }

    pub(super) fn to_document(&self) -> Result<Map<String, Value>, TokenError> {
        written(self)
    }
}

fn read<T: serde::de::DeserializeOwned>(document: &Map<String, Value>) -> Result<T, TokenError> {
    T::deserialize(document).map_err(|error| {
        tracing::error!(error = %error, "a consent in the database cannot be read");
        TokenError::internal()
    })
}

fn written(said: &impl Serialize) -> Result<Map<String, Value>, TokenError> {
    match serde_json::to_value(said) {
        Ok(Value::Object(document)) => Ok(document),
        _ => Err(TokenError::internal()),
    }
}
