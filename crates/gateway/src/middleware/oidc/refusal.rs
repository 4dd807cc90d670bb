//! A login that came to nothing, told to whoever looks at it: what happened, in our words, and the way
//! to begin again, by hand. Nobody is sent to the provider from here: it would say the same for ever.

use bytes::Bytes;
use carnet_oauth::error::printable;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method};

use super::answer::told;
use super::login::is_navigation;
use super::provider::RETRY_AFTER;
use crate::body::{Body, Response};
use crate::error::{Fault, Reason};
use crate::middleware::Exchange;

/// Nothing runs in the page, nobody puts it into another, and what was asked for, with the answer in
/// it, goes nowhere.
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Letters of what a provider says that the log has.
const LONGEST: usize = 200;

/// Why somebody is not logged in.
pub(super) struct Refusal {
    pub(super) fault: Fault,
    /// What the person reads.
    sentence: &'static str,
}

impl Refusal {
    /// By what the provider says (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6), and
    /// `request_forbidden`, which Hydra says.
    pub(super) fn said(error: &str, description: &str) -> Self {
        let (reason, sentence) = match error {
            "access_denied" => (
                Reason::CallerForbidden,
                "You were not let in: the login was refused or broken off.",
            ),
            "request_forbidden" => (
                Reason::CallerForbidden,
                "The login was begun in another browser, or its cookies are gone.",
            ),
            "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required" => (
                Reason::CallerForbidden,
                "You have to log in at the provider first, or to answer something that it wants to ask you.",
            ),
            "server_error" | "temporarily_unavailable" => (
                Reason::TokenUnverifiable,
                "The provider cannot log anybody in just now. Try again in a moment.",
            ),
            // It does not take the gateway for the client that it says it is.
            "invalid_request"
            | "unauthorized_client"
            | "unsupported_response_type"
            | "invalid_scope"
            | "invalid_target" => (
                Reason::TokenRefused,
                "The provider does not take this login. Whoever runs this site has to look at it.",
            ),
            _ => (Reason::BadRequest, "The provider refused the login."),
        };
        let short = |text: &str| printable(text).chars().take(LONGEST).collect::<String>();
        let cause = format!(
            "the provider lets this person not in: error {:?}, {:?}",
            short(error),
            short(description)
        );
        let fault = Fault::new(reason).because(cause);
        let fault = match reason {
            Reason::TokenUnverifiable => fault.retry_after(RETRY_AFTER),
            _ => fault,
        };
        Self { fault, sentence }
    }

    /// The answer. `again`: where a new login begins.
    pub(super) fn shown(
        self,
        again: &str,
        (method, sent): (&Method, &HeaderMap),
        exchange: &Exchange,
    ) -> Response {
        let mut response = told(Err(self.fault), exchange);
        if is_navigation(method, sent) {
            *response.body_mut() = Body::from(Bytes::from(page(self.sentence, again)));
            for (name, value) in HEADERS {
                let value = HeaderValue::from_static(value);
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let sentence = match fault.reason() {
            Reason::BadRequest => {
                "This login is over: it took too long, was begun in another browser, or has been finished before."
            }
            Reason::TokenUnverifiable
            | Reason::TokenEndpointUnavailable
            | Reason::TokenEndpointTimeout => {
                "Nobody can be logged in just now. Try again in a moment."
            }
            _ => "The login could not be finished.",
        };
        Self { fault, sentence }
    }
}

fn page(sentence: &str, again: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Not logged in</title><h1>You are not \
         logged in</h1><p>{sentence}<p><a href=\"{}\">Begin again</a>\n",
        escaped(again)
    )
}

/// A text as an attribute has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_page_is_nothing_but_a_place() {
        let page = page("No.", "http://app.test/\"><script>alert('a')</script>&b");
        let place = "href=\"http://app.test/&quot;&gt;&lt;script&gt;alert(&#39;a&#39;)&lt;/script&gt;&amp;b\"";
        assert!(page.contains(place), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
