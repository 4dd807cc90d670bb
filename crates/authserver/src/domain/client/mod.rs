//! Clients, as an administrator makes, reads, changes and deletes them. What is checked is in
//! [`metadata`], how a PATCH works in [`json_patch`].

mod json_patch;
mod metadata;
mod registration;
mod rotation;
mod sector;
mod update;

use carnet_oauth::client::Client;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    domain::{
        AdminError, Authority, Missing,
        authority::within,
        secret::{self, verifier::Origin},
        uuid,
    },
    store::{ClientQuery, ClientRow, Insertion},
};

impl Authority {
    /// Registers a client; the answer is the only one that ever shows its secret.
    pub(crate) async fn create_client(&self, mut client: Client) -> Result<Client, AdminError> {
        if client.client_id.is_empty() {
            client.client_id = uuid::fresh(&*self.random);
        }
        let chosen = client
            .client_secret
            .take()
            .filter(|secret| !is_empty(secret));
        metadata::complete(&self.options, &mut client);
        metadata::check(&self.options, &client, chosen.as_ref())?;
        self.check_sector(&client, None).await?;
        let (secret, origin) = match chosen {
            Some(secret) => (secret, Origin::Supplied),
            None => (secret::generate(&*self.random), Origin::Generated),
        };
        let hash = self.verifier.hash(&client.client_id, &secret, origin).await;
        self.stamp(&mut client, None);
        let row = ClientRow {
            client: client.clone().as_stored(),
            secret_hash: hash.ok_or(AdminError::Internal)?,
            rotated: Vec::new(),
        };
        if within(self.store.insert_client(&row)).await? == Insertion::Conflict {
            return Err(AdminError::Conflict);
        }
        client.client_secret = (!client.is_public()).then_some(secret);
        let token = self.registration_token(&client.client_id).await?;
        client.registration_access_token = Some(token);
        client.registration_client_uri = format!(
            "{}/oauth2/register/{}",
            self.options.public_base(),
            escape(&client.client_id)
        );
        Ok(client)
    }

    /// The client of an id.
    pub(crate) async fn client(&self, id: &str) -> Result<Client, AdminError> {
        Ok(rotation::shown(self.client_row(id).await?))
    }

    /// Clients in the order of their ids, and whether more follow.
    pub(crate) async fn list_clients(
        &self,
        mut query: ClientQuery,
    ) -> Result<(Vec<Client>, bool), AdminError> {
        let limit = query.limit as usize;
        query.limit += 1;
        let mut rows = within(self.store.list_clients(&query)).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok((rows.into_iter().map(rotation::shown).collect(), more))
    }

    /// How many clients a list has on all its pages.
    pub(crate) async fn count_clients(&self, query: &ClientQuery) -> Result<u64, AdminError> {
        Ok(within(self.store.count_clients(query)).await?)
    }

    /// Deletes a client with all its tokens.
    pub(crate) async fn delete_client(&self, id: &str) -> Result<(), AdminError> {
        // Another server may have signed for longer than is known here.
        self.ring.refresh().await?;
        let now = self.now();
        let until = now.saturating_add(self.ring.longest_lifetime());
        let deleted = within(self.store.delete_client(id, now, until)).await?;
        self.revocations.follow().await?;
        match deleted {
            true => Ok(()),
            false => Err(AdminError::NotFound(Missing::Resource)),
        }
    }

    async fn client_row(&self, id: &str) -> Result<ClientRow, AdminError> {
        let row = within(self.store.find_client(id)).await?;
        row.ok_or(AdminError::NotFound(Missing::Resource))
    }

    /// Sets what the server alone says. Of times, whole seconds for the creation and microseconds
    /// for the change, as Hydra does.
    fn stamp(&self, client: &mut Client, created_at: Option<String>) {
        let now = jiff::Timestamp::try_from(self.time()).unwrap_or_default();
        let created = || now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        client.created_at = created_at.unwrap_or_else(created);
        client.updated_at = now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        client.client_secret_expires_at = 0;
        client.rotated_secrets.clear();
    }
}

/// An id as a segment of a path.
pub(crate) fn escape(id: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(id, SEGMENT).to_string()
}

fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}
