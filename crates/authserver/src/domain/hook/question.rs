//! What the hooks are told, in Hydra's form: the session that will become the token, and the request.
//! Neither has a secret in it.

use carnet_oauth::{client::Client, token_request::TokenRequest};
use serde_json::{Map, Value, json};

use crate::{
    AccessTokenStrategy,
    domain::{
        Authority, TokenError,
        grant::{Granted, Session},
    },
};

/// What Go writes for a time that nobody set.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Authority {
    /// The question about any token.
    pub(super) async fn question(
        &self,
        client: &Client,
        request: &TokenRequest,
        granted: &Granted,
    ) -> Result<Value, TokenError> {
        Ok(json!({
            "session": self.session(client, granted).await?,
            "request": {
                "client_id": client.client_id,
                "requested_scopes": (!request.scopes.is_empty()).then_some(&request.scopes),
                "granted_scopes": granted.scopes,
                "granted_audience": granted.audiences,
                "grant_types": request.grant_types,
                "payload": payload(request),
            },
        }))
    }

    /// The question about tokens in the place of others.
    pub(super) async fn refresh_question(
        &self,
        client: &Client,
        request: &TokenRequest,
        granted: &Granted,
    ) -> Result<Value, TokenError> {
        Ok(json!({
            "subject": granted.subject(),
            "session": self.session(client, granted).await?,
            "requester": {
                "client_id": client.client_id,
                "granted_scopes": granted.scopes,
                "granted_audience": granted.audiences,
                "grant_types": request.grant_types,
            },
            "client_id": client.client_id,
            "granted_scopes": granted.scopes,
            "granted_audience": granted.audiences,
        }))
    }

    async fn session(&self, client: &Client, granted: &Granted) -> Result<Value, TokenError> {
        let kid = match granted.strategy {
            AccessTokenStrategy::Jwt => self.ring.signing_kid().await?,
            AccessTokenStrategy::Opaque => String::new(),
        };
        let claims = match granted.session() {
            Some(session) => self.id_token_claims(client, granted, session)?,
            None => json!({
                "sub": "", "aud": null, "nonce": "", "rat": NEVER, "auth_time": NEVER,
                "acr": "", "amr": null, "ext": null,
            }),
        };
        Ok(json!({
            "id_token": {
                "id_token_claims": {
                    "jti": "",
                    "iss": self.options.issuer,
                    "sub": claims["sub"],
                    "aud": claims["aud"],
                    "nonce": claims["nonce"],
                    "exp": NEVER,
                    "iat": time(granted.issued_at),
                    "rat": claims["rat"],
                    "auth_time": claims["auth_time"],
                    "at_hash": "",
                    "acr": claims["acr"],
                    "amr": claims["amr"],
                    "c_hash": "",
                    "ext": claims["ext"],
                },
                "headers": {"extra": null},
                "expires_at": {"access_token": time(granted.expires_at)},
                "subject": granted.subject(),
            },
            "extra": granted.extra,
            "kid": kid,
            "client_id": granted.client_id,
            "consent_challenge": granted.consent_id(),
            "exclude_not_before_claim": self.options.exclude_not_before_claim,
            "allowed_top_level_claims": self.options.allowed_top_level_claims,
            "mirror_top_level_claims": self.options.mirror_top_level_claims,
        }))
    }

    /// What an id token will say that differs from person to person.
    fn id_token_claims(
        &self,
        client: &Client,
        granted: &Granted,
        session: &Session,
    ) -> Result<Value, TokenError> {
        let said = &session.said;
        let mut ext = said.id_token_claims().clone();
        ext.insert("sid".to_owned(), json!(session.id));
        Ok(json!({
            "sub": self.told_subject(client, granted.subject(), &said.forced_subject)?,
            "aud": [client.client_id],
            "nonce": said.request().nonce.unwrap_or_default(),
            "rat": time(said.requested_at),
            "auth_time": time(said.authenticated_at),
            "acr": said.acr,
            "amr": (!said.amr.is_empty()).then_some(&said.amr),
            "ext": ext,
        }))
    }
}

/// The parameters that are no secrets, each a list.
fn payload(request: &TokenRequest) -> Map<String, Value> {
    let parameters = [
        ("client_id", request.client_id.clone()),
        ("grant_type", Some(request.grant_types.join(" "))),
        (
            "scope",
            (!request.scopes.is_empty()).then(|| request.scopes.join(" ")),
        ),
    ];
    let present = parameters
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!([value?]))));
    present.collect()
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
