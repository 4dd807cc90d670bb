//! Leaving (OpenID Connect RP-Initiated Logout): the login session of a browser ends, the clients
//! that it was used for hear of it ([`told`]), and the browser goes where the client wants it. Tokens
//! go on until they end or are revoked, as with Hydra.

mod told;

use carnet_oauth::{ErrorCode, form};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::domain::{
    AdminError, Authority, TokenError,
    authority::within,
    authorize::{
        Sealed, Timed,
        answer::{Refusal, with_parameters},
        browser::{Browser, Cookie},
    },
    subject::Hinted,
    uuid,
};

/// Where a browser goes that leaves.
#[derive(Debug)]
pub(crate) struct Farewell {
    pub(crate) to: String,
    pub(crate) cookies: Vec<Cookie>,
    /// Pages of clients that must be seen on the way (OpenID Connect Front-Channel Logout).
    pub(crate) frames: Vec<String>,
}

/// Who wants to leave.
#[derive(Debug, Serialize, Deserialize)]
struct Leaving {
    id: String,
    /// Path and query of the request.
    request: String,
    subject: String,
    session_id: String,
    /// The client that sent the browser.
    client_id: Option<String>,
    /// Where the browser goes in the end.
    to: String,
    begun_at: i64,
}

impl Timed for Leaving {
    fn begun_at(&self) -> i64 {
        self.begun_at
    }
}

/// What a request asks for, once it was read.
struct Wish {
    to: String,
    /// Whose id token it shows.
    hinted: Option<Hinted>,
}

impl Authority {
    /// The claims of an id token of ours, of any age. A logout token is none, nor is what `/userinfo`
    /// signs, which has no end.
    pub(in crate::domain) fn hint(&self, hint: &str) -> Option<Map<String, Value>> {
        let claims = self.ring.id_token(hint)?;
        let is_ours = claims.get("iss") == Some(&json!(self.options.issuer));
        let is_id_token = claims.contains_key("exp") && !claims.contains_key("events");
        (is_ours && is_id_token).then_some(claims)
    }

    /// Where a browser goes next that wants to leave, or comes back from the logout application.
    pub(crate) async fn leave(
        &self,
        query: &str,
        browser: &Browser,
    ) -> Result<Farewell, TokenError> {
        let parameters = form::parse(query.as_bytes());
        let value = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            let value = found.map(|(_, value)| value.as_str());
            value.filter(|value| !value.is_empty())
        };
        let outcome = match value("logout_verifier") {
            Some(verifier) => self.after_logout(verifier, browser).await,
            None => self.begin_logout(query, value, browser).await,
        };
        outcome.or_else(|refusal| match refusal {
            Refusal::Broken(error) => Err(error),
            Refusal::Page(error) => Ok(farewell(self.error_page(&(&error).into()))),
            Refusal::Client(..) => Err(TokenError::internal()),
        })
    }

    async fn begin_logout<'a>(
        &self,
        query: &str,
        value: impl Fn(&str) -> Option<&'a str> + Send,
        browser: &Browser,
    ) -> Result<Farewell, Refusal> {
        let hint = value("id_token_hint");
        let named = (value("post_logout_redirect_uri"), value("state"));
        let wish = self.wish(hint, named).await?;
        // Without a session there is nothing to end, and that of somebody else stays.
        let Some(session) = self.session_of(browser).await? else {
            return Ok(farewell(wish.to));
        };
        if let Some(hinted) = &wish.hinted
            && !self.is_named(hinted, &session.subject).await?
        {
            return Ok(farewell(wish.to));
        }
        let client = wish.hinted.as_ref().map(|hinted| &hinted.row.client);
        let leaving = Leaving {
            id: uuid::fresh(&*self.random),
            request: format!("/oauth2/sessions/logout?{query}"),
            subject: session.subject,
            session_id: session.id,
            client_id: client.map(|client| client.client_id.clone()),
            to: wish.to,
            begun_at: self.now(),
        };
        let skips = client.and_then(|client| client.skip_logout_consent);
        if skips == Some(true) {
            return self.end(leaving).await;
        }
        let challenge = self.sealed(Sealed::LogoutChallenge, &leaving);
        let challenge = challenge.ok_or_else(TokenError::internal)?;
        let named = self.options.people.logout_url.as_deref();
        Ok(farewell(self.page(
            named,
            "logout",
            &[("logout_challenge", &challenge)],
        )))
    }

    async fn wish(
        &self,
        hint: Option<&str>,
        (address, state): (Option<&str>, Option<&str>),
    ) -> Result<Wish, Refusal> {
        let invalid = |text: &str| Refusal::page(ErrorCode::InvalidRequest, text);
        let usual = || {
            let named = self.options.people.post_logout_redirect_url.as_deref();
            self.page(named, "logout/callback", &[])
        };
        let Some(hint) = hint else {
            return match address {
                Some(_) => Err(invalid(
                    "Parameter 'post_logout_redirect_uri' needs 'id_token_hint' beside it.",
                )),
                None => Ok(Wish {
                    to: usual(),
                    hinted: None,
                }),
            };
        };
        let unknown = || invalid("Parameter 'id_token_hint' is no id token of this server.");
        let hinted = self.hinted(hint).await?.ok_or_else(unknown)?;
        let to = match address {
            None => usual(),
            Some(address) => {
                let mut registered = hinted.row.client.post_logout_redirect_uris.iter();
                if !registered.any(|known| known == address) {
                    return Err(invalid(
                        "The 'post_logout_redirect_uri' is none of those that the client \
                         registered.",
                    ));
                }
                let state = state.map(|state| ("state", state));
                with_parameters(address, '?', state.as_slice())
            }
        };
        let hinted = Some(hinted);
        Ok(Wish { to, hinted })
    }

    /// What the logout application is asked.
    pub(crate) async fn logout_request(
        &self,
        challenge: &str,
    ) -> Result<Map<String, Value>, AdminError> {
        let leaving: Leaving = self.leaving(challenge)?;
        let Value::Object(mut told) = json!({
            "challenge": challenge,
            "subject": leaving.subject,
            "sid": leaving.session_id,
            "request_url": leaving.request,
            "rp_initiated": leaving.client_id.is_some(),
            "expires_at": null,
            "requested_at": null,
        }) else {
            return Err(AdminError::Internal);
        };
        if let Some(id) = &leaving.client_id {
            let client = self.client(id).await?;
            let client = serde_json::to_value(client).map_err(|_| AdminError::Internal)?;
            told.insert("client".to_owned(), client);
        }
        Ok(told)
    }

    /// Where the browser goes whose person wants to leave.
    pub(crate) fn accept_logout(&self, challenge: &str) -> Result<String, AdminError> {
        let leaving = self.leaving(challenge)?;
        let verifier = self.sealed(Sealed::LogoutVerifier, &leaving);
        let verifier = verifier.ok_or(AdminError::Internal)?;
        let base = self.options.public_base();
        Ok(format!(
            "{base}/oauth2/sessions/logout?logout_verifier={verifier}"
        ))
    }

    /// The person stays: the challenge is worth nothing any more.
    pub(crate) async fn reject_logout(&self, challenge: &str) -> Result<(), AdminError> {
        let leaving = self.leaving(challenge)?;
        match self.is_first("logout", &leaving.id).await {
            Ok(_) => Ok(()),
            Err(TokenError::Unavailable) => Err(AdminError::Unavailable),
            Err(_) => Err(AdminError::Internal),
        }
    }

    fn leaving(&self, challenge: &str) -> Result<Leaving, AdminError> {
        self.challenge(Sealed::LogoutChallenge, challenge)
    }

    /// The browser is back from the logout application.
    async fn after_logout(&self, verifier: &str, browser: &Browser) -> Result<Farewell, Refusal> {
        let refused = |text: &str| Refusal::page(ErrorCode::RequestForbidden, text);
        let leaving: Option<Leaving> = self.opened(Sealed::LogoutVerifier, verifier);
        let leaving = leaving
            .filter(|leaving| self.is_in_time(leaving.begun_at))
            .ok_or_else(|| refused("The 'logout_verifier' does not count, or not any more."))?;
        let session = self.session_of(browser).await?;
        if session.is_none_or(|session| session.id != leaving.session_id) {
            return Err(refused("This browser is not the one that wanted to leave."));
        }
        if !self.is_first("logout", &leaving.id).await? {
            return Err(refused("The logout verifier was used before."));
        }
        self.end(leaving).await
    }

    async fn end(&self, leaving: Leaving) -> Result<Farewell, Refusal> {
        within(self.store.delete_session(&leaving.session_id)).await?;
        let frames = self.tell(&leaving.subject, &leaving.session_id).await?;
        Ok(Farewell {
            to: leaving.to,
            cookies: vec![self.no_session_cookie()],
            frames,
        })
    }
}

fn farewell(to: String) -> Farewell {
    Farewell {
        to,
        cookies: Vec::new(),
        frames: Vec::new(),
    }
}
