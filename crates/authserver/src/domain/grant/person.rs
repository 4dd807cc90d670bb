//! What a consent becomes: an access token, a refresh token where somebody may be away, an id token
//! where OpenID Connect is spoken.

use std::time::Duration;

use carnet_oauth::{
    Confirmation, ErrorCode,
    client::{Client, Lifespan},
    grant::REFRESH_TOKEN,
    token_request::TokenRequest,
    token_response::TokenResponse,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        authorize::Consented,
        claims,
        grant::{Granted, Person, Session, response},
        opaque, policy,
    },
    store::{ConsentRow, Exchange, RefreshTokenRow},
};

/// On what terms tokens come by one grant.
pub(super) struct Terms {
    /// How long each counts, where the client says so.
    pub(super) access: Option<Lifespan>,
    pub(super) id: Option<Lifespan>,
    pub(super) refresh: Option<Lifespan>,
    /// By what they are bound to whoever may show them.
    pub(super) bound: Confirmation,
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
        terms: Terms,
    ) -> Result<(Exchange, TokenResponse), TokenError> {
        let mut granted = self.granted(client, (row, said), &terms);
        granted.audiences = policy::narrowed(&granted.audiences, request)?;
        self.ask_hooks(client, request, &mut granted).await?;
        let now = granted.issued_at;
        let said_now = granted.session().map_or(said, |session| &session.said);
        let (access_token, access) = self.access_token(&granted).await?;
        let access = access.ok_or_else(TokenError::internal)?;
        let mut told = response(&granted, access_token);
        if granted.scopes.iter().any(|scope| scope == "openid") {
            let until = end(now, terms.id, self.options.people.ttl_id_token);
            let access_token = told.access_token.expose_secret();
            let id_token = self.id_token(client, (row, said_now), access_token, until);
            told.id_token = Some(id_token.await?);
        }
        let mut refresh = None;
        if is_offline(&granted.scopes) && client.allows_grant(REFRESH_TOKEN) {
            let issued = opaque::issue(opaque::Kind::Refresh, &self.system, &*self.random);
            let (token, digest) = issued.ok_or_else(TokenError::internal)?;
            told.refresh_token = Some(token);
            refresh = Some(self.refresh_row(client, &granted, (row, digest), terms.refresh));
        }
        // A hook is not asked about `/userinfo`, and may leave things as they are the next time.
        let document = (said_now.hooked != said.hooked).then(|| said_now.to_document());
        let exchange = Exchange {
            access,
            refresh,
            document: document.transpose()?,
            now,
        };
        Ok((exchange, told))
    }

    /// What a consent grants, before a hook was asked.
    fn granted(
        &self,
        client: &Client,
        (row, said): (&ConsentRow, &Consented),
        terms: &Terms,
    ) -> Granted {
        let now = self.now();
        Granted {
            client_id: client.client_id.clone(),
            scopes: said.granted_scopes.clone(),
            audiences: said.granted_audiences.clone(),
            issued_at: now,
            expires_at: end(now, terms.access, self.options.ttl_access_token),
            strategy: self.strategy_of(client),
            profile: self.profile_of(client),
            person: Some(Person {
                subject: row.subject.clone(),
                consent_id: row.id.clone(),
                session: Some(Session {
                    id: row.session_id.clone(),
                    said: said.clone(),
                }),
            }),
            actor: None,
            extra: extra(client, said),
            confirmation: terms.bound.clone(),
        }
    }

    fn refresh_row(
        &self,
        client: &Client,
        granted: &Granted,
        (row, digest): (&ConsentRow, String),
        lifespan: Option<Lifespan>,
    ) -> RefreshTokenRow {
        RefreshTokenRow {
            digest,
            consent_id: row.id.clone(),
            // Whoever authenticates is held to that (RFC 9449, section 5; RFC 8705, section 7.1).
            confirmation: match client.is_public() {
                true => granted.confirmation.clone(),
                false => Confirmation::default(),
            },
            issued_at: granted.issued_at,
            used_at: 0,
            uses: 0,
            expires_at: match (lifespan, self.options.people.ttl_refresh_token) {
                (None, None) => i64::MAX,
                (own, usual) => end(granted.issued_at, own, usual.unwrap_or_default()),
            },
        }
    }
}

/// The refusal of what was shown for a grant, like a code (RFC 6749, section 5.2).
pub(in crate::domain) fn invalid_grant(text: &str) -> TokenError {
    TokenError::refused(ErrorCode::InvalidGrant, text)
}

/// The extra claims of an access token: those that a hook said, or the client's and the
/// application's; `None` where a hook left them open.
fn extra(client: &Client, said: &Consented) -> Option<Map<String, Value>> {
    let mut claims = match said.hooked {
        Some(_) => Map::new(),
        None => client.access_token_claims.clone(),
    };
    claims.extend(said.access_token_claims()?.clone());
    Some(claims::sorted(claims))
}

fn is_offline(scopes: &[String]) -> bool {
    let names = ["offline", "offline_access"];
    scopes.iter().any(|scope| names.contains(&scope.as_str()))
}

fn end(now: i64, own: Option<Lifespan>, usual: Duration) -> i64 {
    let usual = i64::try_from(usual.as_secs()).unwrap_or(i64::MAX);
    now.saturating_add(own.map_or(usual, Lifespan::as_seconds))
}
