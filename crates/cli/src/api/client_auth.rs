//! How a client presents itself at the public port: `client_secret_basic` first and, when that is
//! refused, `client_secret_post`. A client is registered with one of them and cannot be asked which.

use std::borrow::Cow;

use carnet_oauth::client_auth::{Basic, Credentials};
use carnet_oauth::{ErrorBody, form};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Answer, Api, Unanswered, try_send};
use crate::args::CredentialFlags;
use crate::output::Failure;
use crate::process::Process;

/// The client of the flags or of the environment.
///
/// # Errors
/// When there is none.
pub(crate) fn credentials(
    flags: &CredentialFlags,
    process: &Process,
) -> Result<Credentials, Failure> {
    let env = |name: &str| process.env.get(name).cloned();
    let id = flags.client_id.clone().or_else(|| env("OAUTH2_CLIENT_ID"));
    let secret = flags
        .client_secret
        .clone()
        .or_else(|| env("OAUTH2_CLIENT_SECRET").map(SecretString::from));
    match (id, secret) {
        (Some(id), Some(secret)) if !id.is_empty() && !secret.expose_secret().is_empty() => {
            Ok(Credentials { id, secret })
        }
        _ => Err(Failure::new(
            "no client is named: set --client-id and --client-secret, or environment variables \
             OAUTH2_CLIENT_ID and OAUTH2_CLIENT_SECRET",
        )),
    }
}

/// Posts a form in the name of a client. When both methods are refused, the first refusal counts
/// unless the second one is about something else than the client.
///
/// # Errors
/// When the server refuses or does not answer.
pub(crate) async fn post_as_client(
    api: &Api,
    path: &[&str],
    pairs: &[(&str, &str)],
    client: &Credentials,
) -> Result<Answer, Unanswered> {
    let mut header = HeaderValue::from_str(Basic::format(client).expose_secret())
        .map_err(|_| Unanswered::Failed(Failure::new("the client's id or secret is no text")))?;
    header.set_sensitive(true);
    let basic = request(api, path, pairs).header(AUTHORIZATION, header);
    let first = match try_send(basic).await {
        Err(refused) if is_about_the_client(&refused) => refused,
        other => return other,
    };
    let secret = client.secret.expose_secret();
    let in_body = [("client_id", client.id.as_str()), ("client_secret", secret)];
    let pairs: Vec<_> = pairs.iter().copied().chain(in_body).collect();
    match try_send(request(api, path, &pairs)).await {
        Err(second) if is_about_the_client(&second) => Err(first),
        other => other,
    }
}

fn request(api: &Api, path: &[&str], pairs: &[(&str, &str)]) -> RequestBuilder {
    let pairs = pairs.iter().map(|(name, value)| (*name, Cow::from(*value)));
    api.request(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form::encode_pairs(pairs))
}

fn is_about_the_client(unanswered: &Unanswered) -> bool {
    match unanswered {
        Unanswered::Refused { status, body } => {
            *status == StatusCode::UNAUTHORIZED
                || serde_json::from_slice::<ErrorBody>(body)
                    .is_ok_and(|body| body.error == "invalid_client")
        }
        Unanswered::Failed(_) => false,
    }
}
