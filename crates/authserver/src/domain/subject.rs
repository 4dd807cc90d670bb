//! By which name a client knows a person: theirs, or one that no other client knows them by (OpenID
//! Connect Core, section 8.1): made as Hydra makes it, or given by the login application.

use std::{fmt::Write as _, sync::Arc};

use aws_lc_rs::digest::{Context, SHA256};
use carnet_oauth::client::Client;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::{Position, Url};

use crate::{
    domain::{Authority, TokenError, authority::within, authorize::Consented},
    options::PAIRWISE,
    store::{ClientRow, ConsentQuery},
};

/// So many consents of one login to one client are looked through.
const CONSENTS: u32 = 500;

/// Whom an id token names.
#[derive(Debug)]
pub(super) struct Hinted {
    /// The client that knows them so.
    pub(super) row: Arc<ClientRow>,
    name: String,
    session_id: String,
}

impl Authority {
    /// The name of a person for a client; `forced` is the one that the login application gave, if any.
    ///
    /// # Errors
    /// When the name must be one for this client alone, and cannot be made.
    pub(super) fn told_subject(
        &self,
        client: &Client,
        subject: &str,
        forced: &str,
    ) -> Result<String, TokenError> {
        if client.subject_type != PAIRWISE {
            return Ok(subject.to_owned());
        }
        if !forced.is_empty() {
            return Ok(forced.to_owned());
        }
        let made = self.options.pairwise_salt.as_ref().zip(sector(client));
        let Some((salt, sector)) = made else {
            tracing::error!(
                client.id = client.client_id,
                "a client needs names of its own for people, and there is no salt or no sector"
            );
            return Err(TokenError::internal());
        };
        Ok(pairwise(&sector, subject, salt.expose_secret()))
    }

    /// Whom an id token of ours names, of any age; `None`: it is none, or of a client that is gone.
    pub(super) async fn hinted(&self, hint: &str) -> Result<Option<Hinted>, TokenError> {
        let Some(claims) = self.hint(hint) else {
            return Ok(None);
        };
        let text = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let id = text(claims.get("aud").and_then(|aud| aud.get(0)));
        let row = within(self.store.known_client(&id)).await?;
        Ok(row.map(|row| Hinted {
            row,
            name: text(claims.get("sub")),
            session_id: text(claims.get("sid")),
        }))
    }

    /// Whether this is the person.
    pub(super) async fn is_named(
        &self,
        hinted: &Hinted,
        subject: &str,
    ) -> Result<bool, TokenError> {
        let client = &hinted.row.client;
        let is_made = |name: String| name == hinted.name;
        if self.told_subject(client, subject, "").is_ok_and(is_made) {
            return Ok(true);
        }
        if client.subject_type != PAIRWISE || hinted.name.is_empty() {
            return Ok(false);
        }
        // A name that was given stands with the consent that it was given for.
        let query = ConsentQuery {
            subject: Some(subject.to_owned()),
            client_id: Some(client.client_id.clone()),
            session_id: Some(hinted.session_id.clone()),
            with_skipped: true,
            limit: CONSENTS,
            ..ConsentQuery::default()
        };
        for row in within(self.store.list_consents(&query)).await? {
            if Consented::of(&row)?.forced_subject == hinted.name {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Who may know a person by one name: the host, with its port, of the document that lists the
/// client's addresses, or else of these; `None` where they are on several, or on none.
pub(super) fn sector(client: &Client) -> Option<String> {
    let host = |uri: &String| {
        let url = Url::parse(uri).ok().filter(Url::has_host)?;
        Some(url[Position::BeforeHost..Position::AfterPort].to_owned())
    };
    if !client.sector_identifier_uri.is_empty() {
        return host(&client.sector_identifier_uri);
    }
    let mut hosts = client.redirect_uris.iter().flatten().map(host);
    let first = hosts.next()??;
    hosts
        .all(|host| host.as_ref() == Some(&first))
        .then_some(first)
}

/// A digest of all three.
fn pairwise(sector: &str, subject: &str, salt: &str) -> String {
    let mut context = Context::new(&SHA256);
    for part in [sector, subject, salt] {
        context.update(part.as_bytes());
    }
    let digest = context.finish();
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // A `String` takes everything.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(addresses: &[&str]) -> Client {
        Client {
            redirect_uris: Some(addresses.iter().map(|&uri| uri.to_owned()).collect()),
            ..Client::default()
        }
    }

    #[test]
    fn the_sector_is_the_one_host_of_all_addresses() {
        for (addresses, expected) in [
            (&["https://a.example/cb"][..], Some("a.example")),
            (
                &["https://a.example:8443/cb", "https://a.example:8443/x"],
                Some("a.example:8443"),
            ),
            (&["https://a.example/cb", "https://b.example/cb"], None),
            (&["https://a.example/cb", "https://a.example:8443/cb"], None),
            (&["com.app:/cb"], None),
            (&[], None),
        ] {
            assert_eq!(
                sector(&client(addresses)).as_deref(),
                expected,
                "{addresses:?}"
            );
        }
    }

    #[test]
    fn the_document_that_lists_the_addresses_names_the_sector() {
        let several = Client {
            sector_identifier_uri: "https://sector.example:8443/uris.json".to_owned(),
            ..client(&["https://a.example/cb", "https://b.example/cb"])
        };
        assert_eq!(sector(&several).as_deref(), Some("sector.example:8443"));
    }

    #[test]
    fn a_name_is_the_digest_that_hydra_makes() {
        // printf %s a.examplealicesalt | sha256sum
        let name = pairwise("a.example", "alice", "salt");
        assert_eq!(
            name,
            "eedfbb4850def11891d346fbaf117e3b29d7016cc26cc24a184cb20aeec39ec2"
        );
        assert_ne!(name, pairwise("b.example", "alice", "salt"));
    }
}
