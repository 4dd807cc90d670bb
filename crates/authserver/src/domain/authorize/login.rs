//! Logging in: the challenge that the login application is shown, what it says, and the browser that
//! comes back with it.

use std::time::Duration;

use carnet_oauth::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        AdminError, Authority,
        authority::within,
        authorize::{
            answer::{Destination, Onward, Refusal},
            asked::Asked,
            browser::{Browser, Cookie, Csrf},
            flow::{Flow, Rejection, Sealed},
        },
    },
    store::SessionRow,
};

/// What the login application says about a person.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AcceptLogin {
    subject: Option<String>,
    remember: Option<bool>,
    remember_for: Option<i64>,
    extend_session_lifespan: Option<bool>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    context: Option<Value>,
    force_subject_identifier: Option<String>,
}

/// Who logged in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) subject: String,
    /// In seconds since 1970.
    pub(super) authenticated_at: i64,
    /// For how many seconds the browser is to remember it; 0: as long as it may.
    pub(super) remember_for: Option<i64>,
    pub(super) acr: String,
    pub(super) amr: Vec<String>,
    pub(super) context: Value,
    /// The name of the person for a client that is to know no other; empty: one is made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) forced_subject: String,
}

/// A flow, and what came of the login.
#[derive(Debug, Serialize, Deserialize)]
struct LoggedIn {
    flow: Flow,
    /// The challenge that was shown.
    challenge: String,
    outcome: Result<Login, Rejection>,
}

impl Authority {
    /// The login that a browser remembers, if it will do for a request.
    pub(super) async fn remembered_login(
        &self,
        asked: &Asked,
        browser: &Browser,
    ) -> Result<Option<SessionRow>, Refusal> {
        let (request, to) = (&asked.request, &asked.return_to);
        let hinted = match &request.id_token_hint {
            None => None,
            Some(hint) => Some(self.hinted(hint).await?.ok_or_else(|| {
                let text = "Parameter 'id_token_hint' is no id token of this server.";
                to.refusal(ErrorCode::InvalidRequest, text)
            })?),
        };
        let session = self.session_of(browser).await?;
        let is_fresh = |session: &SessionRow| {
            let age = self.now().saturating_sub(session.authenticated_at);
            request.max_age.is_none_or(|most| most > 0 && age <= most)
        };
        let will_do = |session: &SessionRow| !request.prompts("login") && is_fresh(session);
        let mut session = session.filter(will_do);
        if let Some((hinted, known)) = hinted.as_ref().zip(session.as_ref())
            && !self.is_named(hinted, &known.subject).await?
        {
            session = None;
        }
        if session.is_none() && request.prompts("none") {
            let text = "Nobody is logged in who need not be asked.";
            return Err(to.refusal(ErrorCode::LoginRequired, text));
        }
        Ok(session)
    }

    /// The session that a browser brings the cookie of, in its time.
    pub(in crate::domain) async fn session_of(
        &self,
        browser: &Browser,
    ) -> Result<Option<SessionRow>, Refusal> {
        let cookie = browser.cookies.get(&self.session_cookie_name());
        let id: Option<String> = cookie.and_then(|text| self.opened(Sealed::Session, text));
        let Some(id) = id else {
            return Ok(None);
        };
        let session = within(self.store.find_session(&id)).await?;
        Ok(session.filter(|session| self.now() < session.expires_at))
    }

    /// On to the login application.
    pub(super) fn to_login(&self, asked: &Asked, flow: &Flow) -> Result<Onward, Refusal> {
        let challenge = self.sealed(Sealed::LoginChallenge, flow);
        let challenge = challenge.ok_or_else(crate::domain::TokenError::internal)?;
        let named = self.options.people.login_url.as_deref();
        let page = self.page(named, "login", &[("login_challenge", &challenge)]);
        let id = &asked.client().client_id;
        Ok(Onward {
            to: Destination::Page(page),
            cookies: self.csrf_cookies(Csrf::Login, id, &flow.csrf),
        })
    }

    /// What the login application is asked.
    pub(crate) async fn login_request(
        &self,
        challenge: &str,
    ) -> Result<Map<String, Value>, AdminError> {
        let flow: Flow = self.challenge(Sealed::LoginChallenge, challenge)?;
        let client = self.client_of(&flow).await?;
        let mut told = flow.told(self.options.public_base(), &client)?;
        told.shift_insert(0, "challenge".to_owned(), json!(challenge));
        if let Some(subject) = &flow.subject {
            told["skip"] = json!(true);
            told["subject"] = json!(subject);
        }
        told.insert("session_id".to_owned(), json!(flow.session_id));
        Ok(told)
    }

    /// The client of a flow, as it is now.
    pub(super) async fn client_of(
        &self,
        flow: &Flow,
    ) -> Result<carnet_oauth::client::Client, AdminError> {
        let id = flow.request().client_id.unwrap_or_default();
        self.client(&id).await
    }

    /// Where the browser goes with a login.
    pub(crate) async fn accept_login(
        &self,
        challenge: &str,
        accepted: AcceptLogin,
    ) -> Result<String, AdminError> {
        let flow: Flow = self.challenge(Sealed::LoginChallenge, challenge)?;
        let subject = accepted.subject.unwrap_or_default();
        if subject.is_empty() {
            let text = "Member 'subject' must not be empty.";
            return Err(AdminError::Parameter(text.to_owned()));
        }
        if within(self.store.known_client(&subject)).await?.is_some() {
            // Tokens of the client itself have its id as their subject.
            let text = "Member 'subject' is the id of a client.";
            return Err(AdminError::Parameter(text.to_owned()));
        }
        if flow.subject.as_ref().is_some_and(|known| *known != subject) {
            // Somebody else sits there now.
            let base = self.options.public_base();
            return Ok(flow.address(base, "prompt", "login"));
        }
        let is_known = flow.subject.is_some();
        let remembers = match is_known {
            true => accepted.extend_session_lifespan.unwrap_or(false),
            false => accepted.remember.unwrap_or(false),
        };
        let login = Login {
            subject,
            authenticated_at: match is_known {
                true => flow.authenticated_at,
                false => self.now(),
            },
            remember_for: remembers.then(|| accepted.remember_for.unwrap_or(0).max(0)),
            acr: accepted.acr.unwrap_or_default(),
            amr: accepted.amr.unwrap_or_default(),
            context: accepted.context.unwrap_or_default(),
            forced_subject: accepted.force_subject_identifier.unwrap_or_default(),
        };
        self.logged_in(flow, challenge, Ok(login))
    }

    /// Where the browser goes without one.
    pub(crate) fn reject_login(
        &self,
        challenge: &str,
        rejection: Rejection,
    ) -> Result<String, AdminError> {
        let flow: Flow = self.challenge(Sealed::LoginChallenge, challenge)?;
        self.logged_in(flow, challenge, Err(rejection))
    }

    fn logged_in(
        &self,
        flow: Flow,
        challenge: &str,
        outcome: Result<Login, Rejection>,
    ) -> Result<String, AdminError> {
        let done = LoggedIn {
            challenge: challenge.to_owned(),
            outcome,
            flow,
        };
        let verifier = self.sealed(Sealed::LoginVerifier, &done);
        let verifier = verifier.ok_or(AdminError::Internal)?;
        let base = self.options.public_base();
        within_a_url(done.flow.address(base, "login_verifier", &verifier))
    }

    /// The browser is back from the login application.
    pub(super) async fn after_login(
        &self,
        verifier: &str,
        browser: &Browser,
    ) -> Result<Onward, Refusal> {
        let done: Option<LoggedIn> = self.opened(Sealed::LoginVerifier, verifier);
        let Some(LoggedIn {
            flow,
            challenge,
            outcome,
        }) = done
        else {
            let text = "The 'login_verifier' is none that was made here.";
            return Err(Refusal::page(ErrorCode::InvalidRequest, text));
        };
        let asked = self.asked(&flow.query, flow.device.as_ref()).await?;
        let to = &asked.return_to;
        let id = &asked.client().client_id;
        let brought = self.csrf_of(Csrf::Login, id, browser);
        self.check_back(to, (&flow.csrf, brought), flow.begun_at)?;
        if !self.is_first("login", &flow.id).await? {
            let text = "The login verifier was used before.";
            return Err(to.refusal(ErrorCode::AccessDenied, text));
        }
        let login = match outcome {
            Ok(login) => login,
            Err(rejection) => {
                self.deny(flow.device.as_deref()).await?;
                let (error, text) = rejection.words();
                return Err(to.said(error, &text));
            }
        };
        let cookie = self.remember(&flow, &login).await?;
        let mut onward = self.to_consent(&asked, flow, login, challenge).await?;
        onward.cookies.splice(0..0, cookie);
        Ok(onward)
    }

    /// Remembers a login that is to be remembered; forgets the one before, if it is not.
    async fn remember(&self, flow: &Flow, login: &Login) -> Result<Option<Cookie>, Refusal> {
        let Some(wanted) = login.remember_for else {
            let forgets = flow.subject.is_none().then(|| self.no_session_cookie());
            return Ok(forgets);
        };
        let longest = self.options.people.ttl_session;
        let max_age = match u64::try_from(wanted) {
            Ok(0) | Err(_) => longest,
            Ok(seconds) => Duration::from_secs(seconds),
        };
        let until = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let row = SessionRow {
            id: flow.session_id.clone(),
            subject: login.subject.clone(),
            authenticated_at: login.authenticated_at,
            expires_at: self.now().saturating_add(until),
        };
        within(self.store.put_session(&row)).await?;
        let value = self.sealed(Sealed::Session, &row.id);
        let value = value.ok_or_else(crate::domain::TokenError::internal)?;
        Ok(Some(self.session_cookie(value, max_age)))
    }

    /// Whether it is the browser that began, in time.
    pub(in crate::domain) fn check_back(
        &self,
        to: &super::answer::ReturnTo,
        (wanted, brought): (&str, Option<&str>),
        begun_at: i64,
    ) -> Result<(), Refusal> {
        use subtle::ConstantTimeEq as _;
        let is_same = |text: &str| bool::from(text.as_bytes().ct_eq(wanted.as_bytes()));
        if !brought.is_some_and(is_same) {
            let text = "This browser has not begun this request, or began another one since.";
            return Err(to.refusal(ErrorCode::RequestForbidden, text));
        }
        if !self.is_in_time(begun_at) {
            let text = "The request took too long: begin again.";
            return Err(to.refusal(ErrorCode::RequestUnauthorized, text));
        }
        Ok(())
    }
}

/// What browsers and servers take for an address.
const LONGEST_URL: usize = 16 * 1024;

/// An address, unless it is too long to be followed.
pub(super) fn within_a_url(address: String) -> Result<String, AdminError> {
    if address.len() > LONGEST_URL {
        let text = "This is too much for the address by which the browser carries it.";
        return Err(AdminError::Malformed(text.to_owned()));
    }
    Ok(address)
}
