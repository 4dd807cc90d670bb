//! From the provider: the answer that a browser brings back (OpenID Connect Core, section 3.1.2.5;
//! RFC 9207), the code exchanged, and a session begun. Nothing of an answer is shown to anybody.

use std::time::{Duration, SystemTime};

use carnet_config::routing::middleware::oidc::Place;
use carnet_jose::jwt;
use carnet_oauth::form;
use carnet_oauth::token_response::TokenResponse;
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;

use super::Oidc;
use super::answer::{sent_to, with_cookies};
use super::attempt::Attempt;
use super::id_token;
use super::metadata::Metadata;
use super::place::Here;
use super::provider::Missed;
use super::refusal::Refusal;
use super::session::{Session, issued};
use crate::body::Response;
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::token_source::seconds;

/// A token lives so long where nobody says for how long.
const LIFE: Duration = Duration::from_secs(3600);

/// What came back.
struct Answer(Vec<(String, String)>);

impl Oidc {
    /// The answer to what a browser brings back. The attempt is over, however it ended.
    pub(super) async fn callback(
        &self,
        here: &Here,
        (method, sent): (&Method, &HeaderMap),
        exchange: &Exchange,
    ) -> Response {
        exchange.conceal(&self.code);
        let answer = Answer(form::parse(here.query().as_bytes()));
        let state = answer.only("state").ok().flatten();
        let attempt = state.and_then(|state| self.attempts.take(state, sent));
        let outcome = match &attempt {
            Some(attempt) => self.logged_in(here, (&answer, attempt), sent).await,
            None => Err(bad("its `state` is not that of a login of this browser").into()),
        };
        let response = outcome.unwrap_or_else(|refusal| {
            let again = self.entry(here, attempt.as_ref());
            refusal.shown(&again, (method, sent), exchange)
        });
        let ended = state.and_then(|state| self.attempts.end(state, sent));
        with_cookies(response, ended)
    }

    /// Where a login begins: at what was asked for, unless there is one place for it.
    fn entry(&self, here: &Here, attempt: Option<&Attempt>) -> String {
        match (&self.options.login_url, attempt) {
            (Some(place), _) => here.absolute(place),
            (None, Some(attempt)) => attempt.url.clone(),
            (None, None) => here.absolute(&Place::Path("/".to_owned())),
        }
    }

    async fn logged_in(
        &self,
        here: &Here,
        (answer, attempt): (&Answer, &Attempt),
        sent: &HeaderMap,
    ) -> Result<Response, Refusal> {
        let metadata = self.provider.metadata().await?;
        let code = answer.code(&metadata)?;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &attempt.redirect_uri),
        ];
        if let Some(verifier) = &attempt.verifier {
            fields.push(("code_verifier", verifier));
        }
        let tokens = self.provider.tokens(&fields).await;
        let tokens = tokens.map_err(Missed::fault)?;
        let session = self.session(tokens, attempt).await?;
        let mut cookies = self.sessions.keep(&session, None, sent).await?;
        if let Some(csrf) = &self.csrf {
            cookies.extend(csrf.keep(&session));
        }
        let place = self.options.post_login_redirect_url.as_ref();
        let url = place.map(|place| here.absolute(place));
        let response = sent_to(url.as_deref().unwrap_or(&attempt.url))?;
        Ok(with_cookies(response, cookies))
    }

    async fn session(&self, tokens: TokenResponse, attempt: &Attempt) -> Result<Session, Fault> {
        let id_token = tokens.id_token.ok_or_else(|| {
            let cause = "the provider gave no ID token";
            Fault::new(Reason::TokenEndpointAnswer).because(cause)
        })?;
        let claims = self
            .provider
            .claims(&id_token, &tokens.access_token)
            .await?;
        let now = self.clock.now();
        let max_age = self.options.auth_params.get("max_age");
        id_token::is_of(&claims, &attempt.nonce)
            .and_then(|()| id_token::is_fresh(&claims, max_age, seconds(now)))
            .map_err(|sentence| Fault::new(Reason::TokenInvalid).because(sentence))?;
        Ok(Session {
            expires_at: end(now, tokens.expires_in, jwt::time(&claims, "exp")),
            id_token,
            access_token: tokens.access_token,
            refresh_token: tokens
                .refresh_token
                .filter(|token| !token.expose_secret().is_empty()),
            issued_at: issued(&claims, now),
            login: attempt.name(),
            claims,
            created_at: now,
        })
    }
}

impl Answer {
    /// A parameter that is there once or not at all.
    fn only(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut all = self.0.iter().filter(|(own, _)| own == name);
        match (all.next(), all.next()) {
            (_, Some(_)) => Err(bad("it says something twice")),
            (one, None) => Ok(one.map(|(_, value)| value.as_str())),
        }
    }

    /// The code, where the provider gave one.
    fn code(&self, metadata: &Metadata) -> Result<&str, Refusal> {
        // An answer of another provider leads its code to the wrong one (RFC 9207, section 2.4).
        match self.only("iss")? {
            Some(issuer) if issuer != metadata.issuer() => {
                return Err(bad("it is another provider's").into());
            }
            None if metadata.names_itself() => {
                return Err(bad("it does not say whose it is").into());
            }
            _ => {}
        }
        if let Some(error) = self.only("error")? {
            let description = self.only("error_description").ok().flatten();
            return Err(Refusal::said(error, description.unwrap_or_default()));
        }
        let code = self.only("code")?.filter(|code| !code.is_empty());
        code.ok_or_else(|| bad("it has no `code`").into())
    }
}

/// When an access token ends: what its answer says, or the ID token does.
pub(super) fn end(now: SystemTime, seconds: Option<i64>, exp: Option<i64>) -> SystemTime {
    let after = |begin: SystemTime, seconds: i64| {
        begin.checked_add(Duration::from_secs(
            u64::try_from(seconds).unwrap_or_default(),
        ))
    };
    let said = seconds.and_then(|seconds| after(now, seconds));
    said.or_else(|| after(SystemTime::UNIX_EPOCH, exp?))
        .unwrap_or(now + LIFE)
}

fn bad(cause: &str) -> Fault {
    Fault::new(Reason::BadRequest).because(format!("an answer to a login: {cause}"))
}
