//! Which scopes and audiences a client gets: all that it asked for, or none.

use carnet_oauth::{
    Error as OauthError, ErrorCode, audience, client::Client, scope, token_request::TokenRequest,
};

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

/// The audiences that are granted: those that were asked for by either name, each once.
pub(super) fn audiences(
    client: &Client,
    request: &TokenRequest,
) -> Result<Vec<String>, TokenError> {
    let refused = |name: &&String| !audience::allows(&client.audience, name);
    if let Some(audience) = request.audiences.iter().find(refused) {
        return Err(TokenError::refused(
            ErrorCode::InvalidRequest,
            format!("The client may not request audience '{audience}'."),
        ));
    }
    resources(client, &request.resources)?;
    let mut granted = request.audiences.clone();
    let more = request.resources.iter();
    granted.extend(
        more.filter(|name| !request.audiences.contains(name))
            .cloned(),
    );
    Ok(granted)
}

/// Whether a client may ask for resources (RFC 8707, section 2).
///
/// # Errors
/// `invalid_target` with the first one that it may not ask for.
pub(super) fn resources(client: &Client, asked: &[String]) -> Result<(), OauthError> {
    let refused = |name: &&String| !is_resource(name) || !audience::allows(&client.audience, name);
    match asked.iter().find(refused) {
        Some(resource) => Err(OauthError::new(
            ErrorCode::InvalidTarget,
            format!("Resource '{resource}' is no absolute URI, or the client may not request it."),
        )),
        None => Ok(()),
    }
}

/// The audiences of a token for a consent: all that was granted, or the resources alone that the
/// client names of it (RFC 8707, section 2.2), so that no service can use the token at another one.
pub(super) fn narrowed(
    granted: &[String],
    request: &TokenRequest,
) -> Result<Vec<String>, TokenError> {
    if request.resources.is_empty() {
        return Ok(granted.to_vec());
    }
    match request
        .resources
        .iter()
        .find(|name| !granted.contains(name))
    {
        Some(resource) => Err(TokenError::refused(
            ErrorCode::InvalidTarget,
            format!("Resource '{resource}' is none that was granted."),
        )),
        None => Ok(request.resources.clone()),
    }
}

/// An absolute URI without a fragment (RFC 8707, section 2).
fn is_resource(name: &str) -> bool {
    !name.contains('#') && url::Url::parse(name).is_ok()
}
