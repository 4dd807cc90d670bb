//! What a token is asked for with: by `client_credentials`, or in the place of a caller's token. Says
//! what the form has of it, what the key of a token has, and which answers are taken.

use carnet_config::routing::middleware::o_auth_token_exchange::{Method, Rfc8693};
use carnet_oauth::grant;
use carnet_oauth::token_response::TokenResponse;
use carnet_oauth::token_type::{ACCESS_TOKEN, NOT_APPLICABLE};
use secrecy::{ExposeSecret as _, SecretString};

/// The way to a token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grant {
    /// The client's own.
    ClientCredentials,
    /// One in the place of a caller's.
    Exchange(Method),
}

impl Grant {
    /// As the token endpoint calls it.
    pub(super) fn named(&self) -> grant::Grant {
        match self {
            Self::ClientCredentials => grant::Grant::ClientCredentials,
            Self::Exchange(Method::Rfc8693(_)) => grant::Grant::TokenExchange,
            Self::Exchange(Method::EntraId) => grant::Grant::JwtBearer,
        }
    }

    /// The fields of the form that it has besides those of every client.
    pub(super) fn fields(&self, subject: Option<&SecretString>) -> Vec<(String, SecretString)> {
        let (Self::Exchange(method), Some(subject)) = (self, subject) else {
            return Vec::new();
        };
        let mut fields: Vec<(&str, SecretString)> = Vec::new();
        match method {
            Method::Rfc8693(asked) => {
                fields.push(("subject_token", subject.clone()));
                fields.push(("subject_token_type", (&*asked.subject_token_type).into()));
                if let Some(wanted) = &asked.requested_token_type {
                    fields.push(("requested_token_type", wanted.as_str().into()));
                }
                if let Some(actor) = &asked.actor {
                    fields.push(("actor_token", actor.token.clone()));
                    fields.push(("actor_token_type", actor.token_type.as_str().into()));
                }
            }
            Method::EntraId => {
                fields.push(("assertion", subject.clone()));
                fields.push(("requested_token_use", "on_behalf_of".into()));
            }
        }
        let named = fields.into_iter();
        named
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// What the key of a token has of it: always as many parts.
    pub(super) fn parts(&self) -> Option<[&str; 5]> {
        match self {
            Self::ClientCredentials => None,
            Self::Exchange(Method::EntraId) => Some(["entraID", "", "", "", ""]),
            Self::Exchange(Method::Rfc8693(asked)) => {
                let actor = asked.actor.as_ref();
                Some([
                    "rfc8693",
                    &asked.subject_token_type,
                    asked.requested_token_type.as_deref().unwrap_or_default(),
                    actor.map_or("", |actor| actor.token.expose_secret()),
                    actor.map_or("", |actor| &actor.token_type),
                ])
            }
        }
    }

    /// Whether an answer brings what was asked for.
    ///
    /// # Errors
    /// One sentence, when it does not.
    pub(super) fn check(&self, answer: &TokenResponse) -> Result<(), &'static str> {
        let wanted = match self {
            Self::Exchange(Method::Rfc8693(asked)) => check_type(asked, answer)?,
            _ => None,
        };
        // What was asked for may be something that is not shown as it is (RFC 8693, section 2.2.1).
        let is_other = wanted.is_some_and(|wanted| wanted != ACCESS_TOKEN);
        let is_taken = is_other && answer.token_type.eq_ignore_ascii_case(NOT_APPLICABLE);
        match answer.is_bearer() || is_taken {
            true => Ok(()),
            false => Err("the token is not a bearer token"),
        }
    }
}

/// Whether an access token was given, or what was wanted, which it gives.
fn check_type<'a>(
    asked: &'a Rfc8693,
    answer: &TokenResponse,
) -> Result<Option<&'a str>, &'static str> {
    let wanted = asked.requested_token_type.as_deref();
    match answer.issued_token_type.as_deref() {
        Some(given) if given == ACCESS_TOKEN || Some(given) == wanted => Ok(wanted),
        Some(_) => Err("the answer brings another type of token than was asked for"),
        None => Err("the answer does not say what was given (`issued_token_type`)"),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    use carnet_oauth::token_type::JWT;
    use serde_json::{Value, json};

    fn asking(wanted: Option<&str>) -> Grant {
        Grant::Exchange(Method::Rfc8693(Rfc8693 {
            subject_token_type: ACCESS_TOKEN.to_owned(),
            requested_token_type: wanted.map(str::to_owned),
            actor: None,
        }))
    }

    #[test]
    fn only_an_answer_with_an_access_token_or_with_what_was_wanted_is_taken() {
        let id_token = "urn:ietf:params:oauth:token-type:id_token";
        let (plain, jwt) = (asking(None), asking(Some(JWT)));
        for (grant, given, kind, is_taken) in [
            (&plain, json!(ACCESS_TOKEN), "Bearer", true),
            (&plain, json!(ACCESS_TOKEN), "bearer", true),
            (&plain, json!(ACCESS_TOKEN), "DPoP", false),
            (&plain, json!(ACCESS_TOKEN), "N_A", false),
            (&plain, json!(JWT), "Bearer", false),
            (&plain, json!(id_token), "N_A", false),
            (&plain, Value::Null, "Bearer", false),
            (&jwt, json!(JWT), "Bearer", true),
            (&jwt, json!(JWT), "N_A", true),
            (&jwt, json!(JWT), "mac", false),
            (&jwt, json!(ACCESS_TOKEN), "Bearer", true),
            (&jwt, json!(id_token), "Bearer", false),
            (
                &Grant::Exchange(Method::EntraId),
                Value::Null,
                "Bearer",
                true,
            ),
            (&Grant::Exchange(Method::EntraId), Value::Null, "N_A", false),
            (&Grant::ClientCredentials, json!(id_token), "Bearer", true),
            (&Grant::ClientCredentials, Value::Null, "N_A", false),
        ] {
            let mut body = json!({"access_token": "t", "token_type": kind});
            if !given.is_null() {
                body["issued_token_type"] = given;
            }
            let answer = TokenResponse::from_json(body.to_string().as_bytes()).unwrap();
            let outcome = grant.check(&answer);
            assert_eq!(outcome.is_ok(), is_taken, "{grant:?} {body}: {outcome:?}");
        }
    }
}
