//! Grants: who gets which token. One file each; [`Authority::grant`] chooses.

mod authorization_code;
mod client_credentials;
mod device_code;
mod jwt_bearer;
mod person;
mod refresh_token;
mod token_exchange;

pub(super) use person::invalid_grant;

use carnet_oauth::{
    Confirmation, ErrorCode, client::Client, grant::Grant, token_request::TokenRequest,
    token_response::TokenResponse,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::{
    AccessTokenStrategy, TokenProfile,
    domain::{
        Authority, TokenError,
        authority::within,
        authorize::{Consented, Hooked},
        claims::Claims,
        client_auth::Presented,
        keys::{ACCESS_TOKENS, ring::Unsigned},
        opaque,
    },
    store::{Holder, TokenRow},
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
    /// Who granted it, when it is not the client itself.
    pub(super) person: Option<Person>,
    /// Who acts for the subject (RFC 8693, section 4.1).
    pub(super) actor: Option<Value>,
    /// Claims of the application; `None` where a hook left them open.
    pub(super) extra: Option<Map<String, Value>>,
    /// By what the token is bound to whoever may show it.
    pub(super) confirmation: Confirmation,
}

/// Who granted something to a client.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) subject: String,
    /// The consent by which they did; empty where they did it elsewhere.
    pub(super) consent_id: String,
    /// What is known of it, where tokens of the consent itself are made.
    pub(super) session: Option<Session>,
}

/// A login and the consent that came of it.
#[derive(Debug)]
pub(super) struct Session {
    /// The id of the login session.
    pub(super) id: String,
    pub(super) said: Consented,
}

/// A token, and what else the answer is made of.
#[derive(Debug)]
pub(crate) struct Issued {
    /// The token.
    pub(crate) token: TokenResponse,
    /// The origins that the client was registered with.
    pub(crate) client_origins: Vec<String>,
    /// The nonce of the client's next proof of possession.
    pub(crate) nonce: Option<String>,
}

impl Granted {
    /// Whom the token speaks of.
    pub(super) fn subject(&self) -> &str {
        let person = self.person.as_ref();
        person.map_or(&self.client_id, |person| &person.subject)
    }

    /// The consent behind the token; empty without one.
    pub(super) fn consent_id(&self) -> &str {
        let person = self.person.as_ref();
        person.map_or("", |person| &person.consent_id)
    }

    /// The login and the consent behind the token.
    pub(super) fn session(&self) -> Option<&Session> {
        self.person.as_ref()?.session.as_ref()
    }

    /// Takes what a hook said in the place of what was said before.
    pub(super) fn hear(&mut self, hooked: Hooked) {
        self.extra.clone_from(&hooked.access_token);
        let person = self.person.as_mut();
        if let Some(session) = person.and_then(|person| person.session.as_mut()) {
            session.said.hooked = Some(hooked);
        }
    }

    /// The same for a token that is bound.
    fn bound_to(self, confirmation: Confirmation) -> Self {
        Self {
            confirmation,
            ..self
        }
    }

    /// The claims that a row keeps. `act` is among them, and never the application's.
    fn kept_claims(&self) -> Map<String, Value> {
        let mut kept = self.extra.clone().unwrap_or_default();
        match &self.actor {
            Some(actor) => kept.insert("act".to_owned(), actor.clone()),
            None => kept.shift_remove("act"),
        };
        kept
    }

    fn row(&self, digest: String, jti: String) -> TokenRow {
        let person = self.person.as_ref();
        TokenRow {
            digest,
            client_id: self.client_id.clone(),
            scopes: self.scopes.clone(),
            audiences: self.audiences.clone(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            ext: self.kept_claims(),
            confirmation: self.confirmation.clone(),
            holder: person.map_or_else(Holder::default, |person| Holder {
                subject: person.subject.clone(),
                consent_id: person.consent_id.clone(),
                jti,
            }),
        }
    }
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
        let bound = self.bound(client, presented).await?;
        let nonce = self.next_nonce().filter(|_| bound.key.is_some());
        let token = match grant {
            Grant::ClientCredentials => {
                let granted = self.client_credentials(client, request).await?;
                self.issue(granted.bound_to(bound)).await?
            }
            Grant::AuthorizationCode => self.authorization_code(client, request, bound).await?,
            Grant::RefreshToken => self.refresh_token(client, request, bound).await?,
            Grant::DeviceCode => self.device_code(client, request, bound).await?,
            Grant::JwtBearer => {
                let granted = self.jwt_bearer(client, request).await?;
                self.issue(granted.bound_to(bound)).await?
            }
            Grant::TokenExchange => self.token_exchange(client, request, bound).await?,
        };
        Ok(Issued {
            token,
            client_origins: client.allowed_cors_origins.clone(),
            nonce,
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
        let (access_token, row) = self.access_token(&granted).await?;
        if let Some(row) = row
            && !within(self.store.insert_token(&row)).await?
        {
            return Err(deleted());
        }
        Ok(response(&granted, access_token))
    }

    /// An access token, and the row that it needs: a signed one of a machine needs none.
    async fn access_token(
        &self,
        granted: &Granted,
    ) -> Result<(SecretString, Option<TokenRow>), TokenError> {
        match granted.strategy {
            AccessTokenStrategy::Jwt => {
                let (jti, status) = self.named(&granted.client_id, granted.issued_at);
                let name = granted.person.as_ref().map(|_| jti.clone());
                let claims = Claims::new(&self.options, granted, (jti, status));
                let unsigned = Unsigned {
                    claims: claims.to_json().map_err(|_| TokenError::internal())?,
                    kind: granted.profile.into(),
                    lifetime: granted.expires_at - granted.issued_at,
                };
                let token = self.ring.sign(ACCESS_TOKENS, unsigned).await?;
                let Some(jti) = name else {
                    return Ok((token, None));
                };
                let digest = opaque::signature_digest(token.expose_secret());
                let digest = digest.ok_or_else(TokenError::internal)?;
                Ok((token, Some(granted.row(digest, jti))))
            }
            AccessTokenStrategy::Opaque => {
                let issued = opaque::issue(opaque::Kind::Access, &self.system, &*self.random);
                let (token, digest) = issued.ok_or_else(TokenError::internal)?;
                Ok((token, Some(granted.row(digest, String::new()))))
            }
        }
    }
}

fn response(granted: &Granted, access_token: SecretString) -> TokenResponse {
    TokenResponse {
        access_token,
        expires_in: Some(granted.expires_at - granted.issued_at),
        id_token: None,
        issued_token_type: None,
        refresh_token: None,
        scope: granted.scopes.join(" "),
        token_type: match &granted.confirmation.key {
            Some(_) => "DPoP".to_owned(),
            None => "bearer".to_owned(),
        },
    }
}

fn deleted() -> TokenError {
    TokenError::refused(
        ErrorCode::InvalidClient,
        "The client was deleted meanwhile.",
    )
}

/// The client is registered for other grants.
fn not_registered(grant: Grant) -> TokenError {
    TokenError::refused(
        ErrorCode::UnauthorizedClient,
        format!(
            "The client is not registered for grant type '{}'.",
            grant.name()
        ),
    )
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
