//! `refresh_token`: new tokens for old ones (RFC 6749, section 6). A refresh token is used once: the
//! next one takes its place, and one that comes again ends all tokens of its consent (RFC 9700,
//! section 4.14.2).

use carnet_oauth::{
    Confirmation, client::Client, grant::Grant, token_request::TokenRequest,
    token_response::TokenResponse,
};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        grant::{
            not_registered,
            person::{Terms, invalid_grant},
        },
        opaque,
    },
    store::{Grace, Redemption},
};

impl Authority {
    /// The tokens of a refresh token: all scopes again, whatever the request names, as Hydra does.
    pub(super) async fn refresh_token(
        &self,
        client: &Client,
        request: &TokenRequest,
        bound: Confirmation,
    ) -> Result<TokenResponse, TokenError> {
        if !client.allows_grant(Grant::RefreshToken.name()) {
            return Err(not_registered(Grant::RefreshToken));
        }
        let unknown = || invalid_grant("The refresh token is missing, or none that counts.");
        let digest = self.shown(opaque::Kind::Refresh, request.refresh_token.as_ref());
        let digest = digest.ok_or_else(unknown)?;
        let row = within(self.store.find_refresh_token(&digest)).await?;
        let row = row.ok_or_else(unknown)?;
        let consent = self.consented(&row.consent_id).await?;
        let (consent, said) = consent.ok_or_else(unknown)?;
        if consent.client_id != client.client_id {
            return Err(invalid_grant(
                "The refresh token was given to another client.",
            ));
        }
        if self.now() >= row.expires_at {
            return Err(unknown());
        }
        if !row.confirmation.is_met_by(&bound) {
            return Err(invalid_grant(
                "The refresh token is bound to another key or certificate.",
            ));
        }
        let spans = &client.lifespans;
        let terms = Terms {
            access: spans.refresh_token_grant_access_token_lifespan,
            id: spans.refresh_token_grant_id_token_lifespan,
            refresh: spans.refresh_token_grant_refresh_token_lifespan,
            bound,
        };
        let made = self.tokens_of(client, request, (&consent, &said), terms);
        let (exchange, told) = made.await?;
        let people = &self.options.people;
        let grace = Grace {
            period: i64::try_from(people.grace_period.as_secs()).unwrap_or(i64::MAX),
            uses: people.grace_uses.into(),
        };
        let redeemed = self.store.redeem_refresh_token(&digest, &exchange, grace);
        match within(redeemed).await? {
            Redemption::Done => Ok(told),
            Redemption::Gone => Err(unknown()),
            Redemption::Used => {
                let settled = self.revocations.settle(&consent.client_id, exchange.now);
                settled.await?;
                Err(invalid_grant("The refresh token was used before."))
            }
        }
    }
}
