//! `urn:ietf:params:oauth:grant-type:device_code`: a device asks whether its person has consented
//! (RFC 8628, section 3.4).

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
    store::{Redemption, Reuse},
};

impl Authority {
    /// The tokens of a device.
    pub(super) async fn device_code(
        &self,
        client: &Client,
        request: &TokenRequest,
        bound: Confirmation,
    ) -> Result<TokenResponse, TokenError> {
        if !client.allows_grant(Grant::DeviceCode.name()) {
            return Err(not_registered(Grant::DeviceCode));
        }
        let unknown = || invalid_grant("The device code is missing, or none that counts.");
        let digest = self.shown(opaque::Kind::Device, request.device_code.as_ref());
        let digest = digest.ok_or_else(unknown)?;
        // Where a person consented, the device's code has become one to be redeemed.
        let Some(row) = within(self.store.find_code(&digest)).await? else {
            return Err(self.waiting_device(client, &digest).await?);
        };
        let consent = self.consented(&row.consent_id).await?;
        let (consent, said) = consent.ok_or_else(unknown)?;
        if consent.client_id != client.client_id {
            return Err(unknown());
        }
        // It counts once. But a device whose answer was late or lost asks again (section 3.5), and
        // has no browser that somebody could watch: what was given stays, as with Hydra.
        if row.used_at != 0 || self.now() >= row.expires_at {
            return Err(unknown());
        }
        let spans = &client.lifespans;
        let terms = Terms {
            access: spans.device_authorization_grant_access_token_lifespan,
            id: spans.device_authorization_grant_id_token_lifespan,
            refresh: spans.device_authorization_grant_refresh_token_lifespan,
            bound,
        };
        let made = self.tokens_of(client, request, (&consent, &said), terms);
        let (exchange, told) = made.await?;
        let again = Reuse::ChangesNothing;
        match within(self.store.redeem_code(&digest, &exchange, again)).await? {
            Redemption::Done => Ok(told),
            Redemption::Gone | Redemption::Used => Err(unknown()),
        }
    }
}
