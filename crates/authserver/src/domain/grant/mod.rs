//! Grants: who gets which token. One file each; [`Authority::grant`] chooses.

mod client_credentials;

use carnet_oauth::{
    ErrorCode, client::Client, grant::Grant, token_request::TokenRequest,
    token_response::TokenResponse,
};
use serde_json::{Map, Value};

use crate::{
    AccessTokenStrategy, TokenProfile,
    domain::{
        Authority, TokenError, authority::within, claims::Claims, client_auth::Presented,
        keys::ring::Unsigned, opaque, uuid,
    },
    store::TokenRow,
};

/// What was granted, before it becomes a token.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) audiences: Vec<String>,
    /// In seconds since 1970.
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
    pub(super) strategy: AccessTokenStrategy,
    pub(super) profile: TokenProfile,
    /// Claims of the application; `None` where a hook left them open.
    pub(super) extra: Option<Map<String, Value>>,
}

/// A token, and what else the answer is made of.
#[derive(Debug)]
pub(crate) struct Issued {
    /// The token.
    pub(crate) token: TokenResponse,
    /// The origins that the client was registered with.
    pub(crate) client_origins: Vec<String>,
}

impl Authority {
    /// Answers a token request.
    pub(crate) async fn grant(
        &self,
        presented: &Presented,
        request: &TokenRequest,
    ) -> Result<Issued, TokenError> {
        let grant = grant_of(request)?;
        let row = self.authenticate(presented).await?;
        let client = &row.client;
        let granted = match grant {
            Grant::ClientCredentials => self.client_credentials(client, request).await?,
        };
        Ok(Issued {
            token: self.issue(granted).await?,
            client_origins: client.allowed_cors_origins.clone(),
        })
    }

    fn strategy_of(&self, client: &Client) -> AccessTokenStrategy {
        match client.access_token_strategy.as_str() {
            "jwt" => AccessTokenStrategy::Jwt,
            "opaque" => AccessTokenStrategy::Opaque,
            _ => self.options.access_token_strategy,
        }
    }

    fn profile_of(&self, client: &Client) -> TokenProfile {
        match client.access_token_profile.as_str() {
            "hydra" => TokenProfile::Hydra,
            "rfc9068" => TokenProfile::Rfc9068,
            _ => self.options.token_profile,
        }
    }

    async fn issue(&self, granted: Granted) -> Result<TokenResponse, TokenError> {
        let access_token = match granted.strategy {
            AccessTokenStrategy::Jwt => {
                let claims = Claims::new(&self.options, &granted, uuid::fresh(&*self.random));
                let unsigned = Unsigned {
                    claims: claims.to_json().map_err(|_| TokenError::internal())?,
                    profile: granted.profile,
                    lifetime: granted.expires_at - granted.issued_at,
                };
                self.ring.sign(unsigned).await?
            }
            AccessTokenStrategy::Opaque => {
                let (token, digest) =
                    opaque::issue(&self.system, &*self.random).ok_or_else(TokenError::internal)?;
                let row = TokenRow {
                    digest,
                    client_id: granted.client_id.clone(),
                    scopes: granted.scopes.clone(),
                    audiences: granted.audiences.clone(),
                    issued_at: granted.issued_at,
                    expires_at: granted.expires_at,
                    ext: granted.extra.clone().unwrap_or_default(),
                };
                if !within(self.store.insert_token(&row)).await? {
                    return Err(TokenError::refused(
                        ErrorCode::InvalidClient,
                        "The client was deleted meanwhile.",
                    ));
                }
                token
            }
        };
        Ok(TokenResponse {
            access_token,
            expires_in: Some(granted.expires_at - granted.issued_at),
            scope: granted.scopes.join(" "),
            token_type: "bearer".to_owned(),
        })
    }
}

/// The one grant that a request asks for.
fn grant_of(request: &TokenRequest) -> Result<Grant, TokenError> {
    match request.grant_types.as_slice() {
        [] => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "Parameter 'grant_type' is missing.",
        )),
        [name] => Grant::from_name(name).ok_or_else(|| {
            TokenError::refused(
                ErrorCode::UnsupportedGrantType,
                format!("There is no grant type '{name}' here."),
            )
        }),
        _ => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            "Parameter 'grant_type' must name one grant type.",
        )),
    }
}
