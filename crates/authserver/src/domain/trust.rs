//! Issuers whose assertions are believed, as an administrator sees them. The key of an issuer is in
//! the set that is called like it.

use carnet_jose::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    domain::{
        AdminError, Authority, Missing,
        authority::within,
        keys::{ACCESS_TOKENS, ID_TOKENS},
        uuid,
    },
    store::{Insertion, TrustedIssuerRow},
};

/// An issuer to be trusted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewIssuer {
    issuer: Option<String>,
    subject: Option<String>,
    allow_any_subject: Option<bool>,
    scope: Option<Vec<String>>,
    jwk: Option<Map<String, Value>>,
    expires_at: Option<String>,
}

/// A trusted issuer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TrustedIssuer {
    /// Its id.
    pub(crate) id: String,
    /// The `iss` of its assertions.
    issuer: String,
    /// The `sub` of its assertions.
    subject: String,
    /// Whether any `sub` is allowed.
    allow_any_subject: bool,
    /// The scopes that its assertions may ask for.
    scope: Vec<String>,
    /// Where its key is.
    public_key: PublicKey,
    /// When it was made (RFC 3339).
    created_at: String,
    /// Until when it is trusted (RFC 3339).
    expires_at: String,
}

/// A key by its names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PublicKey {
    set: String,
    kid: String,
}

impl Authority {
    /// Trusts an issuer.
    pub(crate) async fn trust(&self, new: NewIssuer) -> Result<TrustedIssuer, AdminError> {
        let (row, key) = self.read_issuer(new)?;
        let held = self.ring.set(&row.key_set);
        let is_new = held.iter().all(|held| held.key.kid() != row.kid);
        if within(self.store.insert_trusted_issuer(&row)).await? == Insertion::Conflict {
            return Err(AdminError::Conflict);
        }
        // Before its key is there nobody is believed.
        if is_new {
            self.put_key(&row.key_set, &Value::Object(key)).await?;
        }
        Ok(shown(row))
    }

    /// A trusted issuer.
    pub(crate) async fn trusted_issuer(&self, id: &str) -> Result<TrustedIssuer, AdminError> {
        Ok(shown(self.issuer_row(id).await?))
    }

    /// All of them in the order of their ids, or those of one name.
    pub(crate) async fn trusted_issuers(
        &self,
        issuer: Option<&str>,
    ) -> Result<Vec<TrustedIssuer>, AdminError> {
        let rows = within(self.store.trusted_issuers()).await?.into_iter();
        let rows = rows.filter(|row| issuer.is_none_or(|issuer| row.issuer == issuer));
        Ok(rows.map(shown).collect())
    }

    /// Trusts an issuer no longer; its key goes, too, unless another one is by it.
    pub(crate) async fn distrust(&self, id: &str) -> Result<(), AdminError> {
        let row = self.issuer_row(id).await?;
        within(self.store.delete_trusted_issuer(id)).await?;
        let left = within(self.store.trusted_issuers()).await?;
        let is_used =
            |other: &TrustedIssuerRow| (&other.key_set, &other.kid) == (&row.key_set, &row.kid);
        if !left.iter().any(is_used) {
            self.delete_key(&row.key_set, &row.kid).await?;
        }
        Ok(())
    }

    async fn issuer_row(&self, id: &str) -> Result<TrustedIssuerRow, AdminError> {
        if !uuid::is_one(id) {
            return Err(AdminError::Malformed("The id is no UUID.".to_owned()));
        }
        let rows = within(self.store.trusted_issuers()).await?;
        let row = rows.into_iter().find(|row| row.id == id);
        row.ok_or(AdminError::NotFound(Missing::Resource))
    }

    fn read_issuer(
        &self,
        new: NewIssuer,
    ) -> Result<(TrustedIssuerRow, Map<String, Value>), AdminError> {
        let missing = |name: &str| AdminError::Absent(format!("Member '{name}' is missing."));
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let issuer = filled(new.issuer).ok_or_else(|| missing("issuer"))?;
        let any_subject = new.allow_any_subject.unwrap_or(false);
        let subject = filled(new.subject);
        if subject.is_none() && !any_subject {
            return Err(missing("subject"));
        }
        if subject.is_some() && any_subject {
            let text = "Members 'subject' and 'allow_any_subject' exclude each other.";
            return Err(AdminError::Malformed(text.to_owned()));
        }
        let key = new.jwk.ok_or_else(|| missing("jwk"))?;
        let kid = public_kid(&key)?.ok_or_else(|| missing("jwk.kid"))?;
        if [ACCESS_TOKENS, ID_TOKENS].contains(&issuer.as_str()) {
            let text = "Member 'issuer' is the name of a key set of this server.";
            return Err(AdminError::Malformed(text.to_owned()));
        }
        let expires_at = filled(new.expires_at).ok_or_else(|| missing("expires_at"))?;
        let expires_at: jiff::Timestamp = expires_at.parse().map_err(|_| {
            let text = "Member 'expires_at' must be a time as in 2030-01-01T00:00:00Z.";
            AdminError::Malformed(text.to_owned())
        })?;
        let row = TrustedIssuerRow {
            id: uuid::fresh(&*self.random),
            key_set: issuer.clone(),
            issuer,
            subject: subject.unwrap_or_default(),
            any_subject,
            scopes: new.scope.unwrap_or_default(),
            kid,
            created_at: self.now(),
            expires_at: expires_at.as_second(),
        };
        Ok((row, key))
    }
}

/// The name of a key that is public and can be used.
fn public_kid(key: &Map<String, Value>) -> Result<Option<String>, AdminError> {
    if ["k", "d"].iter().any(|name| key.contains_key(*name)) {
        let text = "Member 'jwk' must be a public key.";
        return Err(AdminError::Malformed(text.to_owned()));
    }
    let read = Jwk::from_object(key)
        .map_err(|error| AdminError::Malformed(format!("Member 'jwk' cannot be used: {error}.")))?;
    Ok(Some(read.kid().to_owned()).filter(|kid| !kid.is_empty()))
}

fn shown(row: TrustedIssuerRow) -> TrustedIssuer {
    let time = |seconds: i64| {
        let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    TrustedIssuer {
        created_at: time(row.created_at),
        expires_at: time(row.expires_at),
        public_key: PublicKey {
            set: row.key_set,
            kid: row.kid,
        },
        id: row.id,
        issuer: row.issuer,
        subject: row.subject,
        allow_any_subject: row.any_subject,
        scope: row.scopes,
    }
}
