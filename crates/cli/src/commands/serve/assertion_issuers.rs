//! Platforms that vouch for workloads, with what their files hold.

use std::fs;
use std::path::PathBuf;

use carnet_authserver as authserver;
use carnet_config::install::authserver::{AssertionIssuer, AuthserverConfig, IssuerKeys};
use secrecy::SecretString;

use crate::output::Failure;

/// Reads the files of all of them.
pub(super) fn read(
    issuers: &[AssertionIssuer],
) -> Result<Vec<authserver::AssertionIssuer>, Failure> {
    issuers.iter().map(issuer).collect()
}

/// The files that they name.
pub(super) fn files(config: &AuthserverConfig) -> impl Iterator<Item = PathBuf> + '_ {
    config.oauth2.assertion_issuers.iter().flat_map(|told| {
        let keys = match &told.keys {
            IssuerKeys::File(path) => Some(path),
            IssuerKeys::Url(_) | IssuerKeys::Discovery(_) => None,
        };
        let named = [keys, told.ca_file.as_ref(), told.bearer_file.as_ref()];
        named.into_iter().flatten().map(PathBuf::from)
    })
}

fn issuer(told: &AssertionIssuer) -> Result<authserver::AssertionIssuer, Failure> {
    let file = |key: &str, path: &String| {
        let key = format!("oauth2.client_assertion.issuers: {}: {key}", told.issuer);
        fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("{key}: {path} cannot be read: {error}")))
    };
    let some = |key: &str, path: &Option<String>| {
        let text = path.as_ref().map(|path| file(key, path));
        text.transpose()
    };
    let bearer = some("bearer_file", &told.bearer_file)?;
    let endpoint = |url: &String| {
        Ok::<_, Failure>(authserver::Endpoint {
            url: url.clone(),
            ca: some("ca_file", &told.ca_file)?,
            bearer: bearer
                .as_deref()
                .map(|text| SecretString::from(text.trim())),
        })
    };
    let client = |told: &carnet_config::install::authserver::Workload| authserver::Workload {
        subject: told.subject.clone(),
        client_id: told.client_id.clone(),
    };
    Ok(authserver::AssertionIssuer {
        issuer: told.issuer.clone(),
        keys: match &told.keys {
            IssuerKeys::Discovery(url) => authserver::IssuerKeys::Discovery(endpoint(url)?),
            IssuerKeys::Url(url) => authserver::IssuerKeys::Jwks(endpoint(url)?),
            IssuerKeys::File(path) => authserver::IssuerKeys::Given(file("jwks_file", path)?),
        },
        audiences: told.audiences.clone(),
        max_lifetime: told.max_lifetime,
        single_use: told.single_use,
        clients: told.clients.iter().map(client).collect(),
    })
}
