//! A request to the token endpoint (RFC 6749, section 4.4.2), read and written.

use std::borrow::Cow;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, ErrorCode, audience, client_auth::Credentials, form, grant::Grant, scope};

/// More parameters than this are no honest request.
const MAX_PARAMETERS: usize = 64;

/// What may stand in a request more than once (RFC 8693 and RFC 8707 allow it).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// A request as it was read. An empty parameter counts as absent.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// The grant types; exactly one is a valid request.
    pub grant_types: Vec<String>,
    /// The scopes, each once.
    pub scopes: Vec<String>,
    /// The audiences, each once.
    pub audiences: Vec<String>,
    /// The resources (RFC 8707), each once: audiences by another name.
    pub resources: Vec<String>,
    /// The client's id in the body.
    pub client_id: Option<String>,
    /// The client's secret in the body.
    pub client_secret: Option<SecretString>,
    /// The kind of a client assertion.
    pub client_assertion_type: Option<String>,
    /// The client assertion.
    pub client_assertion: Option<SecretString>,
    /// An authorization code.
    pub code: Option<SecretString>,
    /// Where the code was sent to.
    pub redirect_uri: Option<String>,
    /// What the challenge of the code was made of (RFC 7636).
    pub code_verifier: Option<SecretString>,
    /// A refresh token.
    pub refresh_token: Option<SecretString>,
    /// The code of a device (RFC 8628).
    pub device_code: Option<SecretString>,
    /// An assertion of an issuer (RFC 7523).
    pub assertion: Option<SecretString>,
    /// What is to be exchanged (RFC 8693).
    pub exchange: Exchange,
}

/// The parameters of an exchange of tokens (RFC 8693, section 2.1).
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// The token in whose place another one is wanted.
    pub subject_token: Option<SecretString>,
    /// Its type.
    pub subject_token_type: Option<String>,
    /// A token of who will act for the subject.
    pub actor_token: Option<SecretString>,
    /// Its type.
    pub actor_token_type: Option<String>,
    /// The type of the token that is wanted.
    pub requested_token_type: Option<String>,
}

impl TokenRequest {
    /// Reads the parameters of a body.
    ///
    /// # Errors
    /// `invalid_request` when there is no parameter, too many, or one that must not be repeated is.
    pub fn from_parameters(parameters: Vec<(String, String)>) -> Result<Self, Error> {
        let invalid = |text: &str| Error::new(ErrorCode::InvalidRequest, text);
        if parameters.is_empty() {
            return Err(invalid("The body has no form parameters."));
        }
        if parameters.len() > MAX_PARAMETERS {
            return Err(invalid("The body has too many parameters."));
        }
        for (at, (name, _)) in parameters.iter().enumerate() {
            if !REPEATABLE.contains(&name.as_str())
                && parameters[..at].iter().any(|(earlier, _)| earlier == name)
            {
                return Err(invalid(&format!(
                    "Parameter '{name}' is there more than once."
                )));
            }
        }
        let value = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let all = |wanted: &str| -> Vec<&str> {
            let found = parameters.iter().filter(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).collect()
        };
        Ok(Self {
            grant_types: scope::split(value("grant_type").unwrap_or_default()),
            scopes: scope::split(value("scope").unwrap_or_default()),
            audiences: audience::of_parameters(&all("audience")),
            resources: scope::unique(all("resource").into_iter().filter(|name| !name.is_empty())),
            client_id: value("client_id").map(str::to_owned),
            client_secret: value("client_secret").map(SecretString::from),
            client_assertion_type: value("client_assertion_type").map(str::to_owned),
            client_assertion: value("client_assertion").map(SecretString::from),
            code: value("code").map(SecretString::from),
            redirect_uri: value("redirect_uri").map(str::to_owned),
            code_verifier: value("code_verifier").map(SecretString::from),
            refresh_token: value("refresh_token").map(SecretString::from),
            device_code: value("device_code").map(SecretString::from),
            assertion: value("assertion").map(SecretString::from),
            exchange: Exchange {
                subject_token: value("subject_token").map(SecretString::from),
                subject_token_type: value("subject_token_type").map(str::to_owned),
                actor_token: value("actor_token").map(SecretString::from),
                actor_token_type: value("actor_token_type").map(str::to_owned),
                requested_token_type: value("requested_token_type").map(str::to_owned),
            },
        })
    }
}

/// A request of a client, to be written.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    /// What is asked for with; whatever else the grant wants is among the parameters.
    pub grant: Grant,
    /// The scopes.
    pub scopes: Vec<String>,
    /// The audiences.
    pub audiences: Vec<String>,
    /// The resources (RFC 8707).
    pub resources: Vec<String>,
    /// Parameters that only this server knows.
    pub parameters: Vec<(String, SecretString)>,
    /// The credentials, when they go into the body.
    pub in_body: Option<Credentials>,
}

impl ClientRequest {
    /// The body of the request.
    #[must_use]
    pub fn to_form(&self) -> SecretString {
        let mut pairs = vec![("grant_type", Cow::Borrowed(self.grant.name()))];
        if !self.scopes.is_empty() {
            pairs.push(("scope", Cow::Owned(self.scopes.join(" "))));
        }
        for audience in &self.audiences {
            pairs.push(("audience", Cow::Borrowed(audience)));
        }
        for resource in &self.resources {
            pairs.push(("resource", Cow::Borrowed(resource)));
        }
        for (name, value) in &self.parameters {
            pairs.push((name, Cow::Borrowed(value.expose_secret())));
        }
        if let Some(Credentials { id, secret }) = &self.in_body {
            pairs.push(("client_id", Cow::Borrowed(id)));
            pairs.push(("client_secret", Cow::Borrowed(secret.expose_secret())));
        }
        SecretString::from(form::encode_pairs(pairs))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<TokenRequest, Error> {
        TokenRequest::from_parameters(form::parse(body.as_bytes()))
    }

    // Holds TE-04, TE-06.
    #[test]
    fn empty_parameters_are_absent_and_unknown_ones_ignored() {
        let request = read("grant_type=+client_credentials+&scope=&foo=bar&client_id=").unwrap();
        assert_eq!(request.grant_types, ["client_credentials"]);
        assert!(request.scopes.is_empty() && request.client_id.is_none());
    }

    // Holds TE-05.
    #[test]
    fn a_repeated_parameter_is_refused_unless_it_may_repeat() {
        for name in ["grant_type", "client_id", "scope", "client_secret"] {
            let error = read(&format!("{name}=a&{name}=a")).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequest, "{name}");
        }
        assert_eq!(
            read("audience=a+b&audience=c").unwrap().audiences,
            ["a b", "c"]
        );
        assert_eq!(read("audience=a+b").unwrap().audiences, ["a", "b"]);
        let request = read("resource=a:b&resource=&resource=a:b&resource=a:c").unwrap();
        assert_eq!(request.resources, ["a:b", "a:c"]);
    }

    // Holds TE-28.
    #[test]
    fn thousands_of_parameters_are_refused() {
        let body: Vec<String> = (0..10_000).map(|at| format!("p{at}=1")).collect();
        assert!(read(&body.join("&")).is_err());
        assert!(read("").is_err());
    }

    #[test]
    fn a_request_that_is_written_reads_back() {
        let written = ClientRequest {
            grant: Grant::TokenExchange,
            scopes: vec!["read".to_owned(), "write".to_owned()],
            audiences: vec!["https://a.example".to_owned()],
            resources: vec!["https://b.example".to_owned()],
            parameters: vec![("tenant".to_owned(), SecretString::from("t 1"))],
            in_body: Some(Credentials {
                id: "i".to_owned(),
                secret: SecretString::from("s+&"),
            }),
        }
        .to_form();
        let request = read(written.expose_secret()).unwrap();
        assert_eq!(request.grant_types, [Grant::TokenExchange.name()]);
        assert_eq!(request.scopes, ["read", "write"]);
        assert_eq!(request.resources, ["https://b.example"]);
        assert!(written.expose_secret().contains("&tenant=t+1&"));
        assert_eq!(request.client_secret.unwrap().expose_secret(), "s+&");
    }
}
