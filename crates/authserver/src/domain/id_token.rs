//! ID tokens (OpenID Connect Core, section 2): who logged in, told to the client in a signed text.

use carnet_jose::{Algorithm, half_hash};
use carnet_oauth::client::Client;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        Authority, TokenError,
        authorize::Consented,
        claims,
        keys::{
            ID_TOKENS,
            ring::{Kind, Unsigned},
        },
        uuid,
    },
    store::ConsentRow,
};

impl Authority {
    /// The id token that comes with an access token.
    pub(super) async fn id_token(
        &self,
        client: &Client,
        (row, said): (&ConsentRow, &Consented),
        access_token: &str,
        expires_at: i64,
    ) -> Result<SecretString, TokenError> {
        let now = self.now();
        let algorithm = self.ring.algorithm(ID_TOKENS).await?;
        let mut claims = self.about(client, row, said)?;
        claims.extend([
            (
                "at_hash".to_owned(),
                json!(half_hash(algorithm, access_token)),
            ),
            ("exp".to_owned(), json!(expires_at)),
            ("iat".to_owned(), json!(now)),
            ("jti".to_owned(), json!(uuid::fresh(&*self.random))),
            ("sid".to_owned(), json!(row.session_id)),
        ]);
        let request = said.request();
        let more = [
            ("nonce", request.nonce.map(Value::from)),
            ("acr", (!said.acr.is_empty()).then(|| json!(said.acr))),
            ("amr", (!said.amr.is_empty()).then(|| json!(said.amr))),
        ];
        let more = more.into_iter();
        claims.extend(more.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        self.signed_for_id(claims, expires_at - now).await
    }

    /// The algorithm of id tokens now.
    pub(crate) async fn id_token_algorithm(&self) -> Result<Algorithm, TokenError> {
        self.ring.algorithm(ID_TOKENS).await
    }

    /// Signs claims with the key for id tokens.
    pub(super) async fn signed_for_id(
        &self,
        claims: Map<String, Value>,
        lifetime: i64,
    ) -> Result<SecretString, TokenError> {
        let claims = Value::Object(claims::sorted(claims)).to_string();
        let unsigned = Unsigned {
            claims: claims.into_bytes(),
            kind: Kind::Jwt,
            lifetime,
        };
        self.ring.sign(ID_TOKENS, unsigned).await
    }

    /// What an id token and `/userinfo` say alike. The application's claims come first, so that ours
    /// stand over them.
    pub(super) fn about(
        &self,
        client: &Client,
        row: &ConsentRow,
        said: &Consented,
    ) -> Result<Map<String, Value>, TokenError> {
        let mut claims = said.id_token_claims().clone();
        for name in [
            "at_hash", "exp", "iat", "jti", "sid", "nonce", "acr", "amr", "c_hash",
        ] {
            claims.shift_remove(name);
        }
        claims.extend([
            ("aud".to_owned(), json!([row.client_id])),
            ("auth_time".to_owned(), json!(said.authenticated_at)),
            ("iss".to_owned(), json!(self.options.issuer)),
            ("rat".to_owned(), json!(said.requested_at)),
            (
                "sub".to_owned(),
                json!(self.told_subject(client, &row.subject, &said.forced_subject)?),
            ),
        ]);
        Ok(claims)
    }
}
