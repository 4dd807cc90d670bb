//! Takes tokens back: one by its client (RFC 7009), all of a client by the administrator.

use std::time::{Duration, SystemTime};

use carnet_oauth::client::Client;

use crate::{
    domain::{AdminError, Authority, TokenError, authority::within, introspect::TokenId},
    store::{Revocation, Revoked},
};

/// Lifetimes may have been longer when the tokens were issued: the revocation of a client is
/// remembered for a year at least.
const REMEMBERED_AT_LEAST: i64 = 366 * 24 * 3600;

impl Authority {
    /// Revokes a token of this client. One that is another's, or none, is left alone without a
    /// word (RFC 7009, section 2.2).
    pub(crate) async fn revoke(&self, client: &Client, token: &str) -> Result<(), TokenError> {
        let Some(live) = self.live_token(token).await? else {
            return Ok(());
        };
        if live.client_id != client.client_id {
            return Ok(());
        }
        match live.id {
            TokenId::Opaque(digest) => within(self.store.delete_token(&digest)).await?,
            TokenId::Signed(jti) => {
                let revocation = Revocation {
                    revoked: Revoked::Token(jti),
                    not_before: self.now(),
                    expires_at: live.expires_at,
                };
                within(self.store.revoke(&revocation)).await?;
            }
        }
        Ok(())
    }

    /// Revokes all tokens of a client. Returns when the second of the revocation is over: `iat`
    /// has whole seconds, and a token asked for after the answer must not count as one from before.
    pub(crate) async fn revoke_client(&self, client_id: &str) -> Result<(), AdminError> {
        let lifetime = self.longest_lifetime(client_id).await?;
        let now = self.now();
        let revocation = Revocation {
            revoked: Revoked::Client(client_id.to_owned()),
            not_before: now,
            expires_at: now.saturating_add(lifetime),
        };
        within(self.store.revoke(&revocation)).await?;
        let passed = self
            .time()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let rest = Duration::from_secs(1) - Duration::from_nanos(passed.subsec_nanos().into());
        tokio::time::sleep(rest).await;
        Ok(())
    }

    /// How long a token of this client can still count.
    pub(super) async fn longest_lifetime(&self, client_id: &str) -> Result<i64, AdminError> {
        let row = within(self.store.find_client(client_id)).await?;
        let own = row
            .and_then(|row| {
                row.client
                    .lifespans
                    .client_credentials_grant_access_token_lifespan
            })
            .map_or(0, carnet_oauth::client::Lifespan::as_seconds);
        let usual = i64::try_from(self.options.ttl_access_token.as_secs()).unwrap_or(i64::MAX);
        Ok(own.max(usual).max(REMEMBERED_AT_LEAST))
    }
}
