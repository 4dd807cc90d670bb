//! What a browser carries between here and the applications, sealed: nobody reads or changes it, and
//! one kind does not pass for another.

use carnet_oauth::{authorization_request::AuthorizationRequest, client::Client, form};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use crate::domain::{
    AdminError, Authority, Missing, TokenError,
    authority::within,
    system_keys::{Purpose, SystemKeys},
};

/// A challenge or a verifier. Each opens as itself alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Sealed {
    LoginChallenge,
    LoginVerifier,
    ConsentChallenge,
    ConsentVerifier,
    LogoutChallenge,
    LogoutVerifier,
    DeviceChallenge,
    DeviceVerifier,
    PushedRequest,
    Session,
}

impl Sealed {
    const fn context(self) -> &'static str {
        match self {
            Self::LoginChallenge => "login challenge",
            Self::LoginVerifier => "login verifier",
            Self::ConsentChallenge => "consent challenge",
            Self::ConsentVerifier => "consent verifier",
            Self::LogoutChallenge => "logout challenge",
            Self::LogoutVerifier => "logout verifier",
            Self::DeviceChallenge => "device challenge",
            Self::DeviceVerifier => "device verifier",
            Self::PushedRequest => "pushed request",
            Self::Session => "session",
        }
    }
}

/// A request of a browser, until it has a code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    pub(super) id: String,
    /// What was asked, word for word.
    pub(super) query: String,
    /// In seconds since 1970.
    pub(super) begun_at: i64,
    /// What the browser that asked has in a cookie.
    pub(super) csrf: String,
    /// The login session, one that is there or one that will be.
    pub(super) session_id: String,
    /// Who is logged in already.
    pub(super) subject: Option<String>,
    /// Since when.
    pub(super) authenticated_at: i64,
    /// The digest of the device's code that the person gave, when there is one.
    pub(super) device: Option<String>,
    /// Whether the client pushed the request: then browsers need not carry what it asks.
    #[serde(default)]
    pub(super) is_pushed: bool,
}

/// What a person has some time for.
pub(in crate::domain) trait Timed {
    /// When it began, in seconds since 1970.
    fn begun_at(&self) -> i64;
}

impl Timed for Flow {
    fn begun_at(&self) -> i64 {
        self.begun_at
    }
}

/// A refusal of an application, as Hydra takes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rejection {
    error: Option<String>,
    error_description: Option<String>,
    error_hint: Option<String>,
}

impl Rejection {
    /// The code and the sentence.
    pub(super) fn words(&self) -> (&str, String) {
        let code = self.error.as_deref().filter(|code| !code.is_empty());
        let texts = [&self.error_description, &self.error_hint];
        let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
        (code.unwrap_or("access_denied"), texts.join(" "))
    }
}

impl Flow {
    /// What was asked. It was read before.
    pub(super) fn request(&self) -> AuthorizationRequest {
        AuthorizationRequest::parse(&self.query).unwrap_or_default()
    }

    /// The address of the request with something more, sorted, as Hydra writes it.
    pub(super) fn address(&self, base: &str, name: &str, value: &str) -> String {
        let mut pairs = form::parse(self.query.as_bytes());
        let path = match self.device {
            Some(_) => "/oauth2/device/verify",
            None => "/oauth2/auth",
        };
        let is_told = self.device.is_none() && !self.is_pushed;
        let is_kept = |known: &str| is_told || known == "client_id";
        pairs.retain(|(known, _)| known != name && is_kept(known));
        pairs.push((name.to_owned(), value.to_owned()));
        pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.into()));
        format!("{base}{path}?{}", form::encode_pairs(pairs))
    }

    /// What both applications are told.
    pub(super) fn told(
        &self,
        base: &str,
        client: &Client,
    ) -> Result<Map<String, Value>, AdminError> {
        let request = self.request();
        let client = serde_json::to_value(client).map_err(|_| AdminError::Internal)?;
        let Value::Object(told) = json!({
            "requested_scope": request.scopes,
            "requested_access_token_audience": request.audiences,
            "skip": false,
            "subject": "",
            "oidc_context": hints(&request),
            "client": client,
            "request_url": format!("{base}/oauth2/auth?{}", self.query),
        }) else {
            return Err(AdminError::Internal);
        };
        Ok(told)
    }
}

/// What is for the login application alone.
fn hints(request: &AuthorizationRequest) -> Map<String, Value> {
    let hints = &request.hints;
    let list = |words: &Vec<String>| (!words.is_empty()).then(|| json!(words));
    let members = [
        ("acr_values", list(&hints.acr_values)),
        ("display", hints.display.clone().map(Value::from)),
        ("login_hint", hints.login_hint.clone().map(Value::from)),
        ("ui_locales", list(&hints.ui_locales)),
    ];
    let members = members.into_iter();
    members
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

impl Authority {
    /// What seals it: a cookie stays longer than a flow takes.
    fn seals(&self, kind: Sealed) -> &SystemKeys {
        match kind {
            Sealed::Session => &self.cookies,
            _ => &self.system,
        }
    }

    /// Seals something that a browser will carry.
    pub(in crate::domain) fn sealed(&self, kind: Sealed, value: &impl Serialize) -> Option<String> {
        let text = serde_json::to_vec(value).ok()?;
        let random = &*self.random;
        self.seals(kind)
            .seal(Purpose::Flows, random, &text, kind.context())
    }

    /// Opens what was sealed here.
    pub(in crate::domain) fn opened<T: DeserializeOwned>(
        &self,
        kind: Sealed,
        sealed: &str,
    ) -> Option<T> {
        let keys = self.seals(kind);
        let text = keys.open(Purpose::Flows, sealed, kind.context())?;
        serde_json::from_slice(&text).ok()
    }

    /// Opens a challenge that an application shows, in its time.
    pub(in crate::domain) fn challenge<T: DeserializeOwned + Timed>(
        &self,
        kind: Sealed,
        challenge: &str,
    ) -> Result<T, AdminError> {
        let missing = AdminError::NotFound(Missing::Challenge);
        let opened: T = self.opened(kind, challenge).ok_or(missing)?;
        match self.is_in_time(opened.begun_at()) {
            true => Ok(opened),
            false => Err(AdminError::Expired),
        }
    }

    /// Whether something that began then can still be ended.
    pub(in crate::domain) fn is_in_time(&self, begun_at: i64) -> bool {
        let allowed = i64::try_from(self.options.people.ttl_request.as_secs());
        self.now() < begun_at.saturating_add(allowed.unwrap_or(i64::MAX))
    }

    /// Notes that something was done, which is done once, at whichever server; false when it was
    /// done before.
    pub(in crate::domain) async fn is_first(
        &self,
        what: &str,
        id: &str,
    ) -> Result<bool, TokenError> {
        let kept = i64::try_from(self.options.people.ttl_request.as_secs());
        // Longer than it could be shown: verifiers end with their challenges.
        let until = self
            .now()
            .saturating_add(kept.unwrap_or(i64::MAX).saturating_mul(2));
        let name = format!("{what}:{id}");
        Ok(within(self.store.use_jti(&name, until)).await?)
    }
}
