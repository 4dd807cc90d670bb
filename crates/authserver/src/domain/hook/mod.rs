//! The token hook: a web server of the operator that is asked before a token is made, may refuse it
//! and may say what else it claims. Its protocol is Hydra's. What is asked is in [`question`]; how
//! far the connection is bounded, in [`crate::fetch`].

mod question;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use carnet_jose::json;
use carnet_oauth::{ErrorCode, client::Client, token_request::TokenRequest};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::{
    domain::{Authority, TokenError, claims, grant::Granted},
    fetch::{FetchError, Fetcher},
    options::{HookKeyPlace, TokenHook},
};

/// The hook has so long for its answer, all attempts together.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pauses before the second and the third attempt.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// So many questions are open at a time.
const OPEN: usize = 256;

/// So many connections are kept for the next questions.
const KEPT_CONNECTIONS: usize = 16;

/// Asks the hook.
#[derive(Debug)]
pub(in crate::domain) struct HookCaller {
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
    /// The extra claims are these; `None` where it left them open.
    Claims(Option<Map<String, Value>>),
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
    /// Lets the hook, where there is one, decide about a token.
    ///
    /// # Errors
    /// `access_denied` when it says no; `server_error` when it says nothing that can be used: a
    /// token that it might have refused is not given.
    pub(in crate::domain) async fn ask_hook(
        &self,
        client: &Client,
        request: &TokenRequest,
        granted: &mut Granted,
    ) -> Result<(), TokenError> {
        let Some(caller) = &self.hook else {
            return Ok(());
        };
        let question = self.question(client, request, granted).await?;
        match caller.ask(question.to_string()).await? {
            Said::Nothing => {}
            Said::Claims(claims) => granted.extra = claims,
            Said::No => {
                return Err(TokenError::refused(
                    ErrorCode::AccessDenied,
                    "The token hook refuses this token.",
                ));
            }
        }
        Ok(())
    }
}

impl HookCaller {
    pub(in crate::domain) fn new(hook: TokenHook) -> Self {
        Self {
            hook,
            fetcher: Fetcher::new(PATIENCE, KEPT_CONNECTIONS),
            open: Semaphore::new(OPEN),
            is_broken: AtomicBool::new(false),
        }
    }

    async fn ask(&self, question: String) -> Result<Said, TokenError> {
        let _open = self.open.try_acquire().map_err(|_| TokenError::Busy)?;
        let asked = tokio::time::timeout(PATIENCE, self.attempts(question)).await;
        let said = asked.unwrap_or(Err(HookError::Late));
        let was_broken = self.is_broken.swap(said.is_err(), Ordering::Relaxed);
        said.map_err(|error| {
            if !was_broken {
                tracing::error!(error = %error, "the token hook fails: there are no tokens without it");
            }
            TokenError::refused(
                ErrorCode::ServerError,
                "The token hook gave no answer that can be used.",
            )
        })
        .inspect(|_| {
            if was_broken {
                tracing::info!("the token hook answers again");
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
            StatusCode::OK => claims_in(&answer.body).map(Said::Claims),
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

/// The claims of `session.access_token`.
fn claims_in(body: &[u8]) -> Result<Option<Map<String, Value>>, HookError> {
    let mut body =
        json::parse_object(body).map_err(|_| HookError::Unreadable("it is no JSON object"))?;
    let access_token = match body.get_mut("session") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(session)) => session.remove("access_token").unwrap_or_default(),
        Some(_) => return Err(HookError::Unreadable("`session` is no object")),
    };
    match access_token {
        Value::Null => Ok(None),
        Value::Object(claims) => Ok(Some(claims::sorted(claims))),
        _ => Err(HookError::Unreadable("`session.access_token` is no object")),
    }
}
