//! `perform client-credentials`: a token for a client (RFC 6749, section 4.4).

use carnet_oauth::token_response::TokenResponse;

use super::{Endpoint, token};
use crate::api::{self, Api};
use crate::args::{ApiFlags, ClientCredentials};
use crate::output::Failure;
use crate::process::Process;

/// Asks for a token and prints it.
pub(super) async fn run(
    args: ClientCredentials,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let client = api::credentials(&args.credentials, process)?;
    let api = Api::open(api_flags, process)?;
    let (scope, audience) = (args.scope.join(" "), args.audience.join(" "));
    let asked = [
        ("grant_type", "client_credentials"),
        ("scope", scope.as_str()),
        ("audience", audience.as_str()),
    ];
    let endpoint = Endpoint::new(&api, Endpoint::TOKEN, None)?;
    let answer = endpoint.post(&asked, &client).await;
    let got: TokenResponse = answer.map_err(token::failure)?.json()?;
    token::report(&got, process.clock.now()).print(api_flags, process)
}
