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

impl Authority {
    /// Replaces a client. What is absent goes back to its default; the id is the path's.
    pub(crate) async fn replace_client(
        &self,
        id: &str,
        client: Client,
    ) -> Result<Client, AdminError> {
        let _writing = self.client_writes.lock().await;
        let before = self.client_row(id).await?;
        self.save(before, client).await
    }

    /// Applies a JSON Patch (RFC 6902): all of it or nothing.
    pub(crate) async fn patch_client(&self, id: &str, patch: &Value) -> Result<Client, AdminError> {
        let _writing = self.client_writes.lock().await;
        let before = self.client_row(id).await?;
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
        let mut document =
            serde_json::to_value(&before.client).map_err(|_| AdminError::Internal)?;
        for operation in operations {
            operation.apply(&mut document).map_err(inapplicable)?;
        }
        let client = serde_json::from_value::<Client>(document).map_err(|error| {
            AdminError::Malformed(format!("The patched client cannot be used: {error}."))
        })?;
        let saved = self.save(before, client).await?;
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
        let _writing = self.client_writes.lock().await;
        let before = self.client_row(id).await?;
        let client = Client {
            lifespans,
            ..before.client.clone()
        };
        Ok(self.save(before, client).await?.as_stored())
    }

    async fn save(&self, before: ClientRow, mut client: Client) -> Result<Client, AdminError> {
        let secret = client
            .client_secret
            .take()
            .filter(|secret| !is_empty(secret));
        client.client_id.clone_from(&before.client.client_id);
        client.registration_access_token = None;
        client.registration_client_uri = String::new();
        metadata::complete(&self.options, &mut client);
        metadata::check(&self.options, &client, secret.as_ref())?;
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
        if !within(self.store.update_client(&row)).await? {
            return Err(AdminError::NotFound(Missing::Resource));
        }
        client.rotated_secrets = rotation::visible(&row.rotated);
        client.client_secret = secret.filter(|_| !client.is_public());
        Ok(client)
    }
}
