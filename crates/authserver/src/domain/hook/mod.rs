//! The hooks: web servers of the operator that are asked before a token is made, one of them only
//! before it takes the place of another; they may refuse it and say what else it claims. Their
//! protocol is Hydra's. What is asked is in [`question`]; how far the connection is bounded, in
//! [`crate::fetch`].

mod question;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use carnet_jose::json;
use carnet_oauth::{ErrorCode, client::Client, grant::REFRESH_TOKEN, token_request::TokenRequest};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    domain::{Authority, TokenError, authorize::Hooked, claims, grant::Granted},
    fetch::{FetchError, Fetcher},
    options::{HookKeyPlace, Options, TokenHook},
};

/// The hook has so long for its answer, all attempts together.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// So many questions are open at a time.
const OPEN: usize = 256;

/// So many connections are kept for the next questions.
const KEPT_CONNECTIONS: usize = 16;

/// The hooks that there are.
#[derive(Debug, Default)]
pub(in crate::domain) struct Hooks {
    /// `oauth2.refresh_token_hook`.
    refresh: Option<HookCaller>,
    /// `oauth2.token_hook`.
    token: Option<HookCaller>,
}

/// Asks a hook.
#[derive(Debug)]
struct HookCaller {
    /// What it is called where it fails.
    name: &'static str,
    hook: TokenHook,
    fetcher: Fetcher,
    open: Semaphore,
    /// Whether the last question had no good answer: that is logged once.
    is_broken: AtomicBool,
}

/// What the hook said.
enum Said {
    /// Nothing changes.
    Nothing,
    /// These are the extra claims.
    Session(Hooked),
    /// There is to be no token.
    No,
}

/// Why the hook said nothing that can be used.
#[derive(Debug, thiserror::Error)]
enum HookError {
    /// A status that means nothing here.
    #[error("its answer was {0}")]
    Status(StatusCode),
    /// A body that cannot be read.
    #[error("its answer cannot be used: {0}")]
    Unreadable(&'static str),
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// No answer in time.
    #[error("no answer in {PATIENCE:?}")]
    Late,
}

impl Authority {
    /// Lets the hooks, where there are any, decide about a token. That for all tokens has the last
    /// word, as with Hydra.
    ///
    /// # Errors
    /// `access_denied` when one says no; `server_error` when it says nothing that can be used: a
    /// token that it might have refused is not given.
    pub(in crate::domain) async fn ask_hooks(
        &self,
        client: &Client,
        request: &TokenRequest,
        granted: &mut Granted,
    ) -> Result<(), TokenError> {
        let is_refresh = request.grant_types == [REFRESH_TOKEN];
        if let Some(hook) = self.hooks.refresh.as_ref().filter(|_| is_refresh) {
            let question = self.refresh_question(client, request, granted).await?;
            hook.decide(&question, granted).await?;
        }
        if let Some(hook) = &self.hooks.token {
            let question = self.question(client, request, granted).await?;
            hook.decide(&question, granted).await?;
        }
        Ok(())
    }
}

impl Hooks {
    pub(in crate::domain) fn new(options: &Options) -> Self {
        let caller = |name, hook: &Option<TokenHook>| Some(HookCaller::new(name, hook.clone()?));
        Self {
            refresh: caller("refresh token hook", &options.refresh_token_hook),
            token: caller("token hook", &options.token_hook),
        }
    }
}

impl HookCaller {
    fn new(name: &'static str, hook: TokenHook) -> Self {
        Self {
            name,
            hook,
            fetcher: Fetcher::new(PATIENCE, KEPT_CONNECTIONS),
            open: Semaphore::new(OPEN),
            is_broken: AtomicBool::new(false),
        }
    }

    async fn decide(&self, question: &Value, granted: &mut Granted) -> Result<(), TokenError> {
        match self.ask(question.to_string()).await? {
            Said::Nothing => {}
            Said::Session(hooked) => granted.hear(hooked),
            Said::No => {
                let text = format!("The {} refuses this token.", self.name);
                return Err(TokenError::refused(ErrorCode::AccessDenied, text));
            }
        }
        Ok(())
    }

    async fn ask(&self, question: String) -> Result<Said, TokenError> {
        let _open = self.open.try_acquire().map_err(|_| TokenError::Busy)?;
        let asked = tokio::time::timeout(PATIENCE, self.attempts(question)).await;
        let said = asked.unwrap_or(Err(HookError::Late));
        let was_broken = self.is_broken.swap(said.is_err(), Ordering::Relaxed);
        said.map_err(|error| {
            if !was_broken {
                tracing::error!(hook = self.name, error = %error, "a hook fails: there are no tokens without it");
            }
            let text = format!("The {} gave no answer that can be used.", self.name);
            TokenError::refused(ErrorCode::ServerError, text)
        })
        .inspect(|_| {
            if was_broken {
                tracing::info!(hook = self.name, "a hook answers again");
            }
        })
    }

    /// Asks, and again after a pause where the hook is out of reach or broken.
    async fn attempts(&self, question: String) -> Result<Said, HookError> {
        for pause in PAUSES {
            match self.attempt(&question).await {
                Err(HookError::Fetch(FetchError::Transport(_))) => {}
                Err(HookError::Status(status)) if status.is_server_error() => {}
                outcome => return outcome,
            }
            tokio::time::sleep(pause).await;
        }
        self.attempt(&question).await
    }

    async fn attempt(&self, question: &str) -> Result<Said, HookError> {
        let headers = self.headers();
        let body = question.to_owned();
        let answer = self.fetcher.post(&self.hook.url, headers, body).await?;
        match answer.status {
            StatusCode::OK => session_in(&answer.body).map(Said::Session),
            StatusCode::NO_CONTENT => Ok(Said::Nothing),
            StatusCode::FORBIDDEN => Ok(Said::No),
            other => Err(HookError::Status(other)),
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        headers.insert(CONTENT_TYPE, json);
        if let Some(key) = &self.hook.auth {
            let secret = key.value.expose_secret();
            let field = match key.place {
                HookKeyPlace::Header => (key.name.parse().ok(), secret.to_owned()),
                HookKeyPlace::Cookie => (Some(COOKIE), format!("{}={secret}", key.name)),
            };
            // What is no field was refused when the settings were read.
            if let (Some(name), Ok(mut value)) = (field.0, HeaderValue::from_str(&field.1)) {
                let name: HeaderName = name;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers
    }
}

/// What `session` says.
fn session_in(body: &[u8]) -> Result<Hooked, HookError> {
    let mut body =
        json::parse_object(body).map_err(|_| HookError::Unreadable("it is no JSON object"))?;
    let mut session = match body.remove("session") {
        None | Some(Value::Null) => return Ok(Hooked::default()),
        Some(Value::Object(session)) => session,
        Some(_) => return Err(HookError::Unreadable("`session` is no object")),
    };
    let mut claims = |name: &str, problem| match session.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(claims)) => Ok(Some(claims::sorted(claims))),
        Some(_) => Err(HookError::Unreadable(problem)),
    };
    Ok(Hooked {
        access_token: claims("access_token", "`session.access_token` is no object")?,
        id_token: claims("id_token", "`session.id_token` is no object")?.unwrap_or_default(),
    })
}
