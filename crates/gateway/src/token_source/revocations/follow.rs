//! The stream of an authorization server's revocations, read for as long as its source lives.
//!
//! Each connection begins with all that counts, so nothing is missed in between. A stream that
//! breaks costs one warning: tokens that are kept serve on for the time that is left to them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::{HeaderValue, StatusCode, Uri};
use http_body_util::BodyExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use url::{Position, Url};

use super::Revocation;
use super::events::Events;
use crate::body::{Body, Request, Response};
use crate::token_source::Engine;
use crate::token_source::backoff::share;
use crate::upstream::Client;

/// A server is heard at least so often: it says something each 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);

/// The longest wait for the head of the answer.
const HEAD: Duration = Duration::from_secs(10);

/// The first wait after a stream ended.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Where a stream is.
pub(crate) struct Feed {
    client: Client,
    uri: Uri,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
}

/// Who reads a stream, until it is dropped.
pub(in super::super) struct Follower(AbortHandle);

impl Feed {
    /// The stream of a URL, asked for with a bearer token if there is one. The error is one
    /// sentence.
    pub(crate) fn new(
        url: &Url,
        bearer: Option<&SecretString>,
        client: Client,
    ) -> Result<Self, String> {
        let unusable = || "`revocations.url` cannot be used as the URL of a stream".to_owned();
        let host = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let path = &url[Position::BeforePath..Position::AfterQuery];
        let authorization = bearer.map(|bearer| {
            let text = format!("Bearer {}", bearer.expose_secret());
            let mut value = HeaderValue::try_from(text)
                .map_err(|_| "`revocations.bearer` cannot be in a header".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self {
            client,
            uri: Uri::try_from(format!("{}://{host}{path}", url.scheme()))
                .map_err(|_| unusable())?,
            host: HeaderValue::try_from(host).map_err(|_| unusable())?,
            authorization: authorization.transpose()?,
        })
    }

    async fn open(&self) -> Result<Response, String> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let response = timeout(HEAD, self.client.send(request)).await;
        let response = response.map_err(|_| "no answer in time".to_owned())?;
        let response = response.map_err(|failure| failure.to_string())?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(format!("status {}", status.as_u16())),
        }
    }
}

impl Follower {
    /// Begins to read; `None` outside of a runtime, where nothing is served either.
    pub(in super::super) fn start(feed: Feed, engine: &Arc<Engine>) -> Option<Self> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let task = runtime.spawn(follow(feed, Arc::downgrade(engine)));
        Some(Self(task.abort_handle()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn follow(feed: Feed, engine: Weak<Engine>) {
    let mut wait = FIRST_WAIT;
    let mut is_warned = false;
    while engine.strong_count() > 0 {
        let reason = match feed.open().await {
            Ok(response) => {
                (wait, is_warned) = (FIRST_WAIT, false);
                read(response, &engine).await
            }
            Err(reason) => reason,
        };
        let Some(alive) = engine.upgrade() else {
            return;
        };
        if !is_warned {
            is_warned = true;
            tracing::warn!(
                provider = feed.uri.host().unwrap_or_default(),
                reason,
                "revocations are not heard; tokens that are kept serve on for 300 s at most",
            );
        }
        let part = 0.5 + 0.5 * share(alive.exchange.random());
        drop(alive);
        sleep(wait.mul_f64(part)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Reads until the stream ends; tells why it did.
async fn read(response: Response, engine: &Weak<Engine>) -> String {
    let mut body = response.into_body();
    let mut events = Events::default();
    loop {
        let frame = match timeout(SILENCE, body.frame()).await {
            Err(_) => return "the server is silent".to_owned(),
            Ok(None) => return "the stream ended".to_owned(),
            Ok(Some(Err(error))) => return error.to_string(),
            Ok(Some(Ok(frame))) => frame,
        };
        let Some(engine) = engine.upgrade() else {
            return String::new();
        };
        let Some(piece) = frame.data_ref() else {
            continue;
        };
        let Ok(told) = events.take(piece) else {
            return "an event is too long".to_owned();
        };
        for data in told {
            match Revocation::read(&data) {
                Some(revocation) => engine.revoke(&revocation),
                None => tracing::debug!("an event of revocations that is not known"),
            }
        }
    }
}
