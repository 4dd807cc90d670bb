//! Which scopes and audiences a client gets: all that it asked for, or none.

use carnet_oauth::{ErrorCode, audience, client::Client, scope, token_request::TokenRequest};

use crate::{domain::TokenError, options::Options};

/// The scopes that are granted.
pub(super) fn scopes(
    options: &Options,
    client: &Client,
    request: &TokenRequest,
) -> Result<Vec<String>, TokenError> {
    if request.scopes.is_empty() && options.default_grant_allowed_scope {
        return Ok(client.scopes().map(str::to_owned).collect());
    }
    let refused = request.scopes.iter().find(|requested| {
        !scope::is_well_formed(requested)
            || !options.scope_strategy.allows(client.scopes(), requested)
    });
    match refused {
        Some(scope) => Err(TokenError::refused(
            ErrorCode::InvalidScope,
            format!("The client may not request scope '{scope}'."),
        )),
        None => Ok(request.scopes.clone()),
    }
}

/// The audiences that are granted.
pub(super) fn audiences(
    client: &Client,
    request: &TokenRequest,
) -> Result<Vec<String>, TokenError> {
    let refused = |name: &&String| !audience::allows(&client.audience, name);
    match request.audiences.iter().find(refused) {
        Some(audience) => Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            format!("The client may not request audience '{audience}'."),
        )),
        None => Ok(request.audiences.clone()),
    }
}
