//! Out: the session ends here and at the provider (OpenID Connect RP-Initiated Logout 1.0).

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use super::Oidc;
use super::answer::{sent_to, unkept, with_cookies};
use super::place::Here;
use super::session::Session;
use crate::body::{Body, Response};
use crate::error::Fault;

/// What people see who are sent nowhere.
const PAGE: &str =
    "<!doctype html><meta charset=utf-8><title>Logged out</title><p>You are logged out.\n";

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

impl Oidc {
    /// Ends the session of a request, whatever becomes of the rest.
    ///
    /// # Errors
    /// When a place cannot be gone to.
    pub(super) async fn logout(&self, here: &Here, sent: &HeaderMap) -> Result<Response, Fault> {
        // A store that cannot be asked keeps nobody logged in.
        let found = self.sessions.find(sent).await.ok().flatten();
        let session = found.map(|found| found.session);
        if let Some(session) = &session {
            self.sessions.leave(session);
        }
        let response = match self.farewell(here, session.as_ref()).await {
            Some(url) => sent_to(&url)?,
            None => page(),
        };
        Ok(with_cookies(response, self.end(sent).await))
    }

    /// Where people go; `None`: nowhere.
    async fn farewell(&self, here: &Here, session: Option<&Session>) -> Option<String> {
        let place = self.options.post_logout_redirect_url.as_ref();
        let place = place.map(|place| here.absolute(place));
        let metadata = self.provider.metadata().await.ok();
        let Some(mut url) = metadata.and_then(|known| known.end_session_endpoint()) else {
            return place;
        };
        let mut pairs = url.query_pairs_mut();
        if let Some(session) = session {
            pairs.append_pair("id_token_hint", session.id_token.expose_secret());
        }
        pairs.append_pair("client_id", &self.options.client_id);
        if let Some(place) = &place {
            pairs.append_pair("post_logout_redirect_uri", place);
        }
        drop(pairs);
        Some(url.into())
    }
}

fn page() -> Response {
    let mut response = Response::new(Body::from(PAGE));
    response.headers_mut().insert(CONTENT_TYPE, HTML);
    unkept(response)
}
