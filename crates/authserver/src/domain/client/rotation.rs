//! Rotation of a secret with an overlap: the old one works on until an administrator ends that, and
//! its last use can be seen, so that nobody has to guess when.

use carnet_oauth::client::{Client, RotatedSecret as VisibleSecret};

use crate::{
    domain::{
        AdminError, Authority,
        authority::within,
        client::update::Change,
        secret::{self, verifier::Origin},
    },
    store::{ClientRow, RotatedSecret},
};

/// So many old secrets work beside the current one; the oldest goes first.
const KEPT: usize = 5;

/// A use is written down once in so many seconds, so that a busy client costs no write a token.
const USE_RESOLUTION: i64 = 60;

impl Authority {
    /// Gives a client a new secret, which this answer alone shows. The old one still works.
    pub(crate) async fn rotate_secret(&self, id: &str) -> Result<Client, AdminError> {
        self.change_client(id, Change::RotateSecret).await
    }

    /// Ends the overlap: the current secret alone works from now on.
    pub(crate) async fn drop_rotated_secrets(&self, id: &str) -> Result<(), AdminError> {
        let changed = self.change_client(id, Change::DropRotatedSecrets).await;
        changed.map(drop)
    }

    pub(super) fn without_rotated(&self, mut row: ClientRow) -> (ClientRow, Client) {
        row.rotated.clear();
        self.restamp(&mut row);
        let client = shown(row.clone());
        (row, client)
    }

    pub(super) async fn rotated(
        &self,
        mut row: ClientRow,
    ) -> Result<(ClientRow, Client), AdminError> {
        let method = row.client.token_endpoint_auth_method.as_str();
        if !matches!(method, "client_secret_basic" | "client_secret_post") {
            return Err(AdminError::Parameter(format!(
                "A client of method '{method}' has no secret to rotate; only those of \
                 'client_secret_basic' and 'client_secret_post' have one."
            )));
        }
        let (id, secret) = (&row.client.client_id, secret::generate(&*self.random));
        let hash = self.verifier.hash(id, &secret, Origin::Generated).await;
        let old = RotatedSecret {
            hash: std::mem::replace(&mut row.secret_hash, hash.ok_or(AdminError::Internal)?),
            rotated_at: self.now(),
            last_used_at: None,
        };
        row.rotated.insert(0, old);
        row.rotated.truncate(KEPT);
        self.restamp(&mut row);
        let client = Client {
            client_secret: Some(secret),
            ..shown(row.clone())
        };
        Ok((row, client))
    }

    fn restamp(&self, row: &mut ClientRow) {
        let created_at = row.client.created_at.clone();
        self.stamp(&mut row.client, Some(created_at));
    }

    /// Writes down that an old secret was used, by the place of its hash in the row, and a better
    /// hash of it when there is one. A request does not fail for it.
    pub(in crate::domain) async fn note_use(
        &self,
        row: &ClientRow,
        at: usize,
        renewed: Option<String>,
    ) {
        let (id, now) = (row.client.client_id.as_str(), self.now());
        let mut rotated = row.rotated.clone();
        let Some(secret) = at.checked_sub(1).and_then(|at| rotated.get_mut(at)) else {
            return;
        };
        let is_known = |last: i64| now.saturating_sub(last) < USE_RESOLUTION;
        if renewed.is_none() && secret.last_used_at.is_some_and(is_known) {
            return;
        }
        if let Some(renewed) = renewed {
            secret.hash = renewed;
        }
        secret.last_used_at = Some(now);
        let noted = self.store.replace_rotated(id, &row.rotated, &rotated);
        if let Err(error) = within(noted).await {
            tracing::warn!(client.id = id, error = %error, "the use of an old secret was not noted");
        }
    }
}

/// A client as administrators see it.
pub(super) fn shown(row: ClientRow) -> Client {
    Client {
        rotated_secrets: visible(&row.rotated),
        ..row.client
    }
}

/// What can be seen of old secrets.
pub(super) fn visible(rotated: &[RotatedSecret]) -> Vec<VisibleSecret> {
    let secrets = rotated.iter().map(|secret| VisibleSecret {
        rotated_at: time(secret.rotated_at),
        last_used_at: secret.last_used_at.map(time),
    });
    secrets.collect()
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
