//! A request of a browser to the authorization endpoint (RFC 6749, section 4.1.1, and OpenID Connect
//! Core, section 3.1.2.1), read.

use crate::{Error, ErrorCode, audience, form, scope};

/// A longer query is no honest request; what is answered carries it on.
pub const MAX_QUERY_LENGTH: usize = 4 * 1024;

/// What is not taken: parameters by other ways, and what a client says of itself.
const NOT_SUPPORTED: [(&str, ErrorCode); 3] = [
    ("request", ErrorCode::RequestNotSupported),
    ("request_uri", ErrorCode::RequestUriNotSupported),
    ("registration", ErrorCode::RegistrationNotSupported),
];

/// What may stand in a request more than once (RFC 8707, section 2.1, for the latter).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// A request as it was read. An empty parameter counts as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The client.
    pub client_id: Option<String>,
    /// What is wanted, such as `code`.
    pub response_types: Vec<String>,
    /// How the answer reaches the client.
    pub response_mode: Option<String>,
    /// Where the answer goes.
    pub redirect_uri: Option<String>,
    /// The scopes, each once.
    pub scopes: Vec<String>,
    /// The audiences, each once, and the resources among them.
    pub audiences: Vec<String>,
    /// The resources (RFC 8707), each once: audiences by another name.
    pub resources: Vec<String>,
    /// What the client finds its request again by.
    pub state: Option<String>,
    /// What the id token will carry.
    pub nonce: Option<String>,
    /// The challenge of RFC 7636.
    pub code_challenge: Option<String>,
    /// How it was made.
    pub code_challenge_method: Option<String>,
    /// The thumbprint of the key with which the code will be used (RFC 9449, section 10).
    pub dpop_jkt: Option<String>,
    /// What the person is to be asked.
    pub prompts: Vec<String>,
    /// How old a login may be, in seconds. What is no number counts as absent.
    pub max_age: Option<i64>,
    /// An id token of the person who is expected.
    pub id_token_hint: Option<String>,
    /// The refusal of a parameter that is not taken (OpenID Connect Core, section 3.1.2.6).
    pub not_supported: Option<ErrorCode>,
    /// What is for the login application alone.
    pub hints: Hints,
}

/// What is for the login application alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// `acr_values`.
    pub acr_values: Vec<String>,
    /// `ui_locales`.
    pub ui_locales: Vec<String>,
    /// `display`.
    pub display: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
}

impl AuthorizationRequest {
    /// Reads a query, or the body of a form.
    ///
    /// # Errors
    /// `invalid_request` when it is too long, or has a parameter more than once that must not
    /// repeat.
    pub fn parse(query: &str) -> Result<Self, Error> {
        let invalid = |text: String| Err(Error::new(ErrorCode::InvalidRequest, text));
        if query.len() > MAX_QUERY_LENGTH {
            return invalid("The request is too long.".to_owned());
        }
        let parameters = form::parse(query.as_bytes());
        for (at, (name, _)) in parameters.iter().enumerate() {
            let is_earlier = parameters[..at].iter().any(|(earlier, _)| earlier == name);
            if is_earlier && !REPEATABLE.contains(&name.as_str()) {
                return invalid(format!("Parameter '{name}' is there more than once."));
            }
        }
        Ok(Self::of(&parameters))
    }

    fn of(parameters: &[(String, String)]) -> Self {
        let value = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            let value = found.map(|(_, value)| value.as_str());
            value.filter(|value| !value.is_empty())
        };
        let text = |wanted| value(wanted).map(str::to_owned);
        let words = |wanted| scope::split(value(wanted).unwrap_or_default());
        let all = |wanted: &str| -> Vec<&str> {
            let found = parameters.iter().filter(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).collect()
        };
        let resources = all("resource").into_iter().filter(|name| !name.is_empty());
        let resources = scope::unique(resources);
        let audiences = audience::of_parameters(&all("audience"));
        Self {
            client_id: text("client_id"),
            response_types: words("response_type"),
            response_mode: text("response_mode"),
            redirect_uri: text("redirect_uri"),
            scopes: words("scope"),
            audiences: scope::unique(audiences.iter().chain(&resources).map(String::as_str)),
            resources,
            state: text("state"),
            nonce: text("nonce"),
            code_challenge: text("code_challenge"),
            code_challenge_method: text("code_challenge_method"),
            dpop_jkt: text("dpop_jkt"),
            prompts: words("prompt"),
            max_age: value("max_age").and_then(|text| text.parse().ok()),
            id_token_hint: text("id_token_hint"),
            not_supported: NOT_SUPPORTED
                .into_iter()
                .find_map(|(name, code)| value(name).map(|_| code)),
            hints: Hints {
                acr_values: words("acr_values"),
                ui_locales: words("ui_locales"),
                display: text("display"),
                login_hint: text("login_hint"),
            },
        }
    }

    /// Whether the person is to be asked so.
    #[must_use]
    pub fn prompts(&self, word: &str) -> bool {
        self.prompts.iter().any(|prompt| prompt == word)
    }

    /// Whether OpenID Connect is spoken.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "openid")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_empty_parameters_are_absent() {
        let request = AuthorizationRequest::parse(
            "response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fa.example%2Fcb&scope=openid+a+a\
             &state=&audience=x&audience=y&max_age=60&prompt=login+consent&acr_values=1+2",
        )
        .unwrap();
        assert_eq!(
            request.redirect_uri.as_deref(),
            Some("https://a.example/cb")
        );
        assert_eq!(request.scopes, ["openid", "a"]);
        assert_eq!(request.audiences, ["x", "y"]);
        assert_eq!(
            (request.state.as_deref(), request.max_age),
            (None, Some(60))
        );
        assert!(request.is_openid() && request.prompts("consent") && !request.prompts("none"));
        assert_eq!(request.hints.acr_values, ["1", "2"]);
        assert_eq!(
            AuthorizationRequest::parse("max_age=x").unwrap().max_age,
            None
        );
    }

    #[test]
    fn two_readers_of_one_request_see_one_request() {
        for query in ["client_id=a&client_id=b", "redirect_uri=a&redirect_uri=a"] {
            let error = AuthorizationRequest::parse(query).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequest, "{query}");
        }
        let long = format!("state={}", "a".repeat(MAX_QUERY_LENGTH));
        assert!(AuthorizationRequest::parse(&long).is_err());
    }
}
