//! By which name a client knows a person: theirs, or one that no other client knows them by (OpenID
//! Connect Core, section 8.1), made as Hydra makes it.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};
use carnet_oauth::client::Client;
use secrecy::ExposeSecret as _;
use url::{Position, Url};

use crate::{
    domain::{Authority, TokenError},
    options::PAIRWISE,
};

impl Authority {
    /// The name of a person for a client.
    ///
    /// # Errors
    /// When the name must be one for this client alone, and cannot be made.
    pub(super) fn told_subject(
        &self,
        client: &Client,
        subject: &str,
    ) -> Result<String, TokenError> {
        if client.subject_type != PAIRWISE {
            return Ok(subject.to_owned());
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

    /// Whether a name that a client told us is that of a person.
    pub(super) fn is_named(&self, client: &Client, name: &str, subject: &str) -> bool {
        self.told_subject(client, subject)
            .is_ok_and(|told| told == name)
    }
}

/// Who may know a person by one name: the host of the client's addresses, with its port; `None` where
/// they are on several, or on none.
pub(super) fn sector(client: &Client) -> Option<String> {
    let mut hosts = client.redirect_uris.iter().flatten().map(|uri| {
        let url = Url::parse(uri).ok().filter(Url::has_host)?;
        Some(url[Position::BeforeHost..Position::AfterPort].to_owned())
    });
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
