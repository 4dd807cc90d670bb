//! What a token says about its bearer (OpenID Connect Core, section 5.3).

use carnet_oauth::ErrorCode;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::domain::{Authority, TokenError, authority::within, authorize::Consented, uuid};

/// What is said of a bearer.
#[derive(Debug)]
pub(crate) enum UserInfo {
    Plain(Map<String, Value>),
    /// Signed with the key of id tokens, for a client that wants it so.
    Signed(SecretString),
}

impl Authority {
    /// Who is behind a token. Of a machine's there is nobody but the client.
    pub(crate) async fn userinfo(&self, token: &str) -> Result<UserInfo, TokenError> {
        let refused = || {
            let text = "The request has no token that counts.";
            TokenError::refused(ErrorCode::RequestUnauthorized, text)
        };
        let live = self.live_token(token).await?.ok_or_else(refused)?;
        let client = within(self.store.known_client(&live.client_id)).await?;
        let client = &client.ok_or_else(refused)?.client;
        let mut info = Map::new();
        if !live.consent_id.is_empty()
            && let Some(row) = within(self.store.find_consent(&live.consent_id)).await?
        {
            let said = Consented::of(&row)?;
            info = self.about(client, &row, &said)?;
        }
        info.insert("aud".to_owned(), json!([live.client_id]));
        info.insert("iat".to_owned(), json!(live.issued_at));
        info.insert("iss".to_owned(), json!(self.options.issuer));
        if matches!(client.userinfo_signed_response_alg.as_str(), "" | "none") {
            info.sort_keys();
            return Ok(UserInfo::Plain(info));
        }
        info.insert("jti".to_owned(), json!(uuid::fresh(&*self.random)));
        let lifetime = live.expires_at.saturating_sub(live.issued_at);
        Ok(UserInfo::Signed(self.signed_for_id(info, lifetime).await?))
    }
}
