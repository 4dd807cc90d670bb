//! `/oauth2/auth`: a browser asks for a code, is sent to log in ([`login`]) and to consent
//! ([`consent`]), and goes back to the client. What it carries meanwhile is sealed ([`flow`]), so
//! nothing is kept of a request before a person said something.
//!
//! Knows no HTTP: what a request must be like is in [`asked`], the code's proof in [`pkce`], what
//! comes before a browser in [`pushed`].

pub(crate) mod answer;
mod asked;
pub(crate) mod browser;
pub(crate) mod consent;
mod consented;
mod flow;
pub(crate) mod login;
pub(crate) mod pkce;
pub(crate) mod pushed;

pub(crate) use answer::{Answer, Destination, Mode, Onward};
pub(in crate::domain) use consented::{Code, Consented, Hooked};
pub(crate) use flow::Rejection;
pub(in crate::domain) use flow::{Sealed, Timed};

use carnet_oauth::form;

use crate::domain::{
    Authority, TokenError,
    authorize::{answer::Refusal, asked::Asked, browser::Browser, flow::Flow},
    uuid,
};

/// How a request began, and what it asks.
#[derive(Debug)]
pub(in crate::domain) enum Begun {
    /// The browser brought it.
    Here(String),
    /// The client pushed it (RFC 9126).
    Pushed(String),
    /// A device asked, and its person came with its code, of which this is the digest.
    Device { query: String, code: String },
}

/// How a browser comes back from an application.
enum Back<'a> {
    Login(&'a str),
    Consent(&'a str),
}

impl Authority {
    /// Where a browser goes next that asks for a code, or comes back from logging in or consenting.
    pub(crate) async fn authorize(
        &self,
        query: &str,
        browser: &Browser,
    ) -> Result<Onward, TokenError> {
        let parameters = form::parse(query.as_bytes());
        let outcome = match back(&parameters) {
            Some(Back::Login(verifier)) => self.after_login(verifier, browser).await,
            Some(Back::Consent(verifier)) => self.after_consent(verifier, browser).await,
            None => self.begin(query, browser).await,
        };
        outcome.or_else(|refusal| self.refused(refusal))
    }

    /// A new request: on to the login application.
    async fn begin(&self, query: &str, browser: &Browser) -> Result<Onward, Refusal> {
        if let Some(pushed) = self.pushed(query).await? {
            let asked = self.asked(&pushed, None).await?;
            return self.begin_for(&asked, Begun::Pushed(pushed), browser).await;
        }
        let asked = self.asked(query, None).await?;
        self.check_unpushed(&asked)?;
        self.begin_for(&asked, Begun::Here(query.to_owned()), browser)
            .await
    }

    /// The same of a request that was read, and of the device that it is for.
    pub(in crate::domain) async fn begin_for(
        &self,
        asked: &Asked,
        begun: Begun,
        browser: &Browser,
    ) -> Result<Onward, Refusal> {
        let session = self.remembered_login(asked, browser).await?;
        let is_pushed = matches!(begun, Begun::Pushed(_));
        let (query, device) = match begun {
            Begun::Here(query) | Begun::Pushed(query) => (query, None),
            Begun::Device { query, code } => (query, Some(code)),
        };
        let flow = Flow {
            id: uuid::fresh(&*self.random),
            query,
            begun_at: self.now(),
            csrf: uuid::fresh(&*self.random),
            session_id: match &session {
                Some(session) => session.id.clone(),
                None => uuid::fresh(&*self.random),
            },
            subject: session.as_ref().map(|session| session.subject.clone()),
            authenticated_at: session.map_or(0, |session| session.authenticated_at),
            device,
            is_pushed,
        };
        self.to_login(asked, &flow)
    }
}

fn back(parameters: &[(String, String)]) -> Option<Back<'_>> {
    parameters
        .iter()
        .find_map(|(name, value)| match name.as_str() {
            _ if value.is_empty() => None,
            "login_verifier" => Some(Back::Login(value)),
            "consent_verifier" => Some(Back::Consent(value)),
            _ => None,
        })
}
