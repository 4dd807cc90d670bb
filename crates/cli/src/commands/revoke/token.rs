//! `revoke token`: a token of a client shall no longer count (RFC 7009).

use crate::api::{self, Api};
use crate::args::{ApiFlags, RevokeToken};
use crate::output::Failure;
use crate::process::Process;
use crate::report::Report;

/// Revokes the token and prints it.
pub(super) async fn run(
    args: RevokeToken,
    api_flags: &ApiFlags,
    process: &Process,
) -> Result<(), Failure> {
    let client = api::credentials(&args.credentials, process)?;
    let api = Api::open(api_flags, process)?;
    let pairs = [("token", args.token.as_str())];
    api::post_as_client(&api, &["oauth2", "revoke"], &pairs, &client).await?;
    Report::ids(vec![args.token]).print(api_flags, process)
}
