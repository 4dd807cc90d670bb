//! To the provider: the authorization request (OpenID Connect Core, section 3.1.2.1; PKCE, RFC 7636).

use aws_lc_rs::digest::{SHA256, digest};
use carnet_jose::base64url;
use http::header::ACCEPT;
use http::{HeaderMap, Method};
use url::Url;

use super::Oidc;
use super::answer::{sent_to, with_cookies};
use super::attempt::Attempt;
use super::place::Here;
use crate::body::Response;
use crate::error::{Fault, Reason};
use crate::host;

impl Oidc {
    /// The answer to a request without a session.
    ///
    /// # Errors
    /// When it is not one that begins a login, or nobody can log in now.
    pub(super) async fn nobody(
        &self,
        here: &Here,
        (method, sent): (&Method, &HeaderMap),
    ) -> Result<Response, Fault> {
        let begins = match &self.options.login_url {
            Some(place) => here.is(place),
            None => is_navigation(method, sent),
        };
        match begins && !self.options.disable_login {
            true => self.login(here, sent).await,
            false => Err(Fault::new(Reason::TokenMissing)),
        }
    }

    async fn login(&self, here: &Here, sent: &HeaderMap) -> Result<Response, Fault> {
        let metadata = self.provider.metadata().await?;
        let endpoint = metadata.authorization_endpoint();
        let garbled = |cause: String| Fault::new(Reason::TokenEndpointAnswer).because(cause);
        let endpoint = endpoint.map_err(garbled)?;
        let redirect_uri = here.absolute(&self.options.redirect_url);
        let attempt = self
            .attempts
            .begin(here.url(), redirect_uri, self.options.pkce);
        let response = sent_to(self.authorization(endpoint, &attempt).as_str())?;
        Ok(with_cookies(response, self.attempts.keep(&attempt, sent)))
    }

    fn authorization(&self, mut url: Url, attempt: &Attempt) -> Url {
        let options = &self.options;
        let mut pairs = url.query_pairs_mut();
        pairs.append_pair("response_type", "code");
        pairs.append_pair("client_id", &options.client_id);
        pairs.append_pair("redirect_uri", &attempt.redirect_uri);
        pairs.append_pair("scope", &options.scopes.join(" "));
        pairs.append_pair("state", &attempt.state);
        pairs.append_pair("nonce", &attempt.nonce);
        if let Some(verifier) = &attempt.verifier {
            let challenge = base64url::encode(digest(&SHA256, verifier.as_bytes()));
            pairs.append_pair("code_challenge", &challenge);
            pairs.append_pair("code_challenge_method", "S256");
        }
        pairs.extend_pairs(&options.auth_params);
        drop(pairs);
        url
    }
}

/// Whether a browser shows the answer to a person: others cannot log in, and would take the
/// provider's page for the service's answer.
pub(super) fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    if ![Method::GET, Method::HEAD].contains(method) {
        return false;
    }
    match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => {
            let accepted = headers.get_all(ACCEPT).iter().map(host::text);
            let mut kinds = accepted.flat_map(|kinds| kinds.split(','));
            kinds.any(|kind| {
                let name = kind.split(';').next().unwrap_or_default().trim();
                name.eq_ignore_ascii_case("text/html")
            })
        }
    }
}
