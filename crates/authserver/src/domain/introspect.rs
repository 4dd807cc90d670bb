//! What a token says, if it counts (RFC 7662). A signed token is verified with every key of the
//! set, not with the newest alone; then the revocations are looked up.

use carnet_jose::jwt;
use carnet_oauth::{
    ErrorCode,
    introspection::{ActiveToken, Introspection},
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::{
    Authority, TokenError, authority::within, claims, opaque, revocations::Judged,
};

/// Another server of the same database may be so many seconds ahead: what it issued a moment ago
/// counts here. The end of a token has no such margin.
const SKEW: i64 = 60;

/// A token that counts, and what revoking it needs.
#[derive(Debug)]
pub(super) struct LiveToken {
    pub(super) client_id: String,
    /// The client, or the person of a token that another server issued.
    subject: String,
    pub(super) scopes: Vec<String>,
    audiences: Vec<String>,
    pub(super) issued_at: i64,
    not_before: i64,
    pub(super) expires_at: i64,
    pub(super) id: TokenId,
    /// Claims of the application.
    ext: Map<String, Value>,
}

/// The answer of `/userinfo` to a machine.
#[derive(Debug, Serialize)]
pub(crate) struct UserInfo {
    aud: [String; 1],
    iat: i64,
    iss: String,
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

impl Authority {
    /// What the token says; `scopes` must all be granted, or it counts as inactive.
    pub(crate) async fn introspect(
        &self,
        token: &str,
        scopes: &[String],
    ) -> Result<Introspection, TokenError> {
        let Some(live) = self.live_token(token).await? else {
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
            token_type: "Bearer".to_owned(),
            token_use: "access_token".to_owned(),
            ext: live.ext,
        }))
    }

    /// What a machine's token says about its bearer: there is nobody but the client.
    pub(crate) async fn userinfo(&self, token: &str) -> Result<UserInfo, TokenError> {
        let live = self.live_token(token).await?.ok_or_else(|| {
            let text = "The request has no token that counts.";
            TokenError::refused(ErrorCode::RequestUnauthorized, text)
        })?;
        Ok(UserInfo {
            aud: [live.client_id],
            iat: live.issued_at,
            iss: self.options.issuer.clone(),
        })
    }

    /// The token, when it counts: signed here, in its time, of a client that is there, not revoked.
    pub(super) async fn live_token(&self, token: &str) -> Result<Option<LiveToken>, TokenError> {
        let live = if let Some(digest) = opaque::verified_digest(&self.system, token) {
            self.opaque_token(digest).await?
        } else {
            self.signed_token(token)
        };
        let now = self.now();
        let is_in_time =
            |live: &LiveToken| live.not_before <= now.saturating_add(SKEW) && now < live.expires_at;
        let Some(live) = live.filter(is_in_time) else {
            return Ok(None);
        };
        let is_revoked = self.is_revoked(&live) || self.is_foreign(token, &live).await?;
        Ok((!is_revoked).then_some(live))
    }

    /// Whether it was revoked here. The store is not asked: it would be once for each token.
    fn is_revoked(&self, live: &LiveToken) -> bool {
        let (jti, kid) = match &live.id {
            TokenId::Opaque(_) => (None, None),
            TokenId::Signed { jti, kid, .. } => (Some(jti.as_str()), Some(kid.as_str())),
        };
        self.revocations.is_revoked(&Judged {
            jti,
            client_id: &live.client_id,
            kid,
            issued_at: live.issued_at,
        })
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
        Ok(row.map(|row| LiveToken {
            subject: row.client_id.clone(),
            client_id: row.client_id,
            scopes: row.scopes,
            audiences: row.audiences,
            issued_at: row.issued_at,
            not_before: row.issued_at,
            expires_at: row.expires_at,
            id: TokenId::Opaque(digest),
            ext: row.ext,
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
            ext: claims::extra(claims),
        })
    }
}

fn scopes(claims: &Map<String, Value>) -> Vec<String> {
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
