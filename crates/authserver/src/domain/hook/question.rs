//! What the hook is told, in Hydra's form: the session that will become the token, and the request.
//! Neither has a secret in it.

use carnet_oauth::{client::Client, token_request::TokenRequest};
use serde_json::{Map, Value, json};

use crate::{
    AccessTokenStrategy,
    domain::{Authority, TokenError, grant::Granted},
};

/// What Go writes for a time that nobody set.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Authority {
    /// The question about a token of `client_credentials`.
    pub(super) async fn question(
        &self,
        client: &Client,
        request: &TokenRequest,
        granted: &Granted,
    ) -> Result<Value, TokenError> {
        let kid = match granted.strategy {
            AccessTokenStrategy::Jwt => self.ring.signing_kid().await?,
            AccessTokenStrategy::Opaque => String::new(),
        };
        Ok(json!({
            "session": self.session(granted, &kid),
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

    fn session(&self, granted: &Granted, kid: &str) -> Value {
        json!({
            "id_token": {
                "id_token_claims": {
                    "jti": "",
                    "iss": self.options.issuer,
                    "sub": "",
                    "aud": null,
                    "nonce": "",
                    "exp": NEVER,
                    "iat": time(granted.issued_at),
                    "rat": NEVER,
                    "auth_time": NEVER,
                    "at_hash": "",
                    "acr": "",
                    "amr": null,
                    "c_hash": "",
                    "ext": null,
                },
                "headers": {"extra": null},
                "expires_at": {"access_token": time(granted.expires_at)},
                "subject": granted.subject(),
            },
            "extra": granted.extra,
            "kid": kid,
            "client_id": granted.client_id,
            "consent_challenge": "",
            "exclude_not_before_claim": self.options.exclude_not_before_claim,
            "allowed_top_level_claims": self.options.allowed_top_level_claims,
            "mirror_top_level_claims": self.options.mirror_top_level_claims,
        })
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
