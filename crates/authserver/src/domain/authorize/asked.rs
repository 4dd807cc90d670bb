//! What a request must be like: a known client, an address that it registered, and only then
//! anything else, for which the client is told what is wrong.

use std::{net::IpAddr, sync::Arc};

use carnet_oauth::{
    ErrorCode, audience, authorization_request::AuthorizationRequest, client::Client,
    grant::AUTHORIZATION_CODE, scope,
};
use url::{Host, Url};

use crate::{
    domain::{
        Authority,
        authority::within,
        authorize::answer::{Mode, Refusal, ReturnTo},
        policy,
    },
    store::ClientRow,
};

/// A shorter `state` can be guessed, as Hydra sees it.
const STATE_LENGTH: usize = 8;

/// A request that may be answered.
#[derive(Debug)]
pub(in crate::domain) struct Asked {
    pub(super) request: AuthorizationRequest,
    pub(super) row: Arc<ClientRow>,
    /// Where the client is told.
    pub(in crate::domain) return_to: ReturnTo,
}

impl Asked {
    pub(super) fn client(&self) -> &Client {
        &self.row.client
    }
}

impl Authority {
    /// Reads a request. It is read again whenever the browser comes back: the client may have
    /// changed.
    /// That of a device has no address: what goes wrong is told to the person.
    pub(in crate::domain) async fn asked(
        &self,
        query: &str,
        device: Option<&String>,
    ) -> Result<Asked, Refusal> {
        let request = AuthorizationRequest::parse(query).map_err(Refusal::Page)?;
        let id = request.client_id.as_deref().unwrap_or_default();
        let row = within(self.store.known_client(id)).await?;
        let row = row.ok_or_else(|| {
            Refusal::page(
                ErrorCode::InvalidClient,
                "There is no client of that 'client_id'.",
            )
        })?;
        if device.is_some() {
            let return_to = ReturnTo::nowhere();
            return Ok(Asked {
                request,
                row,
                return_to,
            });
        }
        let return_to = ReturnTo {
            redirect_uri: redirect_uri(&row.client, &request)?,
            mode: mode(&request)?,
            issuer: self.options.issuer.clone(),
            state: request.state.clone().unwrap_or_default(),
        };
        self.check(&row.client, &request, &return_to)?;
        Ok(Asked {
            request,
            row,
            return_to,
        })
    }

    fn check(
        &self,
        client: &Client,
        request: &AuthorizationRequest,
        to: &ReturnTo,
    ) -> Result<(), Refusal> {
        if let Some(code) = request.not_supported {
            let text = "This is not taken here: send the parameters themselves.";
            return Err(to.refusal(code, text));
        }
        if to.state.chars().count() < STATE_LENGTH {
            let text = format!("Parameter 'state' needs {STATE_LENGTH} characters or more.");
            return Err(to.refusal(ErrorCode::InvalidState, &text));
        }
        check_response_type(client, request, to)?;
        let strategy = self.options.scope_strategy;
        let is_refused = |name: &&String| {
            !scope::is_well_formed(name) || !strategy.allows(client.scopes(), name)
        };
        if let Some(name) = request.scopes.iter().find(is_refused) {
            let text = format!("The client may not request scope '{name}'.");
            return Err(to.refusal(ErrorCode::InvalidScope, &text));
        }
        policy::resources(client, &request.resources).map_err(|error| to.because(&error))?;
        let is_refused = |name: &&String| !audience::allows(&client.audience, name);
        if let Some(name) = request.audiences.iter().find(is_refused) {
            let text = format!("The client may not request audience '{name}'.");
            return Err(to.refusal(ErrorCode::InvalidRequest, &text));
        }
        if request.prompts("none") && request.prompts.len() > 1 {
            let text = "Parameter 'prompt' cannot be 'none' and something else.";
            return Err(to.refusal(ErrorCode::InvalidRequest, text));
        }
        Ok(())
    }
}

/// Codes are what is given; tokens never go through a browser (RFC 9700, section 2.1.2).
fn check_response_type(
    client: &Client,
    request: &AuthorizationRequest,
    to: &ReturnTo,
) -> Result<(), Refusal> {
    let is_registered = match client.response_types.as_deref() {
        None | Some([]) => true,
        Some(types) => types.iter().any(|words| words == "code"),
    };
    if request.response_types != ["code"] || !is_registered {
        let named = request.response_types.join(" ");
        let text = format!("The client may not request response type '{named}'.");
        return Err(to.refusal(ErrorCode::UnsupportedResponseType, &text));
    }
    if !client.allows_grant(AUTHORIZATION_CODE) {
        let text = "The client is not registered for grant type 'authorization_code'.";
        return Err(to.refusal(ErrorCode::UnauthorizedClient, text));
    }
    Ok(())
}

fn mode(request: &AuthorizationRequest) -> Result<Mode, Refusal> {
    match request.response_mode.as_deref() {
        None | Some("query") => Ok(Mode::Query),
        Some("fragment") => Ok(Mode::Fragment),
        Some("form_post") => Ok(Mode::FormPost),
        Some(_) => {
            let text = "Parameter 'response_mode' must be query, fragment or form_post.";
            Err(Refusal::page(ErrorCode::UnsupportedResponseMode, text))
        }
    }
}

/// The registered address that is meant.
fn redirect_uri(client: &Client, request: &AuthorizationRequest) -> Result<String, Refusal> {
    let registered = client.redirect_uris.as_deref().unwrap_or_default();
    let invalid = |text: &str| Err(Refusal::page(ErrorCode::InvalidRequest, text));
    match (&request.redirect_uri, registered) {
        (Some(wanted), _) if registered.iter().any(|known| is_same(known, wanted)) => {
            Ok(wanted.clone())
        }
        (Some(_), _) => invalid("The 'redirect_uri' is none of those that the client registered."),
        (None, [one]) if !request.is_openid() => Ok(one.clone()),
        (None, _) => invalid("Parameter 'redirect_uri' is missing."),
    }
}

/// Equal texts; of an address on this machine the port may differ (RFC 8252, section 7.3).
fn is_same(known: &str, wanted: &str) -> bool {
    if known == wanted {
        return true;
    }
    let (Ok(known), Ok(parsed)) = (Url::parse(known), Url::parse(wanted)) else {
        return false;
    };
    // What the parser changes would be sent as it was written.
    let is_plain = parsed.as_str() == wanted;
    is_plain
        && is_loopback(&known)
        && parsed.scheme() == known.scheme()
        && parsed.host() == known.host()
        && parsed.path() == known.path()
        && parsed.query() == known.query()
        && parsed.fragment().is_none()
        && parsed.username().is_empty()
        && parsed.password().is_none()
}

fn is_loopback(url: &Url) -> bool {
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
        _ => None,
    };
    url.scheme() == "http" && address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_registered_one_but_for_the_port_of_this_machine() {
        let known = "http://127.0.0.1:5555/callback?a=1";
        for (known, wanted, expected) in [
            (known, known, true),
            (known, "http://127.0.0.1:9/callback?a=1", true),
            (known, "http://127.0.0.1/callback?a=1", true),
            (known, "http://127.0.0.1:9/callback", false),
            (known, "http://127.0.0.1:9/callback?a=1#x", false),
            (known, "http://127.0.0.1:9/other/../callback?a=1", false),
            (known, "http://u@127.0.0.1:9/callback?a=1", false),
            (known, "https://127.0.0.1:9/callback?a=1", false),
            (known, "http://127.0.0.2:5555/callback?a=1", false),
            (known, "http://localhost:5555/callback?a=1", false),
            ("http://[::1]/cb", "http://[::1]:7/cb", true),
            ("https://a.example/cb", "https://a.example:444/cb", false),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example/cb?x=1", false),
            ("https://a.example/cb", "https://A.example/cb", false),
            ("com.app:/cb", "com.app:/cb", true),
        ] {
            assert_eq!(is_same(known, wanted), expected, "{wanted}");
        }
    }
}
