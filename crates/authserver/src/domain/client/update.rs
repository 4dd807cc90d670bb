//! Changes of a client: a replacement, a patch, its lifetimes. A secret changes only when a new
//! one is sent, and is shown in that answer alone. Changes come one after the other: one that was
//! read before another was written must not bring an old secret back.

use carnet_oauth::client::{Client, Lifespans};
use serde_json::Value;

use crate::{
    domain::{
        AdminError, Authority, Missing,
        authority::within,
        client::{is_empty, json_patch, metadata, rotation},
        secret::verifier::Origin,
    },
    store::ClientRow,
};

/// So often is a change tried that others forestall.
const ATTEMPTS: usize = 20;

/// A change of one client.
#[derive(Debug)]
pub(super) enum Change<'a> {
    Replace(&'a Client),
    Patch(&'a Value),
    Lifespans(&'a Lifespans),
    RotateSecret,
    DropRotatedSecrets,
}

impl Authority {
    /// Replaces a client. What is absent goes back to its default; the id is the path's.
    pub(crate) async fn replace_client(
        &self,
        id: &str,
        client: Client,
    ) -> Result<Client, AdminError> {
        self.change_client(id, Change::Replace(&client)).await
    }

    /// Applies a JSON Patch (RFC 6902): all of it or nothing.
    pub(crate) async fn patch_client(&self, id: &str, patch: &Value) -> Result<Client, AdminError> {
        let saved = self.change_client(id, Change::Patch(patch)).await?;
        Ok(Client {
            client_secret: saved.client_secret.clone(),
            ..saved.as_stored()
        })
    }

    /// Sets the lifetimes of a client; one that is absent is the server's again.
    pub(crate) async fn set_lifespans(
        &self,
        id: &str,
        lifespans: Lifespans,
    ) -> Result<Client, AdminError> {
        let change = Change::Lifespans(&lifespans);
        Ok(self.change_client(id, change).await?.as_stored())
    }

    /// Changes a client, and does so again where another server changed it meanwhile.
    pub(super) async fn change_client(
        &self,
        id: &str,
        change: Change<'_>,
    ) -> Result<Client, AdminError> {
        let _writing = self.client_writes.lock().await;
        for _ in 0..ATTEMPTS {
            let before = self.client_row(id).await?;
            let (after, shown) = self.changed(before.clone(), &change).await?;
            if within(self.store.replace_client(&before, &after)).await? {
                return Ok(shown);
            }
        }
        tracing::warn!(
            client.id = id,
            "other servers change the client all the time"
        );
        Err(AdminError::Unavailable)
    }

    /// What is written of a changed client, and what its administrator gets to see.
    async fn changed(
        &self,
        before: ClientRow,
        change: &Change<'_>,
    ) -> Result<(ClientRow, Client), AdminError> {
        let client = match change {
            Change::Replace(client) => (*client).clone(),
            Change::Patch(patch) => patched(&before.client, patch)?,
            Change::Lifespans(lifespans) => Client {
                lifespans: (*lifespans).clone(),
                ..before.client.clone()
            },
            Change::RotateSecret => return self.rotated(before).await,
            Change::DropRotatedSecrets => return Ok(self.without_rotated(before)),
        };
        self.completed(before, client).await
    }

    async fn completed(
        &self,
        before: ClientRow,
        mut client: Client,
    ) -> Result<(ClientRow, Client), AdminError> {
        let secret = client
            .client_secret
            .take()
            .filter(|secret| !is_empty(secret));
        client.client_id.clone_from(&before.client.client_id);
        client.registration_access_token = None;
        client.registration_client_uri = String::new();
        metadata::complete(&self.options, &mut client);
        metadata::check(&self.options, &client, secret.as_ref())?;
        self.check_sector(&client, Some(&before.client)).await?;
        self.stamp(&mut client, Some(before.client.created_at));
        let (secret_hash, rotated) = match &secret {
            None => (before.secret_hash, before.rotated),
            Some(secret) => {
                let id = &client.client_id;
                let hash = self.verifier.hash(id, secret, Origin::Supplied).await;
                (hash.ok_or(AdminError::Internal)?, Vec::new())
            }
        };
        let row = ClientRow {
            client: client.clone().as_stored(),
            secret_hash,
            rotated,
        };
        client.rotated_secrets = rotation::visible(&row.rotated);
        client.client_secret = secret.filter(|_| !client.is_public());
        Ok((row, client))
    }
}

/// A client with a patch applied.
fn patched(client: &Client, patch: &Value) -> Result<Client, AdminError> {
    let inapplicable = |text: String| AdminError::Malformed(text);
    let operations = json_patch::read(patch).map_err(inapplicable)?;
    let touches = |member| {
        let mut operations = operations.iter();
        operations.any(|operation| operation.touches(member))
    };
    if touches("client_id") {
        return Err(AdminError::NotFound(Missing::Resource));
    }
    if touches("rotated_secrets") {
        return Err(inapplicable(
            "Member 'rotated_secrets' is read-only; POST and DELETE of 'secrets/rotate' change it."
                .to_owned(),
        ));
    }
    let mut document = serde_json::to_value(client).map_err(|_| AdminError::Internal)?;
    for operation in operations {
        operation.apply(&mut document).map_err(inapplicable)?;
    }
    serde_json::from_value::<Client>(document).map_err(|error| {
        AdminError::Malformed(format!("The patched client cannot be used: {error}."))
    })
}
