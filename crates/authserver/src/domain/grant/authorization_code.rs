//! `authorization_code`: a code that a person's browser brought (RFC 6749, section 4.1.3).

use carnet_oauth::{
    Confirmation, client::Client, grant::Grant, token_request::TokenRequest,
    token_response::TokenResponse,
};
use secrecy::ExposeSecret as _;

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        authorize::{Code, pkce},
        grant::{
            not_registered,
            person::{Terms, invalid_grant},
        },
        opaque,
    },
    store::{CodeRow, ConsentRow, Redemption, Reuse},
};

impl Authority {
    /// The tokens of a code. One that was used before takes back what it gave (section 4.1.2).
    pub(super) async fn authorization_code(
        &self,
        client: &Client,
        request: &TokenRequest,
        bound: Confirmation,
    ) -> Result<TokenResponse, TokenError> {
        if !client.allows_grant(Grant::AuthorizationCode.name()) {
            return Err(not_registered(Grant::AuthorizationCode));
        }
        let unknown = || invalid_grant("The code is missing, or none that counts.");
        let digest = self.shown(opaque::Kind::Code, request.code.as_ref());
        let digest = digest.ok_or_else(unknown)?;
        let row = within(self.store.find_code(&digest)).await?;
        let row = row.ok_or_else(unknown)?;
        let consent = self.consented(&row.consent_id).await?;
        let (consent, said) = consent.ok_or_else(unknown)?;
        if row.used_at != 0 {
            self.end_consent(&consent).await?;
            return Err(used_before());
        }
        if self.now() >= row.expires_at {
            return Err(unknown());
        }
        check(client, request, &row, &consent)?;
        check_key(&row, &bound)?;
        let spans = &client.lifespans;
        let terms = Terms {
            access: spans.authorization_code_grant_access_token_lifespan,
            id: spans.authorization_code_grant_id_token_lifespan,
            refresh: spans.authorization_code_grant_refresh_token_lifespan,
            bound,
        };
        let made = self.tokens_of(client, request, (&consent, &said), terms);
        let (exchange, told) = made.await?;
        let redeemed = self
            .store
            .redeem_code(&digest, &exchange, Reuse::EndsConsent);
        match within(redeemed).await? {
            Redemption::Done => Ok(told),
            Redemption::Gone => Err(unknown()),
            Redemption::Used => {
                let settled = self.revocations.settle(&consent.client_id, exchange.now);
                settled.await?;
                Err(used_before())
            }
        }
    }

    /// Ends all tokens of a consent, here before this returns.
    pub(in crate::domain) async fn end_consent(
        &self,
        consent: &ConsentRow,
    ) -> Result<(), TokenError> {
        let now = self.now();
        within(self.store.end_consent(&consent.id, now)).await?;
        Ok(self.revocations.settle(&consent.client_id, now).await?)
    }
}

fn used_before() -> TokenError {
    invalid_grant("The code was used before.")
}

/// Whether a code that was asked for with a key comes with a proof of it (RFC 9449, section 10).
fn check_key(row: &CodeRow, bound: &Confirmation) -> Result<(), TokenError> {
    let code = Code::of(row)?;
    match code.key.is_none() || code.key == bound.key {
        true => Ok(()),
        false => Err(invalid_grant(
            "The code was asked for with another key than that of the DPoP proof.",
        )),
    }
}

/// Whether whoever shows a code is who asked for it.
fn check(
    client: &Client,
    request: &TokenRequest,
    row: &CodeRow,
    consent: &ConsentRow,
) -> Result<(), TokenError> {
    let code = Code::of(row)?;
    if code.is_of_device {
        return Err(invalid_grant("The code is missing, or none that counts."));
    }
    if consent.client_id != client.client_id {
        return Err(invalid_grant("The code was given to another client."));
    }
    if code.redirect_uri.is_some() && code.redirect_uri != request.redirect_uri {
        return Err(invalid_grant(
            "Parameter 'redirect_uri' is not the one that the code was sent to.",
        ));
    }
    let verifier = request
        .code_verifier
        .as_ref()
        .map(|text| text.expose_secret());
    let is_proven = match (&code.challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            pkce::is_well_formed(verifier) && pkce::verifies(challenge, verifier)
        }
        // A verifier without a challenge: somebody took the challenge out of the request
        // (RFC 9700, section 2.1.1).
        _ => false,
    };
    match is_proven {
        true => Ok(()),
        false => Err(invalid_grant(
            "Parameter 'code_verifier' is not the one that the code was asked for with.",
        )),
    }
}
