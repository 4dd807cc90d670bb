//! Requests that bring a token: whoever the options name judges them, in the place of a session. A
//! request goes one way or the other, by its `Authorization` alone; on either way callers say nothing
//! of what only the other way may say.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::body::{Request, Response};
use crate::error::Fault;
use crate::middleware::{Endpoint, Exchange, Middleware, Next};

/// Kinds that let nothing pass that they have not judged.
const JUDGES: [&str; 5] = [
    "apiKey",
    "forwardAuth",
    "jwt",
    "oAuthIntrospection",
    "oAuthTokenExchange",
];

/// Schemes of tokens (RFC 6750, section 2.1; RFC 9449, section 7.1).
const SCHEMES: [&str; 2] = ["bearer", "dpop"];

/// The way of requests that bring a token.
#[derive(Debug)]
pub(super) struct Machines(Vec<Arc<dyn Middleware>>);

/// What comes behind this middleware.
#[derive(Debug)]
struct Rest<'a>(Next<'a>);

impl Machines {
    /// The way through these middlewares, which are called so. The error is one sentence.
    pub(super) fn new(name: &str, stations: &[Arc<dyn Middleware>]) -> Result<Self, String> {
        let is_judge = |station: &Arc<dyn Middleware>| JUDGES.contains(&station.kind());
        match stations.iter().any(is_judge) {
            true => Ok(Self(stations.to_vec())),
            false => Err(format!(
                "`bearer` names `{name}`, which judges no tokens; name a middleware like `jwt` or \
                 `oAuthIntrospection`, or a `chain` with one"
            )),
        }
    }

    /// Whether a request goes this way.
    pub(super) fn takes(headers: &HeaderMap) -> bool {
        let fields = headers.get_all(AUTHORIZATION).iter();
        fields.map(|field| field.as_bytes()).any(is_token)
    }

    /// Lets a request pass as these middlewares do.
    pub(super) async fn pass(
        &self,
        request: Request,
        exchange: &Exchange,
        next: Next<'_>,
    ) -> Response {
        let rest = Rest(next);
        Next::new(&self.0, &rest, exchange).run(request).await
    }

    /// Takes out of a request that goes the other way what services believe of this one.
    pub(super) fn disown(&self, headers: &mut HeaderMap) {
        for station in &self.0 {
            station.disown(headers);
        }
    }
}

impl Endpoint for Rest<'_> {
    fn answer<'a>(
        &'a self,
        request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        self.0.pass(request)
    }
}

/// Whether a service may read a token here: it is announced, whatever follows.
fn is_token(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    SCHEMES.iter().any(|scheme| {
        let Some((said, rest)) = value.split_at_checked(scheme.len()) else {
            return false;
        };
        let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        said.eq_ignore_ascii_case(scheme.as_bytes()) && !rest.first().is_some_and(goes_on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_announced_in_any_spelling_and_by_nothing_else() {
        for (value, is_one) in [
            ("Bearer a.b.c", true),
            ("bearer a", true),
            ("BEARER  a", true),
            (" Bearer a", true),
            ("Bearer\ta", true),
            ("Bearer", true),
            ("Bearer ", true),
            ("Bearer,a", true),
            ("Bearer=a", true),
            ("DPoP a", true),
            ("dpop", true),
            ("Basic YTpi", false),
            ("Bearers a", false),
            ("Bearer2 a", false),
            ("Bear", false),
            ("", false),
            ("Digest username=\"Bearer a\"", false),
        ] {
            assert_eq!(is_token(value.as_bytes()), is_one, "{value:?}");
        }
    }
}
