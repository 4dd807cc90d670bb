//! What `oAuthClientCredentials` becomes. What is wrong with it is in the golden pairs.

use std::time::Duration;

use carnet_config::document::{parse_toml, parse_yaml};
use carnet_config::routing::Middleware;
use carnet_config::routing::middleware::{OAuthClientCredentials, read};
use secrecy::ExposeSecret as _;

fn options(text: &str) -> OAuthClientCredentials {
    let node = parse_yaml(text, "a.yaml").unwrap().remove(0);
    let object = read(&node, "middleware m");
    let Some(Middleware::OAuthClientCredentials(options)) = object.served() else {
        panic!("{:?}", object.diagnostics)
    };
    (**options).clone()
}

fn secret(options: &OAuthClientCredentials) -> Option<(&str, &str)> {
    let credentials = options.credentials.as_ref()?;
    Some((
        &credentials.client_id,
        credentials.client_secret.expose_secret(),
    ))
}

#[test]
fn defaults_are_those_of_the_reference() {
    let options = options("plugin: {oAuthClientCredentials: {url: https://as.test/token}}");
    assert_eq!(options.url.as_str(), "https://as.test/token");
    assert_eq!(options.audience, "");
    assert_eq!(options.credentials, None);
    assert_eq!(options.scopes, [""; 0]);
    assert_eq!(options.claims, None);
    assert!(options.forward_headers.is_empty());
    assert_eq!(options.username_claim, None);
    assert_eq!(options.client_config.timeout, Duration::from_secs(5));
    assert_eq!(options.client_config.max_retries, 3);
    assert!(!options.client_config.tls.insecure_skip_verify);
    assert!(options.cache.enabled);
    assert_eq!(options.cache.max_age, Duration::from_secs(300));
}

#[test]
fn options_are_taken_as_written() {
    let options = options(
        "
plugin:
  oAuthClientCredentials:
    url: https://as.test/token
    audience: https://api.test
    clientId: gw
    clientSecret: s
    scopes: [read, write all]
    claims: Equals(`grp`, `admin`)
    forwardHeaders: {Sub: sub, X-Name: user.name}
    usernameClaim: sub
    clientConfig:
      timeoutSeconds: 7
      maxRetries: 0
      tls: {caBundle: '-----BEGIN CERTIFICATE-----', insecureSkipVerify: true}
    cache: {enabled: false, maxAge: 1m}
",
    );
    assert_eq!(options.audience, "https://api.test");
    assert_eq!(secret(&options), Some(("gw", "s")));
    assert_eq!(options.scopes, ["read", "write", "all"]);
    assert!(options.claims.is_some());
    let headers = options.forward_headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, path)| (name.as_str(), path.to_string()))
        .collect();
    let expected = [
        ("Sub", "sub".to_owned()),
        ("X-Name", "user.name".to_owned()),
    ];
    assert_eq!(headers, expected);
    assert_eq!(options.username_claim.unwrap().to_string(), "sub");
    assert_eq!(options.client_config.timeout, Duration::from_secs(7));
    assert_eq!(options.client_config.max_retries, 0);
    let tls = options.client_config.tls;
    assert_eq!(tls.ca.as_deref(), Some("-----BEGIN CERTIFICATE-----"));
    assert!(tls.insecure_skip_verify);
    assert!(!options.cache.enabled);
    assert_eq!(options.cache.max_age, Duration::from_secs(60));
}

#[test]
fn unquoted_credentials_keep_their_characters() {
    for (written, meant) in [
        ("0755", "0755"),
        ("1e5", "1e5"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("true", "true"),
        ("1.50", "1.50"),
        ("yes", "yes"),
    ] {
        let options = options(&format!(
            "oAuthClientCredentials: {{url: https://as.test/t, clientId: {written}, clientSecret: {written}}}"
        ));
        assert_eq!(secret(&options), Some((meant, meant)));
    }
}

#[test]
fn a_debug_print_holds_no_secret() {
    let options = options(
        "oAuthClientCredentials: {url: https://as.test/t, clientId: a, clientSecret: CANARY}",
    );
    assert!(!format!("{options:?}").contains("CANARY"));
}

/// Every option in its documented spelling.
const ALL: &str = include_str!("../options/all.yaml");

/// The same as TOML writes it.
const TOML: &str = include_str!("../options/all.toml");

/// The same as older releases and `envsubst` write it.
const COMPATIBLE: &str = include_str!("../options/compatible.yaml");

/// The same for callers that bring their own credentials: what shows the gateway's is left out.
fn for_callers(text: &str) -> String {
    let of_gateway = ["clientid", "clientsecret", "clientassertion"];
    let stays = |line: &&str| {
        let line = line.trim().to_ascii_lowercase();
        !of_gateway.iter().any(|name| line.starts_with(name))
    };
    text.lines().filter(stays).collect::<Vec<_>>().join("\n")
}

#[test]
fn toml_and_the_spellings_of_older_releases_mean_the_same_in_both_modes() {
    for text in [str::to_owned, for_callers] {
        let all = options(&text(ALL));
        assert_eq!(options(&text(COMPATIBLE)), all);
        let node = parse_toml(&text(TOML), "a.toml").unwrap();
        let object = read(&node, "middleware m");
        let Some(Middleware::OAuthClientCredentials(toml)) = object.served() else {
            panic!("{:?}", object.diagnostics)
        };
        assert_eq!(**toml, all);
    }
    assert_eq!(options(&for_callers(ALL)).credentials, None);
}
