//! The clients of a login session hear of its end: by a call of ours (OpenID Connect Back-Channel
//! Logout) or by a page of theirs that the browser opens on its way (Front-Channel Logout).

use std::{collections::BTreeMap, sync::Arc};

use carnet_oauth::client::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, json};

use crate::{
    domain::{
        Authority, TokenError,
        authority::within,
        authorize::{Consented, answer::with_parameters},
        uuid,
    },
    fetch::Fetcher,
    store::{ConsentQuery, ConsentRow},
};

/// So many clients of a session hear of its end.
const CLIENTS: u32 = 500;

/// For so many seconds a logout token counts.
const LIFETIME: i64 = 120;

/// The event that a logout token speaks of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Authority {
    /// Tells the clients of a session. Gives the pages that a browser has to open.
    pub(super) async fn tell(
        &self,
        subject: &str,
        session_id: &str,
    ) -> Result<Vec<String>, TokenError> {
        let query = ConsentQuery {
            subject: Some(subject.to_owned()),
            session_id: Some(session_id.to_owned()),
            with_skipped: true,
            limit: CLIENTS,
            ..ConsentQuery::default()
        };
        let rows = within(self.store.list_consents(&query)).await?;
        // Of several consents to a client the newest says how it knows the person.
        let mut newest: BTreeMap<String, ConsentRow> = BTreeMap::new();
        for row in rows {
            let known = newest.get(&row.client_id);
            if known.is_none_or(|known| known.handled_at <= row.handled_at) {
                newest.insert(row.client_id.clone(), row);
            }
        }
        let mut frames = Vec::new();
        for (id, consent) in newest {
            let Some(row) = within(self.store.known_client(&id)).await? else {
                continue;
            };
            let client = &row.client;
            if !client.backchannel_logout_uri.is_empty() {
                let token = self.logout_token(client, &consent).await?;
                let address = client.backchannel_logout_uri.clone();
                tokio::spawn(call(Arc::clone(&self.callers), address, id, token));
            }
            if !client.frontchannel_logout_uri.is_empty() {
                let parameters = [("iss", self.options.issuer.as_str()), ("sid", session_id)];
                let page = &client.frontchannel_logout_uri;
                frames.push(with_parameters(page, '?', &parameters));
            }
        }
        Ok(frames)
    }

    async fn logout_token(
        &self,
        client: &Client,
        consent: &ConsentRow,
    ) -> Result<SecretString, TokenError> {
        let now = self.now();
        let forced = Consented::of(consent)?.forced_subject;
        let name = self.told_subject(client, &consent.subject, &forced)?;
        let claims = Map::from_iter([
            ("aud".to_owned(), json!([client.client_id])),
            ("events".to_owned(), json!({EVENT: {}})),
            ("exp".to_owned(), json!(now + LIFETIME)),
            ("iat".to_owned(), json!(now)),
            ("iss".to_owned(), json!(self.options.issuer)),
            ("jti".to_owned(), json!(uuid::fresh(&*self.random))),
            ("sid".to_owned(), json!(consent.session_id)),
            ("sub".to_owned(), json!(name)),
        ]);
        self.signed_for_id(claims, LIFETIME).await
    }
}

/// Calls one client. Whoever leaves does not wait for it.
async fn call(fetcher: Arc<Fetcher>, address: String, client_id: String, token: SecretString) {
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
    let body = format!("logout_token={}", token.expose_secret());
    let problem = match fetcher.post(&address, headers, body).await {
        Ok(answer) if answer.status.is_success() => return,
        Ok(answer) => format!("the answer was {}", answer.status),
        Err(error) => error.to_string(),
    };
    tracing::warn!(
        client.id = client_id,
        problem,
        "a client was not told of a logout"
    );
}
