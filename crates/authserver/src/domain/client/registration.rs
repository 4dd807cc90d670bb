//! Clients that register themselves (RFC 7591) and look after themselves by a token (RFC 7592), where
//! the operator lets them. They cannot give themselves what an administrator gives: audiences,
//! tokens without a person, addresses that the server itself would call.

use carnet_oauth::{
    client::Client,
    grant::{CLIENT_CREDENTIALS, JWT_BEARER, TOKEN_EXCHANGE},
    scope,
};
use subtle::ConstantTimeEq as _;

use crate::domain::{AdminError, Authority, authority::within, opaque};

const OFF: &str = "Dynamic registration is not enabled.";

impl Authority {
    /// Registers a client under an id of its own.
    pub(crate) async fn register(&self, mut client: Client) -> Result<Client, AdminError> {
        self.require_registration()?;
        if client.client_secret.is_some() {
            let text = "A client that registers itself does not choose its secret.";
            return Err(AdminError::Malformed(text.to_owned()));
        }
        self.check_self_made(&mut client)?;
        client.client_id = String::new();
        self.create_client(client).await
    }

    /// The client of a token.
    pub(crate) async fn registered(&self, id: &str, token: &str) -> Result<Client, AdminError> {
        self.require_registered(id, token).await?;
        self.client(id).await
    }

    /// Replaces the client of a token, which works no longer: the answer has the next one.
    pub(crate) async fn register_again(
        &self,
        id: &str,
        token: &str,
        mut client: Client,
    ) -> Result<Client, AdminError> {
        self.require_registered(id, token).await?;
        if client.client_secret.is_some() {
            let text = "A client that registers itself does not choose its secret.";
            return Err(AdminError::Forbidden(text.to_owned()));
        }
        self.check_self_made(&mut client)?;
        let mut replaced = self.replace_client(id, client).await?;
        replaced.registration_access_token = Some(self.registration_token(id).await?);
        Ok(replaced)
    }

    /// Deletes the client of a token.
    pub(crate) async fn unregister(&self, id: &str, token: &str) -> Result<(), AdminError> {
        self.require_registered(id, token).await?;
        self.delete_client(id).await
    }

    /// A new token by which a client looks after itself; the one before works no longer.
    pub(super) async fn registration_token(
        &self,
        id: &str,
    ) -> Result<secrecy::SecretString, AdminError> {
        let issued = opaque::issue(opaque::Kind::Access, &self.system, &*self.random);
        let (token, digest) = issued.ok_or(AdminError::Internal)?;
        within(self.store.put_registration(id, &digest)).await?;
        Ok(token)
    }

    /// Whether a client may register at all, which is asked before its body is read.
    pub(crate) fn require_registration(&self) -> Result<(), AdminError> {
        match self.options.people.registration_enabled {
            true => Ok(()),
            false => Err(AdminError::Disabled(OFF)),
        }
    }

    /// Gives a client what those get who register themselves. It may name these audiences, as when it
    /// sends back what it was told (RFC 7592, section 2.2), and no others.
    fn check_self_made(&self, client: &mut Client) -> Result<(), AdminError> {
        let people = &self.options.people;
        let added = &people.added_audience;
        if client.audience.iter().any(|name| !added.contains(name)) {
            return Err(AdminError::Metadata(told("audience")));
        }
        check(client)?;
        client.audience.clone_from(added);
        if !people.added_scope.is_empty() {
            // Who registers none has the usual ones, which must not be displaced.
            let own = match client.scope.is_empty() {
                true => self.options.default_scope.join(" "),
                false => client.scope.clone(),
            };
            let all = format!("{own} {}", people.added_scope.join(" "));
            client.scope = scope::split(&all).join(" ");
        }
        Ok(())
    }

    /// An unknown client and a wrong token look the same.
    async fn require_registered(&self, id: &str, token: &str) -> Result<(), AdminError> {
        self.require_registration()?;
        let shown = opaque::verified_digest(opaque::Kind::Access, &self.system, token);
        let kept = within(self.store.find_registration(id)).await?;
        let is_same = match (&shown, &kept) {
            (Some(shown), Some(kept)) => bool::from(shown.as_bytes().ct_eq(kept.as_bytes())),
            _ => false,
        };
        match is_same {
            true => Ok(()),
            false => Err(AdminError::Unauthorized),
        }
    }
}

/// Whether a client says nothing that only an administrator may say of it.
fn check(client: &Client) -> Result<(), AdminError> {
    let has = |grant: &str| {
        let grants = client.grant_types.iter().flatten();
        grants.into_iter().any(|name| name == grant)
    };
    let is_metadata = client
        .metadata
        .as_object()
        .is_none_or(|members| !members.is_empty());
    for (name, is_set) in [
        ("metadata", is_metadata),
        ("jwks_uri", !client.jwks_uri.is_empty()),
        (
            "backchannel_logout_uri",
            !client.backchannel_logout_uri.is_empty(),
        ),
        (
            "sector_identifier_uri",
            !client.sector_identifier_uri.is_empty(),
        ),
        ("request_uris", !client.request_uris.is_empty()),
        (
            "grant_types",
            has(CLIENT_CREDENTIALS) || has(JWT_BEARER) || has(TOKEN_EXCHANGE),
        ),
    ] {
        if is_set {
            return Err(AdminError::Metadata(told(name)));
        }
    }
    for (name, is_set) in [
        ("skip_consent", client.skip_consent),
        ("skip_logout_consent", client.skip_logout_consent.is_some()),
        (
            "access_token_strategy",
            !client.access_token_strategy.is_empty(),
        ),
        (
            "access_token_profile",
            !client.access_token_profile.is_empty(),
        ),
        (
            "access_token_claims",
            !client.access_token_claims.is_empty(),
        ),
        ("token_limits", !client.token_limits.is_empty()),
        ("may_act_for", !client.may_act_for.is_empty()),
    ] {
        if is_set {
            return Err(AdminError::Parameter(told(name)));
        }
    }
    Ok(())
}

fn told(name: &str) -> String {
    format!("Member '{name}' holds what an administrator alone sets.")
}
