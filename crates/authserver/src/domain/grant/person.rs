//! What a consent becomes: an access token, a refresh token where somebody may be away, an id token
//! where OpenID Connect is spoken.

use std::time::Duration;

use carnet_oauth::{
    ErrorCode,
    client::{Client, Lifespan},
    grant::REFRESH_TOKEN,
    token_request::TokenRequest,
    token_response::TokenResponse,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        authorize::Consented,
        claims,
        grant::{Granted, Person, response},
        opaque,
    },
    store::{ConsentRow, Exchange, RefreshTokenRow},
};

/// How long the tokens of a client count that come by one grant, where it says so.
pub(super) struct Lifespans {
    pub(super) access: Option<Lifespan>,
    pub(super) id: Option<Lifespan>,
    pub(super) refresh: Option<Lifespan>,
}

impl Authority {
    /// The digest of an opaque text that was shown; `None`: there is none, or it is none of ours.
    pub(super) fn shown(&self, kind: opaque::Kind, text: Option<&SecretString>) -> Option<String> {
        opaque::verified_digest(kind, &self.system, text?.expose_secret())
    }

    /// A consent, and what it says.
    pub(super) async fn consented(
        &self,
        id: &str,
    ) -> Result<Option<(ConsentRow, Consented)>, TokenError> {
        let Some(row) = within(self.store.find_consent(id)).await? else {
            return Ok(None);
        };
        let said = Consented::of(&row)?;
        Ok(Some((row, said)))
    }

    /// The tokens of a consent: as they are kept, and as they are told.
    pub(super) async fn tokens_of(
        &self,
        client: &Client,
        request: &TokenRequest,
        (row, said): (&ConsentRow, &Consented),
        lifespans: &Lifespans,
    ) -> Result<(Exchange, TokenResponse), TokenError> {
        let now = self.now();
        let usual = self.options.ttl_access_token;
        let mut extra = client.access_token_claims.clone();
        extra.extend(said.access_token.clone());
        let mut granted = Granted {
            client_id: client.client_id.clone(),
            scopes: said.granted_scopes.clone(),
            audiences: said.granted_audiences.clone(),
            issued_at: now,
            expires_at: end(now, lifespans.access, usual),
            strategy: self.strategy_of(client),
            profile: self.profile_of(client),
            person: Some(Person {
                subject: row.subject.clone(),
                consent_id: row.id.clone(),
            }),
            actor: None,
            extra: Some(claims::sorted(extra)),
        };
        self.ask_hook(client, request, &mut granted).await?;
        let (access_token, access) = self.access_token(&granted).await?;
        let access = access.ok_or_else(TokenError::internal)?;
        let mut told = response(&granted, access_token);
        if granted.scopes.iter().any(|scope| scope == "openid") {
            let until = end(now, lifespans.id, self.options.people.ttl_id_token);
            let access_token = told.access_token.expose_secret();
            let id_token = self.id_token(client, (row, said), access_token, until);
            told.id_token = Some(id_token.await?);
        }
        let mut refresh = None;
        if is_offline(&granted.scopes) && client.allows_grant(REFRESH_TOKEN) {
            let issued = opaque::issue(opaque::Kind::Refresh, &self.system, &*self.random);
            let (token, digest) = issued.ok_or_else(TokenError::internal)?;
            told.refresh_token = Some(token);
            refresh = Some(RefreshTokenRow {
                digest,
                consent_id: row.id.clone(),
                issued_at: now,
                used_at: 0,
                uses: 0,
                expires_at: match (lifespans.refresh, self.options.people.ttl_refresh_token) {
                    (None, None) => i64::MAX,
                    (own, usual) => end(now, own, usual.unwrap_or_default()),
                },
            });
        }
        let exchange = Exchange {
            access,
            refresh,
            now,
        };
        Ok((exchange, told))
    }
}

/// The refusal of what was shown for a grant, like a code (RFC 6749, section 5.2).
pub(in crate::domain) fn invalid_grant(text: &str) -> TokenError {
    TokenError::refused(ErrorCode::InvalidGrant, text)
}

fn is_offline(scopes: &[String]) -> bool {
    let names = ["offline", "offline_access"];
    scopes.iter().any(|scope| names.contains(&scope.as_str()))
}

fn end(now: i64, own: Option<Lifespan>, usual: Duration) -> i64 {
    let usual = i64::try_from(usual.as_secs()).unwrap_or(i64::MAX);
    now.saturating_add(own.map_or(usual, Lifespan::as_seconds))
}
