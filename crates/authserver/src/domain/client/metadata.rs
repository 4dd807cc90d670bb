//! What a client may say about itself (RFC 7591 and Hydra's additions), and what stands when it
//! says nothing.

use std::net::IpAddr;

use carnet_jose::{Algorithm, Jwk};
use carnet_oauth::{
    client::{Client, Lifespan, TokenLimits},
    client_auth::Method,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    domain::{AdminError, claims, client_auth::certificate, subject::sector},
    options::{Options, PAIRWISE},
};

/// A chosen secret has so many characters.
const MIN_SECRET_LENGTH: usize = 6;

/// Schemes whose URIs a browser takes for a page or a script of whoever led it there: of this server.
const RUN_HERE: [&str; 3] = ["data", "javascript", "vbscript"];

type Checked = Result<(), AdminError>;

/// Fills in the defaults.
pub(super) fn complete(options: &Options, client: &mut Client) {
    let default = |member: &mut String, value: &str| {
        if member.is_empty() {
            value.clone_into(member);
        }
    };
    default(&mut client.scope, &options.default_scope.join(" "));
    default(&mut client.subject_type, "public");
    default(
        &mut client.token_endpoint_auth_method,
        "client_secret_basic",
    );
    default(&mut client.userinfo_signed_response_alg, "none");
    let keys = client.jwks.get_mut("keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten().filter_map(Value::as_object_mut) {
        order(key);
    }
}

/// The members of a key, in the order in which Hydra shows them.
fn order(key: &mut Map<String, Value>) {
    const FIRST: [&str; 5] = ["use", "kty", "kid", "crv", "alg"];
    let mut rest = std::mem::take(key);
    let first = FIRST
        .iter()
        .filter_map(|name| rest.shift_remove_entry(*name));
    key.extend(first);
    key.extend(rest);
}

/// Checks everything; `secret` is the one that was chosen.
pub(super) fn check(options: &Options, client: &Client, secret: Option<&SecretString>) -> Checked {
    secret.map_or(Ok(()), check_secret)?;
    check_keys(options, client)?;
    check_certificates(client)?;
    check_words(options, client)?;
    check_claims(client)?;
    check_limits(&client.token_limits)?;
    for (name, uri) in [
        ("client_uri", &client.client_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
    ] {
        check_web_uri(name, uri)?;
    }
    client
        .allowed_cors_origins
        .iter()
        .try_for_each(|origin| check_origin(origin))?;
    check_redirects(client)?;
    if client.subject_type == PAIRWISE && sector(client).is_none() {
        return refuse(
            "Subject type 'pairwise' needs 'redirect_uris', all on one host, or a \
             'sector_identifier_uri'.",
        );
    }
    check_sector_uri(&client.sector_identifier_uri)
}

fn refuse(text: impl Into<String>) -> Checked {
    Err(AdminError::Metadata(text.into()))
}

fn check_secret(secret: &SecretString) -> Checked {
    if secret.expose_secret().chars().count() < MIN_SECRET_LENGTH {
        return refuse(format!(
            "Member 'client_secret' must have at least {MIN_SECRET_LENGTH} characters."
        ));
    }
    Ok(())
}

fn check_keys(options: &Options, client: &Client) -> Checked {
    if !client.jwks.is_empty() && !client.jwks_uri.is_empty() {
        return refuse("Members 'jwks' and 'jwks_uri' exclude each other.");
    }
    let is_private_key_jwt = client.token_endpoint_auth_method == "private_key_jwt";
    let has_keys = !client.jwks.is_empty() || !client.jwks_uri.is_empty();
    if is_private_key_jwt && !has_keys && !options.has_workload(&client.client_id) {
        return refuse(
            "Method 'private_key_jwt' needs member 'jwks' or 'jwks_uri', or an issuer in \
             'oauth2.client_assertion.issuers' of the configuration that names the client.",
        );
    }
    let algorithm = client.token_endpoint_auth_signing_alg.as_str();
    if !algorithm.is_empty() && algorithm.parse::<Algorithm>().is_err() {
        return refuse(format!(
            "Member 'token_endpoint_auth_signing_alg' must be one of {}.",
            Algorithm::ALL.map(Algorithm::name).join(", ")
        ));
    }
    check_web_uri("jwks_uri", &client.jwks_uri)?;
    let keys = client
        .jwks
        .get("keys")
        .and_then(Value::as_array)
        .map(Vec::as_slice);
    keys.unwrap_or_default().iter().try_for_each(check_key)
}

/// What RFC 8705, section 2, asks of whoever authenticates by a certificate.
fn check_certificates(client: &Client) -> Checked {
    let names = certificate::registered(client);
    let is_named = client.token_endpoint_auth_method == Method::TlsClientAuth.name();
    if names.len() > 1 || is_named && names.is_empty() {
        return refuse(
            "Method 'tls_client_auth' needs exactly one of the members \
             'tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri', \
             'tls_client_auth_san_ip' and 'tls_client_auth_san_email'.",
        );
    }
    let subject = client.tls_client_auth_subject_dn.as_str();
    if !subject.is_empty() && certificate::DistinguishedName::parse(subject).is_none() {
        return refuse(
            "Member 'tls_client_auth_subject_dn' must be a name as in 'CN=a,O=b' (RFC 4514).",
        );
    }
    let address = client.tls_client_auth_san_ip.as_str();
    if !address.is_empty() && address.parse::<IpAddr>().is_err() {
        return refuse("Member 'tls_client_auth_san_ip' must be an address.");
    }
    let is_self_signed =
        client.token_endpoint_auth_method == Method::SelfSignedTlsClientAuth.name();
    if is_self_signed && client.jwks.is_empty() && client.jwks_uri.is_empty() {
        return refuse("Method 'self_signed_tls_client_auth' needs member 'jwks' or 'jwks_uri'.");
    }
    Ok(())
}

fn check_key(key: &Value) -> Checked {
    let members = key.as_object();
    if members.is_some_and(|members| {
        ["k", "d", "priv"]
            .iter()
            .any(|name| members.contains_key(*name))
    }) {
        return refuse("Member 'jwks' must hold public keys only.");
    }
    match members.map(Jwk::from_object) {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(AdminError::Malformed(format!(
            "A key in member 'jwks' cannot be used: {error}."
        ))),
        None => Err(AdminError::Malformed(
            "A key in member 'jwks' is no object.".to_owned(),
        )),
    }
}

fn check_words(options: &Options, client: &Client) -> Checked {
    if !options.subject_types.contains(&client.subject_type) {
        return refuse(format!(
            "Member 'subject_type' must be one of {}.",
            options.subject_types.join(", ")
        ));
    }
    if !matches!(
        client.userinfo_signed_response_alg.as_str(),
        "none" | "RS256"
    ) {
        return refuse("Member 'userinfo_signed_response_alg' must be 'none' or 'RS256'.");
    }
    if !matches!(client.access_token_strategy.as_str(), "" | "jwt" | "opaque") {
        return refuse("Member 'access_token_strategy' must be 'jwt' or 'opaque'.");
    }
    if !matches!(
        client.access_token_profile.as_str(),
        "" | "hydra" | "rfc9068"
    ) {
        return refuse("Member 'access_token_profile' must be 'hydra' or 'rfc9068'.");
    }
    Ok(())
}

fn check_claims(client: &Client) -> Checked {
    let is_reserved = |name: &&str| claims::RESERVED.contains(name) || *name == "scope";
    let mut names = client.access_token_claims.keys().map(String::as_str);
    match names.find(is_reserved) {
        Some(name) => refuse(format!(
            "Member 'access_token_claims' must not hold '{name}': the server says that itself."
        )),
        None => Ok(()),
    }
}

fn check_limits(limits: &TokenLimits) -> Checked {
    let second = Lifespan::from_seconds(1);
    if limits.period.is_some_and(|period| period < second) {
        return refuse("Member 'token_limits.period' must be a second or more.");
    }
    if limits.burst == Some(0) {
        return refuse("Member 'token_limits.burst' must be one or more.");
    }
    Ok(())
}

fn check_web_uri(name: &str, uri: &str) -> Checked {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if uri.is_empty() || Url::parse(uri).is_ok_and(is_web) {
        return Ok(());
    }
    refuse(format!("Member '{name}' must be an http or https URL."))
}

/// What is there is read elsewhere.
fn check_sector_uri(uri: &str) -> Checked {
    let is_https = |url: Url| url.scheme() == "https" && url.has_host();
    if uri.is_empty() || Url::parse(uri).is_ok_and(is_https) {
        return Ok(());
    }
    refuse("Member 'sector_identifier_uri' must be an https URL.")
}

fn check_origin(origin: &str) -> Checked {
    let is_origin = |url: Url| {
        url.has_host() && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
    };
    if origin == "*" || Url::parse(origin).is_ok_and(is_origin) {
        return Ok(());
    }
    refuse("Member 'allowed_cors_origins' must hold origins: scheme, host and port.")
}

fn check_redirects(client: &Client) -> Checked {
    let redirects = client.redirect_uris.as_deref().unwrap_or_default();
    for uri in redirects {
        let is_uri = Url::parse(uri).is_ok() || uri.starts_with('/');
        if !is_uri || uri.contains(|c: char| c == ' ' || c.is_control()) {
            let text = "Member 'redirect_uris' holds a text that is no URI.";
            return Err(AdminError::RedirectUri(text.to_owned()));
        }
        if uri.contains('#') {
            let text = "Member 'redirect_uris' holds a URI with a fragment.";
            return Err(AdminError::RedirectUri(text.to_owned()));
        }
        if Url::parse(uri).is_ok_and(|url| RUN_HERE.contains(&url.scheme())) {
            let text = "Member 'redirect_uris' holds a URI that browsers run, not a place.";
            return Err(AdminError::RedirectUri(text.to_owned()));
        }
    }
    let place = |uri: &String| {
        Url::parse(uri).ok().map(|url| {
            let host = url.host_str().unwrap_or_default().to_owned();
            (url.scheme().to_owned(), host, url.port_or_known_default())
        })
    };
    let places: Vec<_> = redirects.iter().filter_map(place).collect();
    let elsewhere = |uri: &String| place(uri).is_none_or(|at| !places.contains(&at));
    if client.post_logout_redirect_uris.iter().any(elsewhere) {
        return refuse(
            "Member 'post_logout_redirect_uris' must share scheme, host and port with one of \
             'redirect_uris'.",
        );
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(body: Value) -> Result<(), &'static str> {
        let mut client: Client = serde_json::from_value(body).unwrap();
        let options = Options::default();
        complete(&options, &mut client);
        let secret = client.client_secret.clone();
        check(&options, &client, secret.as_ref()).map_err(|error| match error {
            AdminError::Metadata(_) => "metadata",
            AdminError::RedirectUri(_) => "redirect",
            AdminError::Malformed(_) => "malformed",
            _ => "other",
        })
    }

    #[test]
    fn what_hydra_takes_and_refuses() {
        for (body, expected) in [
            (json!({}), Ok(())),
            (json!({"client_secret": "123456"}), Ok(())),
            (json!({"client_secret": "12345"}), Err("metadata")),
            (json!({"redirect_uris": ["not a uri"]}), Err("redirect")),
            (json!({"redirect_uris": ["nope"]}), Err("redirect")),
            (
                json!({"redirect_uris": ["https://a.example/#x"]}),
                Err("redirect"),
            ),
            (
                json!({"redirect_uris": ["com.example.app:/cb", "/cb"]}),
                Ok(()),
            ),
            (json!({"token_endpoint_auth_method": "magic"}), Ok(())),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt"}),
                Err("metadata"),
            ),
            (
                json!({"jwks_uri": "https://a.example/k", "jwks": {"keys": []}}),
                Err("metadata"),
            ),
            (
                json!({"jwks": {"keys": [{"kty": "RSA"}]}}),
                Err("malformed"),
            ),
            (
                json!({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}),
                Err("metadata"),
            ),
            (json!({"subject_type": "odd"}), Err("metadata")),
            (json!({"client_uri": "foo"}), Err("metadata")),
            (json!({"logo_uri": "ftp://x/y"}), Err("metadata")),
            (
                json!({"allowed_cors_origins": ["https://a.example/x"]}),
                Err("metadata"),
            ),
            (
                json!({"allowed_cors_origins": ["https://a.example"]}),
                Ok(()),
            ),
            (
                json!({"userinfo_signed_response_alg": "ES256"}),
                Err("metadata"),
            ),
            (json!({"access_token_strategy": "paseto"}), Err("metadata")),
            (
                json!({"sector_identifier_uri": "http://x.example/s"}),
                Err("metadata"),
            ),
            (
                json!({"sector_identifier_uri": "https://x.example/s"}),
                Ok(()),
            ),
            (
                json!({"redirect_uris": ["https://app.example/cb"],
                    "post_logout_redirect_uris": ["https://other.example/"]}),
                Err("metadata"),
            ),
            (
                json!({"redirect_uris": ["https://app.example/cb"],
                    "post_logout_redirect_uris": ["https://app.example/bye"]}),
                Ok(()),
            ),
        ] {
            assert_eq!(outcome(body.clone()), expected, "{body}");
        }
    }

    #[test]
    fn a_text_that_a_browser_runs_is_no_place_to_go() {
        for uri in ["JavaScript:alert(1)", "data:text/html,x", "vbscript:x"] {
            let body = json!({"redirect_uris": ["https://a.example/cb", uri]});
            assert_eq!(outcome(body), Err("redirect"), "{uri}");
        }
    }

    #[test]
    fn members_of_our_own_have_rules_too() {
        for (body, expected) in [
            (json!({"access_token_profile": "rfc9068"}), Ok(())),
            (json!({"access_token_profile": "rfc7519"}), Err("metadata")),
            (json!({"access_token_claims": {"role": ["a"]}}), Ok(())),
            (
                json!({"access_token_claims": {"role": 1, "sub": "x"}}),
                Err("metadata"),
            ),
            (
                json!({"access_token_claims": {"scope": "x"}}),
                Err("metadata"),
            ),
            (json!({"token_limits": {"rate": 0, "period": "1s"}}), Ok(())),
            (
                json!({"token_limits": {"period": "500ms"}}),
                Err("metadata"),
            ),
            (json!({"token_limits": {"burst": 0}}), Err("metadata")),
        ] {
            assert_eq!(outcome(body.clone()), expected, "{body}");
        }
    }
}
