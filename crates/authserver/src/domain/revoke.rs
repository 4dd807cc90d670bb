//! Takes tokens back: one by its client (RFC 7009), all of a client or of a key by the administrator.

use std::time::{Duration, SystemTime};

use carnet_oauth::client::Client;

use crate::{
    domain::{
        AdminError, Authority, TokenError,
        authority::within,
        introspect::{LiveToken, TokenId},
    },
    store::{Revocation, Revoked},
};

impl Authority {
    /// Revokes a token of this client. One that is another's, or none, is left alone without a
    /// word (RFC 7009, section 2.2).
    pub(crate) async fn revoke(&self, client: &Client, token: &str) -> Result<(), TokenError> {
        let live = match self.live_refresh_token(token).await? {
            Some(live) => Some(live),
            None => self.live_token(token).await?,
        };
        let Some(live) = live else {
            return Ok(());
        };
        if live.client_id != client.client_id {
            return Ok(());
        }
        // With a token of a person go all that hang on the same consent, as with Hydra.
        if self.is_consented(&live).await? {
            let now = self.now();
            within(self.store.end_consent(&live.consent_id, now)).await?;
            return Ok(self.revocations.settle(&live.client_id, now).await?);
        }
        match live.id {
            TokenId::Opaque(digest) => within(self.store.delete_token(&digest)).await?,
            TokenId::Signed { jti, .. } => {
                let revocation = Revocation {
                    revoked: Revoked::Token {
                        jti,
                        client_id: live.client_id,
                    },
                    not_before: live.issued_at,
                    expires_at: live.expires_at,
                };
                self.revocations.add(revocation, self.now()).await?;
            }
        }
        Ok(())
    }

    /// Whether a token hangs on a consent that its client was given. One that came by an exchange
    /// hangs on somebody else's, which its client does not end.
    async fn is_consented(&self, live: &LiveToken) -> Result<bool, TokenError> {
        if live.consent_id.is_empty() {
            return Ok(false);
        }
        let consent = within(self.store.find_consent(&live.consent_id)).await?;
        Ok(consent.is_some_and(|consent| consent.client_id == live.client_id))
    }

    /// Revokes all tokens of a client. Returns when the second of the revocation is over: `iat`
    /// has whole seconds, and a token asked for after the answer must not count as one from before.
    pub(crate) async fn revoke_client(&self, client_id: &str) -> Result<(), AdminError> {
        self.revoke_all(Revoked::Client(client_id.to_owned()))
            .await?;
        let passed = self
            .time()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let rest = Duration::from_secs(1) - Duration::from_nanos(passed.subsec_nanos().into());
        tokio::time::sleep(rest).await;
        Ok(())
    }

    /// Remembers that tokens of this client or key do not count which were issued until now, for as
    /// long as one of them could.
    pub(super) async fn revoke_all(&self, revoked: Revoked) -> Result<(), AdminError> {
        // Another server may have signed for longer than is known here.
        self.ring.refresh().await?;
        let now = self.now();
        let revocation = Revocation {
            revoked,
            not_before: now,
            expires_at: now.saturating_add(self.ring.longest_lifetime()),
        };
        Ok(self.revocations.add(revocation, now).await?)
    }
}
