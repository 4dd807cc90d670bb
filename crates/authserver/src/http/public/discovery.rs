//! The discovery document (RFC 8414, OpenID discovery), at both of its paths. It names what is
//! there and nothing else.

use axum::{extract::State, http::StatusCode, response::Response};
use carnet_jose::Algorithm;
use carnet_oauth::{
    client_auth::Method,
    grant::Grant,
    metadata::{Aliases, Metadata},
};

use crate::{
    Options,
    domain::{Authority, authorize::pkce},
    http::{
        Shared, answer,
        error::{Failed, OauthFailure},
    },
    options::AssertionIssuer,
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
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "discovery", responses((status = 200, body = Metadata), Failed))]
pub(super) async fn openid(State(authority): Shared) -> Result<Response, OauthFailure> {
    document(&authority).await
}

/// The document, where RFC 8414 has it.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "discovery", responses((status = 200, body = Metadata), Failed))]
pub(super) async fn oauth(State(authority): Shared) -> Result<Response, OauthFailure> {
    document(&authority).await
}

async fn document(authority: &Authority) -> Result<Response, OauthFailure> {
    let algorithm = authority.id_token_algorithm().await;
    let algorithm = algorithm.map_err(|error| OauthFailure::from(error).with_newline())?;
    let metadata = metadata(&authority.options, algorithm);
    Ok(answer::json(StatusCode::OK, answer::JSON, &metadata))
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn metadata(options: &Options, algorithm: Algorithm) -> Metadata {
    let issuer = options.issuer_base();
    let discovery = &options.discovery;
    let jwks_url = discovery.jwks_url.clone();
    let named = |url: &Option<String>, path: &str| match url {
        Some(url) => url.clone(),
        None => format!("{}{path}", options.public_base()),
    };
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
        registration_endpoint: match options.people.registration_enabled {
            true => named(&discovery.client_registration_url, "/oauth2/register"),
            false => discovery
                .client_registration_url
                .clone()
                .unwrap_or_default(),
        },
        subject_types_supported: options.subject_types.clone(),
        claims_supported: with(&["sub"], &discovery.supported_claims),
        authorization_endpoint: named(&discovery.auth_url, "/oauth2/auth"),
        device_authorization_endpoint: named(
            &discovery.device_authorization_url,
            "/oauth2/device/auth",
        ),
        userinfo_endpoint: named(&discovery.userinfo_url, "/userinfo"),
        end_session_endpoint: format!("{issuer}/oauth2/sessions/logout"),
        response_types_supported: texts(&["code"]),
        response_modes_supported: texts(&["query", "fragment", "form_post"]),
        code_challenge_methods_supported: texts(&[pkce::S256]),
        authorization_response_iss_parameter_supported: Some(true),
        userinfo_signing_alg_values_supported: texts(&["none", algorithm.name()]),
        id_token_signing_alg_values_supported: texts(&[algorithm.name()]),
        id_token_signed_response_alg: texts(&[algorithm.name()]),
        request_parameter_supported: Some(false),
        request_uri_parameter_supported: Some(false),
        claims_parameter_supported: Some(false),
        backchannel_logout_supported: Some(true),
        backchannel_logout_session_supported: Some(true),
        frontchannel_logout_supported: Some(true),
        frontchannel_logout_session_supported: Some(true),
        grant_types_supported: Grant::ALL.map(|grant| grant.name().to_owned()).to_vec(),
        scopes_supported: with(
            &["offline_access", "offline", "openid"],
            &discovery.supported_scope,
        ),
        token_endpoint_auth_methods_supported: methods(options),
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL
            .map(|algorithm| algorithm.name().to_owned())
            .to_vec(),
        revocation_endpoint: format!("{issuer}/oauth2/revoke"),
        introspection_endpoint: String::new(),
        dpop_signing_alg_values_supported: Algorithm::ALL
            .map(|algorithm| algorithm.name().to_owned())
            .to_vec(),
        tls_client_certificate_bound_access_tokens: options.mtls.is_enabled.then_some(true),
        pushed_authorization_request_endpoint: format!("{}/oauth2/par", options.public_base()),
        require_pushed_authorization_requests: options.people.par_required.then_some(true),
        mtls_endpoint_aliases: options.mtls.base().map(aliases),
    }
}

/// How clients may authenticate: by a name in a certificate only where somebody vouches for it, by a
/// token of SPIFFE only where a trust domain is believed.
fn methods(options: &Options) -> Vec<String> {
    let mtls = &options.mtls;
    let mut issuers = options.assertion_issuers.iter();
    let methods = [
        (Method::Post, true),
        (Method::Basic, true),
        (Method::PrivateKeyJwt, true),
        (
            Method::TlsClientAuth,
            mtls.is_enabled && mtls.authorities.is_some(),
        ),
        (Method::SelfSignedTlsClientAuth, mtls.is_enabled),
        (Method::None, true),
        (
            Method::SpiffeJwt,
            issuers.any(AssertionIssuer::is_trust_domain),
        ),
    ];
    let methods = methods.into_iter().filter(|(_, is_there)| *is_there);
    methods
        .map(|(method, _)| method.name().to_owned())
        .collect()
}

/// The endpoints at which certificates are asked for (RFC 8705, section 5).
fn aliases(base: &str) -> Aliases {
    let at = |path: &str| format!("{base}{path}");
    Aliases {
        token_endpoint: at("/oauth2/token"),
        revocation_endpoint: at("/oauth2/revoke"),
        device_authorization_endpoint: at("/oauth2/device/auth"),
        userinfo_endpoint: at("/userinfo"),
        pushed_authorization_request_endpoint: at("/oauth2/par"),
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
        let document = metadata(&options, Algorithm::Rs256);
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
        assert_eq!(
            metadata(&options, Algorithm::Rs256).token_endpoint,
            "http://other/token"
        );
        let text = serde_json::to_string(&metadata(&options, Algorithm::Rs256)).unwrap();
        assert!(!text.contains("[]"), "{text}");
    }
}
