//! The discovery document (RFC 8414, OpenID discovery), at both of its paths. It names what is
//! there and nothing else.

use axum::{extract::State, http::StatusCode, response::Response};
use carnet_jose::Algorithm;
use carnet_oauth::{client_auth::Method, grant::Grant, metadata::Metadata};

use crate::{
    Options,
    domain::Authority,
    http::{Shared, answer},
};

/// The path of RFC 8414 for an issuer that has a path itself: that one behind it.
pub(super) fn path_of_issuer(authority: &Authority) -> Option<String> {
    let issuer = url::Url::parse(&authority.options.issuer).ok()?;
    let path = issuer.path().trim_end_matches('/');
    // Braces have a meaning in routes.
    let is_path = !path.is_empty() && !path.contains(['{', '}']);
    is_path.then(|| format!("/.well-known/oauth-authorization-server{path}"))
}

/// The document, where OpenID clients look for it.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "discovery", responses((status = 200, body = Metadata)))]
pub(super) async fn openid(State(authority): Shared) -> Response {
    document(&authority)
}

/// The document, where RFC 8414 has it.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "discovery", responses((status = 200, body = Metadata)))]
pub(super) async fn oauth(State(authority): Shared) -> Response {
    document(&authority)
}

fn document(authority: &Authority) -> Response {
    answer::json(StatusCode::OK, answer::JSON, &metadata(&authority.options))
}

fn metadata(options: &Options) -> Metadata {
    let issuer = options.issuer_base();
    let discovery = &options.discovery;
    let jwks_url = discovery.jwks_url.clone();
    let with = |own: &[&str], more: &[String]| {
        own.iter()
            .map(|&word| word.to_owned())
            .chain(more.iter().cloned())
            .collect()
    };
    Metadata {
        issuer: options.issuer.clone(),
        token_endpoint: options.token_endpoint(),
        jwks_uri: jwks_url.unwrap_or_else(|| format!("{issuer}/.well-known/jwks.json")),
        subject_types_supported: options.subject_types.clone(),
        claims_supported: with(&["sub"], &discovery.supported_claims),
        grant_types_supported: vec![Grant::ClientCredentials.name().to_owned()],
        scopes_supported: with(
            &["offline_access", "offline", "openid"],
            &discovery.supported_scope,
        ),
        token_endpoint_auth_methods_supported: [Method::Post, Method::Basic, Method::PrivateKeyJwt]
            .map(|method| method.name().to_owned())
            .to_vec(),
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL
            .map(|algorithm| algorithm.name().to_owned())
            .to_vec(),
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        introspection_endpoint: String::new(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    // Holds MD-02.
    #[test]
    fn public_endpoints_are_at_the_public_url_and_keys_at_the_issuer() {
        let mut options = Options {
            issuer: "http://hydra.hydra.svc:4444".to_owned(),
            public_url: Some("http://hydra.docker.localhost/".to_owned()),
            ..Options::default()
        };
        let document = metadata(&options);
        assert_eq!(document.issuer, options.issuer);
        assert_eq!(
            document.token_endpoint,
            "http://hydra.docker.localhost/oauth2/token"
        );
        assert_eq!(
            document.jwks_uri,
            "http://hydra.hydra.svc:4444/.well-known/jwks.json"
        );
        options.discovery.token_url = Some("http://other/token".to_owned());
        assert_eq!(metadata(&options).token_endpoint, "http://other/token");
        let text = serde_json::to_string(&metadata(&options)).unwrap();
        assert!(!text.contains("[]"), "{text}");
    }
}
