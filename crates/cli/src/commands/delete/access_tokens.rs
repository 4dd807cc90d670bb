//! `delete access-tokens`: all of a client's.

use reqwest::Method;

use crate::api::{self, Api};
use crate::args::{ApiFlags, DeleteAccessTokens};
use crate::output::Failure;
use crate::process::Process;
use crate::report::Report;

/// Deletes the tokens and prints the client's id.
pub(super) async fn run(
    args: DeleteAccessTokens,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let api = Api::open(api_flags, process)?;
    let request = api
        .request(Method::DELETE, &["admin", "oauth2", "tokens"])
        .query(&[("client_id", &args.client)]);
    api::send(request).await?;
    Report::ids(vec![args.client]).print(api_flags, process)
}
