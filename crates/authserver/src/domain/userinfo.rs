//! What a token says about its bearer (OpenID Connect Core, section 5.3).

use carnet_oauth::ErrorCode;
use serde_json::{Map, Value, json};

use crate::domain::{
    Authority, TokenError, authority::within, authorize::Consented, bound::Showing,
};

impl Authority {
    /// Who is behind a token. Of a machine's there is nobody but the client.
    pub(crate) async fn userinfo(
        &self,
        token: &str,
        showing: &Showing<'_>,
    ) -> Result<Map<String, Value>, TokenError> {
        let live = self.live_token(token).await?.ok_or_else(|| {
            let text = "The request has no token that counts.";
            TokenError::refused(ErrorCode::RequestUnauthorized, text)
        })?;
        self.check_showing(token, &live.confirmation, showing)
            .await?;
        let mut info = Map::new();
        if !live.consent_id.is_empty()
            && let Some(row) = within(self.store.find_consent(&live.consent_id)).await?
        {
            let said = Consented::of(&row)?;
            info = self.about(&row, &said);
        }
        info.insert("aud".to_owned(), json!([live.client_id]));
        info.insert("iat".to_owned(), json!(live.issued_at));
        info.insert("iss".to_owned(), json!(self.options.issuer));
        info.sort_keys();
        Ok(info)
    }
}
