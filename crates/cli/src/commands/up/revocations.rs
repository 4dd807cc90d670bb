//! Middlewares whose token endpoint is a server that runs here follow its revocations, unless they
//! say otherwise: what is revoked there is refused by the gateway within a second.

use std::collections::BTreeSet;

use carnet_config::routing::middleware::oauth_client_credentials::Revocations;
use carnet_config::routing::{Middleware, RoutingConfig};
use carnet_providers::kubernetes::ObjectName;
use url::Url;

/// The admin port of an authorization server, as Hydra has it.
pub(super) const ADMIN_PORT: u16 = 4445;

/// Names the stream of the server where a Service of `admins` has the token endpoint.
pub(super) fn follow(config: &mut RoutingConfig, admins: &BTreeSet<ObjectName>) {
    for object in config.middlewares.values_mut() {
        let Some(Middleware::OAuthClientCredentials(options)) = &mut object.value else {
            continue;
        };
        if options.revocations.is_none() {
            options.revocations = stream(&options.url, admins);
        }
    }
}

fn stream(token_endpoint: &Url, admins: &BTreeSet<ObjectName>) -> Option<Revocations> {
    let mut labels = token_endpoint.host_str()?.split('.');
    let (name, namespace) = (labels.next()?, labels.next()?);
    let is_service = matches!(labels.next(), None | Some("svc"));
    if !is_service || !admins.contains(&ObjectName::new(namespace, name)) {
        return None;
    }
    let url = format!("http://{name}.{namespace}:{ADMIN_PORT}/admin/revocations");
    Some(Revocations {
        url: Url::parse(&url).ok()?,
        bearer: None,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_services_that_run_here_have_a_stream() {
        let admins = BTreeSet::from([ObjectName::new("hydra", "hydra")]);
        for (url, expected) in [
            ("http://hydra.hydra:4444/oauth2/token", true),
            ("http://hydra.hydra.svc.cluster.local:4444/t", true),
            ("http://hydra.other:4444/t", false),
            ("https://hydra.hydra.example/t", false),
            ("http://127.0.0.1:4444/t", false),
        ] {
            let found = stream(&Url::parse(url).unwrap(), &admins);
            let found = found.map(|stream| stream.url.to_string());
            let stream = "http://hydra.hydra:4445/admin/revocations".to_owned();
            assert_eq!(found, expected.then_some(stream), "{url}");
        }
    }
}
