//! The provider says itself who has logged out there (OpenID Connect Back-Channel Logout 1.0): no
//! browser is in between, and the sessions end that it does not know of.

use carnet_oauth::form;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use secrecy::SecretString;

use super::Oidc;
use super::answer::unkept;
use crate::body::{Body, Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;
use crate::middleware::bearer::is_form;
use crate::respond;
use crate::service::{Collected, collect};

/// Larger forms are no logouts.
const FORM: usize = 64 << 10;

/// Section 2.8: what went wrong is told, and nothing of the token.
const REFUSAL: &str = r#"{"error":"invalid_request"}"#;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Oidc {
    /// The answer to the provider. Whatever is wrong is 400, as section 2.8 has it.
    pub(super) async fn backchannel(&self, request: Request, exchange: &Exchange) -> Response {
        let mut response = Response::new(Body::empty());
        if let Err(fault) = self.ended(request).await {
            // The access log and the log tell why.
            drop(respond::to_fault(&fault, exchange));
            *response.body_mut() = Body::from(REFUSAL);
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(CONTENT_TYPE, JSON);
        }
        unkept(response)
    }

    async fn ended(&self, request: Request) -> Result<(), Fault> {
        let token = self.logout_token(request).await?;
        let logout = self.provider.logout(&token).await?;
        match self.sessions.logged_out(&logout).await? {
            true => Ok(()),
            false => {
                let cause = "the logout token was used before";
                Err(Fault::new(Reason::TokenInvalid).because(cause))
            }
        }
    }

    /// What a form says, once.
    async fn logout_token(&self, request: Request) -> Result<SecretString, Fault> {
        if request.method() != Method::POST || !is_form(request.headers()) {
            return Err(bad("it is no form"));
        }
        let whole = match collect(request, FORM, &self.room).await? {
            Collected::Whole(whole) => whole,
            Collected::Streamed(_, fault) => return Err(fault),
        };
        let fields = form::parse(&whole.bytes()).into_iter();
        let mut tokens = fields.filter(|(name, _)| name == "logout_token");
        match (tokens.next(), tokens.next()) {
            (Some((_, token)), None) => Ok(token.into()),
            _ => Err(bad("it has no logout token, or several")),
        }
    }
}

fn bad(cause: &str) -> Fault {
    Fault::new(Reason::BadRequest).because(format!("what a provider says of a logout: {cause}"))
}
