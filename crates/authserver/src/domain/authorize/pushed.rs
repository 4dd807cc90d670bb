//! Requests that clients push before a browser comes (RFC 9126). The client gets a name for its
//! request, which is the request itself, sealed: nothing is kept of it until it is used, once.

use carnet_oauth::{Error as OauthError, ErrorCode, client::Client, form};
use serde::{Deserialize, Serialize};

use crate::domain::{
    Authority, TokenError,
    authority::within,
    authorize::{Sealed, answer::Refusal, asked::Asked},
    bound::Request,
    client_auth::Presented,
    uuid,
};

/// With what the name of a pushed request begins (RFC 9126, section 2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// So many seconds it can be used.
const LIFETIME: i64 = 90;

/// What authenticates a client is no part of its request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// A pushed request.
#[derive(Debug, Serialize, Deserialize)]
struct Pushed {
    id: String,
    client_id: String,
    /// What is asked, word for word.
    query: String,
    /// In seconds since 1970.
    pushed_at: i64,
}

/// What a client is told of its request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PushedAuthorization {
    /// Its name, which a browser brings.
    request_uri: String,
    /// For how many seconds it can be used.
    expires_in: i64,
}

impl Authority {
    /// Takes a request of a client and gives it a name.
    pub(crate) async fn push(
        &self,
        presented: &Presented,
        parameters: &[(String, String)],
    ) -> Result<PushedAuthorization, TokenError> {
        let row = self.authenticate(presented).await?;
        let client = &row.client;
        let uris = self.options.endpoints("/oauth2/par");
        let request = Request {
            method: "POST",
            uris: &uris,
        };
        let key = self.proven(&presented.proofs, request, None).await?;
        let query = query(client, parameters, key)?;
        self.asked(&query, None).await.map_err(told)?;
        let pushed = Pushed {
            id: uuid::fresh(&*self.random),
            client_id: client.client_id.clone(),
            query,
            pushed_at: self.now(),
        };
        let name = self.sealed(Sealed::PushedRequest, &pushed);
        let name = name.ok_or_else(TokenError::internal)?;
        Ok(PushedAuthorization {
            request_uri: format!("{URN}{name}"),
            expires_in: LIFETIME,
        })
    }

    /// The pushed request that a browser brings; `None` when it brings one of its own.
    pub(super) async fn pushed(&self, query: &str) -> Result<Option<String>, Refusal> {
        let parameters = form::parse(query.as_bytes());
        let value = |wanted: &str| {
            let mut named = parameters.iter().filter(|(name, _)| name == wanted);
            let first = named.next().map(|(_, value)| value.as_str());
            first.filter(|_| named.next().is_none())
        };
        let Some(name) = value("request_uri").and_then(|uri| uri.strip_prefix(URN)) else {
            return Ok(None);
        };
        let unknown = || {
            let text = "The 'request_uri' is unknown, over, used, or another client's.";
            Refusal::page(ErrorCode::InvalidRequest, text)
        };
        let pushed: Pushed = self
            .opened(Sealed::PushedRequest, name)
            .ok_or_else(unknown)?;
        let is_in_time = self.now() < pushed.pushed_at.saturating_add(LIFETIME);
        if !is_in_time || value("client_id") != Some(&pushed.client_id) {
            return Err(unknown());
        }
        // A minute more than it counts: other servers may have other clocks.
        let until = pushed.pushed_at.saturating_add(LIFETIME + 60);
        let name = format!("pushed:{}", pushed.id);
        match within(self.store.use_jti(&name, until)).await? {
            true => Ok(Some(pushed.query)),
            false => Err(unknown()),
        }
    }

    /// Whether a browser may bring a request that was not pushed.
    pub(super) fn check_unpushed(&self, asked: &Asked) -> Result<(), Refusal> {
        let is_required = self.options.people.par_required
            || asked.client().require_pushed_authorization_requests;
        match is_required {
            true => {
                let text = "The request must be pushed before a browser comes (RFC 9126).";
                Err(asked.return_to.refusal(ErrorCode::InvalidRequest, text))
            }
            false => Ok(()),
        }
    }
}

/// What a client asks, without what authenticates it, and with the key that it proves to have.
fn query(
    client: &Client,
    parameters: &[(String, String)],
    key: Option<String>,
) -> Result<String, TokenError> {
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let invalid = |text: &str| TokenError::refused(ErrorCode::InvalidRequest, text);
    if value("request_uri").is_some() {
        return Err(invalid(
            "Parameter 'request_uri' is what this endpoint gives.",
        ));
    }
    if key.is_some() && value("dpop_jkt").is_some_and(|jkt| key.as_deref() != Some(jkt)) {
        return Err(invalid(
            "Parameter 'dpop_jkt' is not the key of the DPoP proof.",
        ));
    }
    let is_asked = |name: &str| !CREDENTIALS.contains(&name) && name != "client_id";
    let mut pairs: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| is_asked(name))
        .collect();
    pairs.push(("client_id", &client.client_id));
    if let (Some(key), None) = (&key, value("dpop_jkt")) {
        pairs.push(("dpop_jkt", key));
    }
    let pairs = pairs.into_iter().map(|(name, value)| (name, value.into()));
    Ok(form::encode_pairs(pairs))
}

/// A refusal as it is told to a client that asks itself (section 2.3).
fn told(refusal: Refusal) -> TokenError {
    match refusal {
        Refusal::Broken(error) => error,
        Refusal::Page(error) => error.into(),
        Refusal::Client(_, body) => {
            let code = ErrorCode::from_name(&body.error).unwrap_or(ErrorCode::InvalidRequest);
            OauthError::new(code, body.error_description).into()
        }
    }
}
