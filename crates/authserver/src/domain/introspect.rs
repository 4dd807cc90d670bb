//! What a token says, if it counts (RFC 7662). A signed token is verified with every key of the
//! set, not with the newest alone; then the revocations are looked up.

use carnet_jose::jwt;
use carnet_oauth::{
    Confirmation,
    introspection::{ActiveToken, Introspection},
};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::{
    domain::{
        Authority, TokenError, authority::within, authorize::Consented, claims, opaque,
        revocations::Judged,
    },
    store::RefreshTokenRow,
};

/// Another server of the same database may be so many seconds ahead: what it issued a moment ago
/// counts here. The end of a token has no such margin.
const SKEW: i64 = 60;

/// A token that counts, and what revoking it needs.
#[derive(Debug)]
pub(super) struct LiveToken {
    pub(super) client_id: String,
    /// The client, a person, or whom an assertion named.
    pub(super) subject: String,
    /// The consent that it hangs on; empty where there is none.
    pub(super) consent_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) issued_at: i64,
    not_before: i64,
    pub(super) expires_at: i64,
    pub(super) id: TokenId,
    /// Who acts for the subject.
    pub(super) actor: Option<Value>,
    /// Claims of the application.
    pub(super) ext: Map<String, Value>,
    /// By what it is bound to whoever may show it.
    pub(super) confirmation: Confirmation,
}

/// By what a token is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenId {
    /// The digest of an opaque token.
    Opaque(String),
    /// A signed one.
    Signed {
        jti: String,
        kid: String,
        /// Whether its key signed elsewhere too, and until when it did.
        foreign: Option<Foreign>,
    },
}

/// What is known of a key that came from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreign {
    /// Until when a server issued tokens whose rows came with it.
    until: Option<i64>,
}

impl LiveToken {
    /// Whether it is a JWT.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self.id, TokenId::Signed { .. })
    }
}

impl Authority {
    /// What the token says; `scopes` must all be granted, or it counts as inactive.
    pub(crate) async fn introspect(
        &self,
        token: &str,
        scopes: &[String],
    ) -> Result<Introspection, TokenError> {
        let (live, token_use) = match self.live_refresh_token(token).await? {
            Some(live) => (Some(live), "refresh_token"),
            None => (self.live_token(token).await?, "access_token"),
        };
        let Some(live) = live else {
            return Ok(Introspection::INACTIVE);
        };
        let strategy = self.options.scope_strategy;
        let granted =
            |scope: &String| strategy.allows(live.scopes.iter().map(String::as_str), scope);
        if !scopes.iter().all(granted) {
            return Ok(Introspection::INACTIVE);
        }
        Ok(Introspection::active(ActiveToken {
            scope: live.scopes.join(" "),
            sub: live.subject,
            client_id: live.client_id,
            exp: live.expires_at,
            iat: live.issued_at,
            nbf: live.not_before,
            aud: live.audiences,
            iss: self.options.issuer.clone(),
            token_type: match &live.confirmation.key {
                Some(_) => "DPoP".to_owned(),
                None => "Bearer".to_owned(),
            },
            token_use: token_use.to_owned(),
            act: live.actor,
            ext: live.ext,
            cnf: live.confirmation,
        }))
    }

    /// The token, when it counts: signed here, in its time, of a client that is there, not revoked.
    pub(super) async fn live_token(&self, token: &str) -> Result<Option<LiveToken>, TokenError> {
        let digest = opaque::verified_digest(opaque::Kind::Access, &self.system, token);
        let live = match digest {
            Some(digest) => self.opaque_token(digest).await?,
            None => self.signed_token(token),
        };
        let now = self.now();
        let is_in_time =
            |live: &LiveToken| live.not_before <= now.saturating_add(SKEW) && now < live.expires_at;
        let Some(live) = live.filter(is_in_time) else {
            return Ok(None);
        };
        if self.is_revoked(&live) || self.is_foreign(token, &live).await? {
            return Ok(None);
        }
        self.with_consent(token, live).await
    }

    /// A signed token that is not the client's own has a row, which goes before its time when
    /// another token takes its place.
    async fn with_consent(
        &self,
        token: &str,
        mut live: LiveToken,
    ) -> Result<Option<LiveToken>, TokenError> {
        let is_opaque = matches!(live.id, TokenId::Opaque(_));
        if is_opaque || live.subject == live.client_id {
            return Ok(Some(live));
        }
        let Some(digest) = opaque::signature_digest(token) else {
            return Ok(None);
        };
        let row = within(self.store.find_token(&digest)).await?;
        Ok(row.map(|row| {
            live.consent_id = row.holder.consent_id;
            live
        }))
    }

    /// The refresh token, when it counts: in its time and not used.
    pub(super) async fn live_refresh_token(
        &self,
        token: &str,
    ) -> Result<Option<LiveToken>, TokenError> {
        let digest = opaque::verified_digest(opaque::Kind::Refresh, &self.system, token);
        let Some(digest) = digest else {
            return Ok(None);
        };
        let row = within(self.store.find_refresh_token(&digest)).await?;
        let is_live = |row: &RefreshTokenRow| row.used_at == 0 && self.now() < row.expires_at;
        let Some(row) = row.filter(is_live) else {
            return Ok(None);
        };
        let Some(consent) = within(self.store.find_consent(&row.consent_id)).await? else {
            return Ok(None);
        };
        let said = Consented::of(&consent)?;
        let ext = said.access_token_claims().cloned().unwrap_or_default();
        Ok(Some(LiveToken {
            client_id: consent.client_id,
            subject: consent.subject,
            consent_id: consent.id,
            scopes: said.granted_scopes,
            audiences: said.granted_audiences,
            issued_at: row.issued_at,
            not_before: row.issued_at,
            expires_at: row.expires_at,
            id: TokenId::Opaque(digest),
            actor: None,
            ext,
            confirmation: row.confirmation,
        }))
    }

    /// Whether it was revoked here. The store is not asked: it would be once for each token.
    fn is_revoked(&self, live: &LiveToken) -> bool {
        let (jti, kid) = match &live.id {
            TokenId::Opaque(_) => (None, None),
            TokenId::Signed { jti, kid, .. } => (Some(jti.as_str()), Some(kid.as_str())),
        };
        let of = |client_id: &str, jti, kid| {
            self.revocations.is_revoked(&Judged {
                jti,
                client_id,
                kid,
                issued_at: live.issued_at,
            })
        };
        // What was exchanged for a machine's token ends with all that this machine has.
        of(&live.client_id, jti, kid) || live.actor.is_some() && of(&live.subject, None, None)
    }

    /// Whether it comes from elsewhere and does not count here: its client is none of ours (one that
    /// was deleted here has left a revocation, and the rows of opaque tokens go with their client),
    /// or the other server had revoked it before its keys came here.
    async fn is_foreign(&self, token: &str, live: &LiveToken) -> Result<bool, TokenError> {
        let TokenId::Signed {
            foreign: Some(foreign),
            ..
        } = &live.id
        else {
            return Ok(false);
        };
        let client = within(self.store.known_client(&live.client_id)).await?;
        if client.is_none() {
            return Ok(true);
        }
        if foreign.until.is_none_or(|until| until < live.issued_at) {
            return Ok(false);
        }
        let Some(digest) = opaque::signature_digest(token) else {
            return Ok(true);
        };
        Ok(within(self.store.find_token(&digest)).await?.is_none())
    }

    async fn opaque_token(&self, digest: String) -> Result<Option<LiveToken>, TokenError> {
        let row = within(self.store.find_token(&digest)).await?;
        Ok(row.map(|mut row| LiveToken {
            subject: match row.holder.subject.is_empty() {
                true => row.client_id.clone(),
                false => row.holder.subject,
            },
            consent_id: row.holder.consent_id,
            client_id: row.client_id,
            scopes: row.scopes,
            audiences: row.audiences,
            issued_at: row.issued_at,
            not_before: row.issued_at,
            expires_at: row.expires_at,
            id: TokenId::Opaque(digest),
            actor: row.ext.shift_remove("act"),
            ext: row.ext,
            confirmation: row.confirmation,
        }))
    }

    fn signed_token(&self, token: &str) -> Option<LiveToken> {
        let signed = self.ring.verify(token)?;
        let claims = &signed.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        (text("iss")? == self.options.issuer).then_some(())?;
        let issued_at = jwt::time(claims, "iat")?;
        let client_id = text("client_id")?;
        Some(LiveToken {
            subject: text("sub").unwrap_or_else(|| client_id.clone()),
            consent_id: String::new(),
            client_id,
            scopes: scopes(claims),
            audiences: texts(claims.get("aud")),
            issued_at,
            not_before: jwt::time(claims, "nbf").unwrap_or(issued_at),
            expires_at: jwt::time(claims, "exp")?,
            id: TokenId::Signed {
                jti: text("jti")?,
                kid: signed.kid.clone(),
                foreign: (!signed.is_made_here).then_some(Foreign {
                    until: signed.imported_until,
                }),
            },
            actor: claims.get("act").cloned(),
            ext: claims::extra(claims),
            confirmation: confirmation(claims)?,
        })
    }
}

/// By what a signed token is bound; `None` when that cannot be read.
fn confirmation(claims: &Map<String, Value>) -> Option<Confirmation> {
    match claims.get("cnf") {
        None => Some(Confirmation::default()),
        Some(cnf) => Confirmation::deserialize(cnf).ok(),
    }
}

/// The scopes that claims say.
pub(super) fn scopes(claims: &Map<String, Value>) -> Vec<String> {
    match claims.get("scp") {
        Some(list) => texts(Some(list)),
        None => {
            let joined = claims
                .get("scope")
                .and_then(Value::as_str)
                .unwrap_or_default();
            carnet_oauth::scope::split(joined)
        }
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let elements = list
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    elements
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
