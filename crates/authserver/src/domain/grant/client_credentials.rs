//! `client_credentials`: a client on its own behalf (RFC 6749, section 4.4).

use carnet_oauth::{
    Confirmation, ErrorCode,
    client::Client,
    grant::{CLIENT_CREDENTIALS, Grant},
    token_request::TokenRequest,
};

use crate::domain::{
    Authority, TokenError, claims,
    grant::{Granted, not_registered},
    policy,
};

impl Authority {
    /// What the client gets. The order of the checks is Hydra's.
    pub(super) async fn client_credentials(
        &self,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<Granted, TokenError> {
        let scopes = policy::scopes(&self.options, client, request)?;
        let audiences = policy::audiences(client, request)?;
        if client.is_public() {
            return Err(TokenError::refused(
                ErrorCode::InvalidGrant,
                "The client is public: it has no credentials of its own to be granted anything.",
            ));
        }
        self.token_limiter.take(client, &self.counters)?;
        let issued_at = self.now();
        let lifetime = client
            .lifespans
            .client_credentials_grant_access_token_lifespan
            .map_or_else(
                || i64::try_from(self.options.ttl_access_token.as_secs()).unwrap_or(i64::MAX),
                carnet_oauth::client::Lifespan::as_seconds,
            );
        let mut granted = Granted {
            client_id: client.client_id.clone(),
            scopes,
            audiences,
            issued_at,
            expires_at: issued_at.saturating_add(lifetime),
            strategy: self.strategy_of(client),
            profile: self.profile_of(client),
            person: None,
            actor: None,
            extra: Some(claims::sorted(client.access_token_claims.clone())),
            confirmation: Confirmation::default(),
        };
        self.ask_hooks(client, request, &mut granted).await?;
        if !client.allows_grant(CLIENT_CREDENTIALS) {
            return Err(not_registered(Grant::ClientCredentials));
        }
        Ok(granted)
    }
}
