//! Consenting: the challenge that the consent application is shown, what it says, and the browser
//! that comes back with it and goes on to the client with a code.

use carnet_oauth::ErrorCode;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        AdminError, Authority, TokenError,
        authority::within,
        authorize::{
            answer::{Destination, Onward, Refusal},
            asked::Asked,
            browser::{Browser, Csrf},
            consented::{Code, Consented},
            flow::{Flow, Rejection, Sealed, Timed},
            login::{Login, within_a_url},
            pkce,
        },
        opaque, uuid,
    },
    store::{CodeRow, ConsentRow},
};

/// What the consent application says that a person granted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AcceptConsent {
    grant_scope: Option<Vec<String>>,
    grant_access_token_audience: Option<Vec<String>>,
    session: Option<Claims>,
    remember: Option<bool>,
    remember_for: Option<i64>,
    context: Option<Value>,
}

/// Claims for the tokens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Claims {
    access_token: Option<Map<String, Value>>,
    id_token: Option<Map<String, Value>>,
}

/// A flow whose person is known.
#[derive(Debug, Serialize, Deserialize)]
struct Consent {
    id: String,
    flow: Flow,
    login: Login,
    login_challenge: String,
    begun_at: i64,
    csrf: String,
    /// Whether an earlier consent, or the administrator, stands for this one.
    is_skipped: bool,
}

impl Timed for Consent {
    fn begun_at(&self) -> i64 {
        self.begun_at
    }
}

/// What was granted.
#[derive(Debug, Serialize, Deserialize)]
struct Grant {
    scopes: Vec<String>,
    audiences: Vec<String>,
    access_token: Map<String, Value>,
    id_token: Map<String, Value>,
    /// For how many seconds it stands for later ones; 0: for ever.
    remember_for: Option<i64>,
    context: Value,
}

/// A consent, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
struct Decided {
    consent: Consent,
    outcome: Result<Grant, Rejection>,
}

impl Authority {
    /// On to the consent application.
    pub(super) async fn to_consent(
        &self,
        asked: &Asked,
        flow: Flow,
        login: Login,
        login_challenge: String,
    ) -> Result<Onward, Refusal> {
        let client = asked.client();
        let is_skipped = client.skip_consent || self.is_remembered(asked, &login).await?;
        if !is_skipped && asked.request.prompts("none") {
            let text = "There is no consent that stands for this one.";
            return Err(asked.return_to.refusal(ErrorCode::ConsentRequired, text));
        }
        let consent = Consent {
            id: uuid::fresh(&*self.random),
            begun_at: self.now(),
            csrf: uuid::fresh(&*self.random),
            flow,
            login,
            login_challenge,
            is_skipped,
        };
        let challenge = self.sealed(Sealed::ConsentChallenge, &consent);
        let challenge = challenge.ok_or_else(TokenError::internal)?;
        let named = self.options.people.consent_url.as_deref();
        let page = self.page(named, "consent", &[("consent_challenge", &challenge)]);
        Ok(Onward {
            to: Destination::Page(page),
            cookies: self.csrf_cookies(Csrf::Consent, &client.client_id, &consent.csrf),
        })
    }

    /// Whether the person consented to all of it before, and said that it may stand.
    async fn is_remembered(&self, asked: &Asked, login: &Login) -> Result<bool, Refusal> {
        if asked.request.prompts("consent") {
            return Ok(false);
        }
        let id = &asked.client().client_id;
        let found = self
            .store
            .remembered_consent(&login.subject, id, self.now());
        let Some(row) = within(found).await? else {
            return Ok(false);
        };
        let said = Consented::of(&row)?;
        let has =
            |granted: &[String], asked: &[String]| asked.iter().all(|name| granted.contains(name));
        let request = &asked.request;
        Ok(has(&said.granted_scopes, &request.scopes)
            && has(&said.granted_audiences, &request.audiences))
    }

    /// What the consent application is asked.
    pub(crate) async fn consent_request(
        &self,
        challenge: &str,
    ) -> Result<Map<String, Value>, AdminError> {
        let consent: Consent = self.challenge(Sealed::ConsentChallenge, challenge)?;
        let client = self.client_of(&consent.flow).await?;
        let mut told = consent.flow.told(self.options.public_base(), &client)?;
        told.shift_insert(0, "challenge".to_owned(), json!(challenge));
        told.shift_insert(1, "consent_request_id".to_owned(), json!(consent.id));
        told["skip"] = json!(consent.is_skipped);
        told["subject"] = json!(consent.login.subject);
        let login = consent.login;
        for (name, value) in [
            ("login_challenge", json!(consent.login_challenge)),
            ("login_session_id", json!(consent.flow.session_id)),
            ("acr", json!(login.acr)),
            ("amr", json!(login.amr)),
            ("context", login.context),
        ] {
            told.insert(name.to_owned(), value);
        }
        Ok(told)
    }

    /// Where the browser goes with a consent. Nothing can be granted that nobody asked for.
    pub(crate) fn accept_consent(
        &self,
        challenge: &str,
        accepted: AcceptConsent,
    ) -> Result<String, AdminError> {
        let consent: Consent = self.challenge(Sealed::ConsentChallenge, challenge)?;
        let request = consent.flow.request();
        let scopes = accepted.grant_scope.unwrap_or_default();
        let audiences = accepted.grant_access_token_audience.unwrap_or_default();
        for (member, granted, asked) in [
            ("grant_scope", &scopes, &request.scopes),
            (
                "grant_access_token_audience",
                &audiences,
                &request.audiences,
            ),
        ] {
            if let Some(name) = granted.iter().find(|name| !asked.contains(name)) {
                let text = format!("Member '{member}' grants '{name}', which nobody asked for.");
                return Err(AdminError::Parameter(text));
            }
        }
        let claims = accepted.session.unwrap_or_default();
        let remembers = accepted.remember.unwrap_or(false) && !consent.is_skipped;
        let grant = Grant {
            scopes,
            audiences,
            access_token: claims.access_token.unwrap_or_default(),
            id_token: claims.id_token.unwrap_or_default(),
            remember_for: remembers.then(|| accepted.remember_for.unwrap_or(0).max(0)),
            context: accepted.context.unwrap_or_default(),
        };
        self.decided(consent, Ok(grant))
    }

    /// Where the browser goes without one.
    pub(crate) fn reject_consent(
        &self,
        challenge: &str,
        rejection: Rejection,
    ) -> Result<String, AdminError> {
        let consent: Consent = self.challenge(Sealed::ConsentChallenge, challenge)?;
        self.decided(consent, Err(rejection))
    }

    fn decided(
        &self,
        consent: Consent,
        outcome: Result<Grant, Rejection>,
    ) -> Result<String, AdminError> {
        let decided = Decided { consent, outcome };
        let verifier = self.sealed(Sealed::ConsentVerifier, &decided);
        let verifier = verifier.ok_or(AdminError::Internal)?;
        let base = self.options.public_base();
        let flow = &decided.consent.flow;
        within_a_url(flow.address(base, "consent_verifier", &verifier))
    }

    /// The browser is back from the consent application.
    pub(super) async fn after_consent(
        &self,
        verifier: &str,
        browser: &Browser,
    ) -> Result<Onward, Refusal> {
        let decided: Option<Decided> = self.opened(Sealed::ConsentVerifier, verifier);
        let Some(Decided { consent, outcome }) = decided else {
            let text = "The 'consent_verifier' is none that was made here.";
            return Err(Refusal::page(ErrorCode::InvalidRequest, text));
        };
        let device = consent.flow.device.clone();
        let asked = self.asked(&consent.flow.query, device.as_ref()).await?;
        let to = &asked.return_to;
        let id = &asked.client().client_id;
        let brought = self.csrf_of(Csrf::Consent, id, browser);
        self.check_back(to, (&consent.csrf, brought), consent.begun_at)?;
        if !self.is_first("consent", &consent.id).await? {
            let text = "The consent verifier was used before.";
            return Err(to.refusal(ErrorCode::AccessDenied, text));
        }
        let grant = match outcome {
            Ok(grant) => grant,
            Err(rejection) => {
                self.deny(device.as_deref()).await?;
                let (error, text) = rejection.words();
                return Err(to.said(error, &text));
            }
        };
        if let Some(device) = device {
            return self
                .device_is_granted(&asked, (consent, grant), device)
                .await;
        }
        pkce::check(&self.options.people, asked.client(), &asked.request)
            .map_err(|error| to.because(&error))?;
        let scopes = grant.scopes.join(" ");
        let issued = opaque::issue(opaque::Kind::Code, &self.system, &*self.random);
        let (code, digest) = issued.ok_or_else(TokenError::internal)?;
        let row = (digest, Code::new(&asked.request));
        self.keep(&asked, (consent, grant), row).await?;
        let code = code.expose_secret().to_owned();
        let to = asked
            .return_to
            .answer(vec![("code", code), ("scope", scopes)]);
        let cookies = Vec::new();
        Ok(Onward { to, cookies })
    }

    /// The device may have tokens now, and the person is told so.
    async fn device_is_granted(
        &self,
        asked: &Asked,
        granted: (Consent, Grant),
        device: String,
    ) -> Result<Onward, Refusal> {
        self.keep(asked, granted, (device, Code::of_device()))
            .await?;
        let id = &asked.client().client_id;
        let named = self.options.people.device_success_url.as_deref();
        let page = self.page(named, "device/done", &[("client_id", id)]);
        let (to, cookies) = (Destination::Page(page), Vec::new());
        Ok(Onward { to, cookies })
    }

    /// Notes that a person said no to a device, if it was one that asked.
    pub(super) async fn deny(&self, device: Option<&str>) -> Result<(), Refusal> {
        match device {
            Some(device) => Ok(within(self.store.deny_device(device)).await?),
            None => Ok(()),
        }
    }

    /// Keeps what was granted, and a code for it.
    async fn keep(
        &self,
        asked: &Asked,
        (consent, grant): (Consent, Grant),
        (digest, code): (String, Code),
    ) -> Result<(), Refusal> {
        let now = self.now();
        let lifetime = i64::try_from(self.options.people.ttl_code.as_secs());
        let expires_at = now.saturating_add(lifetime.unwrap_or(i64::MAX));
        let remembered_until = match grant.remember_for {
            None => 0,
            Some(0) => i64::MAX,
            Some(seconds) => now.saturating_add(seconds),
        };
        let code_row = CodeRow {
            digest,
            consent_id: consent.id.clone(),
            document: code.to_document()?,
            used_at: 0,
            expires_at,
        };
        let row = ConsentRow {
            subject: consent.login.subject.clone(),
            client_id: asked.client().client_id.clone(),
            session_id: consent.flow.session_id.clone(),
            is_skipped: consent.is_skipped,
            remembered_until,
            handled_at: now,
            ended_at: 0,
            expires_at: expires_at.max(remembered_until),
            id: consent.id.clone(),
            document: said(consent, grant).to_document()?,
        };
        let added = within(self.store.insert_consent(&row, Some(&code_row))).await?;
        if !added {
            let text = "The client was deleted meanwhile.";
            return Err(Refusal::page(ErrorCode::InvalidClient, text));
        }
        Ok(())
    }
}

fn said(consent: Consent, grant: Grant) -> Consented {
    Consented {
        requested_at: consent.flow.begun_at,
        query: consent.flow.query,
        login_challenge: consent.login_challenge,
        authenticated_at: consent.login.authenticated_at,
        acr: consent.login.acr,
        amr: consent.login.amr,
        login_context: consent.login.context,
        forced_subject: consent.login.forced_subject,
        granted_scopes: grant.scopes,
        granted_audiences: grant.audiences,
        access_token: grant.access_token,
        id_token: grant.id_token,
        remember_for: grant.remember_for,
        context: grant.context,
        hooked: None,
    }
}
