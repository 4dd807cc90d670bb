//! Sessions of people, as an administrator sees and ends them.

use serde_json::{Value, json};

use crate::{
    domain::{AdminError, Authority, TokenError, authority::within, authorize::Consented},
    store::{ConsentQuery, ConsentRow, ConsentsOf},
};

/// Whose login ends.
#[derive(Debug)]
pub(crate) enum Logins {
    /// All of a person.
    Of(String),
    /// The one of this id.
    One(String),
}

impl Authority {
    /// Forgets logins. Their browsers have to log in again.
    pub(crate) async fn revoke_logins(&self, logins: &Logins) -> Result<(), AdminError> {
        let deleted = match logins {
            Logins::Of(subject) => within(self.store.delete_sessions_of(subject)).await,
            Logins::One(id) => within(self.store.delete_session(id)).await,
        };
        Ok(deleted?)
    }

    /// Takes back what a person let clients do, with all its tokens.
    pub(crate) async fn revoke_consents(&self, of: &ConsentsOf) -> Result<(), AdminError> {
        let now = self.now();
        within(self.store.revoke_consents(of, now)).await?;
        let client_id = of.client_id.as_deref().unwrap_or_default();
        Ok(self.revocations.settle(client_id, now).await?)
    }

    /// What a person lets clients do, and whether more follows.
    pub(crate) async fn list_consents(
        &self,
        mut query: ConsentQuery,
    ) -> Result<(Vec<(String, Value)>, bool), AdminError> {
        let limit = query.limit as usize;
        query.limit += 1;
        let mut rows = within(self.store.list_consents(&query)).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            told.push((row.id.clone(), self.consent_session(&row).await?));
        }
        Ok((told, more))
    }

    async fn consent_session(&self, row: &ConsentRow) -> Result<Value, AdminError> {
        let said = Consented::of(row).map_err(|error| match error {
            TokenError::Unavailable => AdminError::Unavailable,
            _ => AdminError::Internal,
        })?;
        let client = self.client(&row.client_id).await?;
        let request = said.request();
        let base = self.options.public_base();
        let handled_at = jiff::Timestamp::from_second(row.handled_at).unwrap_or_default();
        Ok(json!({
            "consent_request_id": row.id,
            "grant_scope": said.granted_scopes,
            "grant_access_token_audience": said.granted_audiences,
            "session": {"access_token": said.access_token, "id_token": said.id_token},
            "remember": said.remember_for.is_some(),
            "remember_for": said.remember_for.unwrap_or(0),
            "handled_at": handled_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "context": said.context,
            "consent_request": {
                "challenge": "",
                "consent_request_id": row.id,
                "requested_scope": request.scopes,
                "requested_access_token_audience": request.audiences,
                "skip": row.is_skipped,
                "subject": row.subject,
                "oidc_context": {},
                "client": client,
                "request_url": format!("{base}/oauth2/auth?{}", said.query),
                "login_challenge": said.login_challenge,
                "login_session_id": row.session_id,
                "acr": said.acr,
                "amr": said.amr,
                "context": said.login_context,
            },
        }))
    }
}
