//! `sector_identifier_uri`: a document that lists the addresses of all clients which may know a person
//! by one name (OpenID Connect Core, section 8.1). It is read when a client names it, so that nobody
//! joins a sector whose owner does not list him.

use std::time::Duration;

use carnet_oauth::client::Client;

use crate::{
    domain::{AdminError, Authority},
    fetch::{FetchError, Fetcher},
};

/// The document has so long to arrive.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a client may not name a document.
#[derive(Debug, thiserror::Error)]
enum SectorError {
    #[error("cannot be read: {0}")]
    Fetch(#[from] FetchError),
    #[error("leads to a document that is no JSON list of texts")]
    Document,
    #[error("leads to a document that does not list '{0}', which is one of 'redirect_uris'")]
    Unlisted(String),
}

impl Authority {
    /// Whether the sector that a client names, if it does, takes it in. `known` is the client as it was
    /// before a change: what did not change is not asked again.
    pub(super) async fn check_sector(
        &self,
        client: &Client,
        known: Option<&Client>,
    ) -> Result<(), AdminError> {
        let said = |client: &Client| {
            let addresses = client.redirect_uris.clone().unwrap_or_default();
            (client.sector_identifier_uri.clone(), addresses)
        };
        if client.sector_identifier_uri.is_empty()
            || known.is_some_and(|known| said(known) == said(client))
        {
            return Ok(());
        }
        let listed = check(&Fetcher::new(PATIENCE, 0), client).await;
        listed.map_err(|error| {
            AdminError::Metadata(format!("Member 'sector_identifier_uri' {error}."))
        })
    }
}

/// Every address of the client must be in the document (OpenID Connect Registration, section 5).
async fn check(fetcher: &Fetcher, client: &Client) -> Result<(), SectorError> {
    let document = fetcher.fetch(&client.sector_identifier_uri).await?;
    let listed: Vec<String> =
        serde_json::from_slice(&document).map_err(|_| SectorError::Document)?;
    let mut addresses = client.redirect_uris.iter().flatten();
    match addresses.find(|address| !listed.contains(address)) {
        Some(address) => Err(SectorError::Unlisted(address.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use carnet_testkit::{Server, certificates, server::Answer};
    use serde_json::json;

    use super::*;

    fn client(address: String) -> Client {
        let addresses = ["https://a.example/cb", "https://b.example/cb"];
        Client {
            sector_identifier_uri: address,
            redirect_uris: Some(addresses.map(str::to_owned).to_vec()),
            ..Client::default()
        }
    }

    // Holds SS-03.
    #[tokio::test]
    async fn a_client_is_taken_in_by_a_document_that_lists_all_of_its_addresses() {
        let both = json!([
            "https://x.example/",
            "https://b.example/cb",
            "https://a.example/cb"
        ]);
        let long = json!([
            "https://a.example/cb",
            "https://b.example/cb",
            "x".repeat(65 * 1024)
        ]);
        for (answer, expected) in [
            (Answer::json(200, &both), true),
            (Answer::json(200, &json!(["https://a.example/cb"])), false),
            (
                Answer::json(
                    200,
                    &json!(["https://a.example/cb/", "https://b.example/cb"]),
                ),
                false,
            ),
            (Answer::json(200, &json!({"redirect_uris": both})), false),
            (Answer::json(200, &json!([["https://a.example/cb"]])), false),
            (Answer::text(200, ""), false),
            (Answer::json(404, &both), false),
            (Answer::json(200, &long), false),
            (
                Answer::text(302, "").with("Location", "http://127.0.0.1/elsewhere"),
                false,
            ),
        ] {
            let told = answer.clone();
            let server = Server::over_tls(certificates::FIRST, move |_| told.clone());
            let server = server.await.unwrap();
            let fetcher = Fetcher::new(PATIENCE, 0)
                .trusting(Some(certificates::FIRST.certificate.to_owned()));
            let outcome = check(&fetcher, &client(server.url("/uris.json"))).await;
            assert_eq!(outcome.is_ok(), expected, "{answer:?} {outcome:?}");
            assert_eq!(server.count(), 1);
        }
    }

    // Holds SS-02.
    #[tokio::test]
    async fn a_document_of_a_stranger_or_of_a_link_local_address_is_not_read() {
        let server = Server::over_tls(certificates::SECOND, |_| Answer::text(200, "[]"));
        let server = server.await.unwrap();
        let trusted = certificates::FIRST.certificate.to_owned();
        let fetcher = Fetcher::new(PATIENCE, 0).trusting(Some(trusted));
        let outcome = check(&fetcher, &client(server.url("/"))).await;
        let is_refused = matches!(outcome, Err(SectorError::Fetch(FetchError::Transport(_))));
        assert!(is_refused, "{outcome:?}");
        let outcome = check(&fetcher, &client("https://169.254.169.254/".to_owned())).await;
        let is_refused = matches!(outcome, Err(SectorError::Fetch(FetchError::LinkLocal)));
        assert!(is_refused, "{outcome:?}");
    }
}
