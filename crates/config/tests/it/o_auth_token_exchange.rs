//! What `oAuthTokenExchange` becomes. What is wrong with it is in the golden pairs.

use carnet_config::document::parse_yaml;
use carnet_config::routing::Middleware;
use carnet_config::routing::middleware::o_auth_token_exchange::{Method, Rfc8693};
use carnet_config::routing::middleware::oauth_client_credentials::{Proof, Refresh};
use carnet_config::routing::middleware::{OAuthTokenExchange, read};
use secrecy::ExposeSecret as _;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const OWN: &str = "url: https://as.test/token, clientID: gw";

fn options(text: &str) -> OAuthTokenExchange {
    let text = format!("plugin: {{oAuthTokenExchange: {{{OWN}, {text}}}}}");
    let node = parse_yaml(&text, "a.yaml").unwrap().remove(0);
    let object = read(&node, "middleware m");
    let Some(Middleware::OAuthTokenExchange(options)) = object.served() else {
        panic!("{:?}", object.diagnostics)
    };
    (**options).clone()
}

#[test]
fn defaults_are_those_of_the_reference() {
    let options = options("clientSecret: s");
    let method = Rfc8693 {
        subject_token_type: ACCESS_TOKEN.to_owned(),
        requested_token_type: None,
        actor: None,
    };
    assert_eq!(options.method, Method::Rfc8693(method));
    assert_eq!(
        options.token_source.header.as_deref(),
        Some("Authorization")
    );
    let scheme = options.token_source.header_auth_scheme.as_deref();
    assert_eq!(scheme, Some("Bearer"));
    let client = &options.client;
    assert_eq!((client.audience.as_str(), client.scopes.len()), ("", 0));
    assert_eq!(client.cache.refresh, Refresh::Never);
    assert!(client.cache.enabled && client.store.is_none() && !client.retry_unauthorized);
    assert_eq!(client.proof, Proof::Secret);
}

#[test]
fn what_is_asked_for_is_what_the_method_says() {
    let by_rfc = options(
        "clientSecret: s, rfc8693: {audience: a, scopes: [b c], resources: ['https://d'], \
         requestedTokenType: 'urn:x:y', actorToken: t}",
    );
    let client = &by_rfc.client;
    assert_eq!(client.audience, "a");
    assert_eq!(client.scopes, ["b", "c"]);
    assert_eq!(client.resources, ["https://d"]);
    let Method::Rfc8693(method) = &by_rfc.method else {
        panic!("{:?}", by_rfc.method)
    };
    assert_eq!(method.requested_token_type.as_deref(), Some("urn:x:y"));
    let actor = method.actor.as_ref().unwrap();
    assert_eq!(
        (actor.token.expose_secret(), &*actor.token_type),
        ("t", ACCESS_TOKEN)
    );
    let by_entra = options("method: entraID, clientSecret: s, entraID: {scopes: [e]}");
    assert_eq!(
        (by_entra.method, by_entra.client.scopes),
        (Method::EntraId, vec!["e".to_owned()])
    );
}

#[test]
fn options_differ_exactly_where_they_say_something_else() {
    let texts = [
        "clientSecret: s",
        "clientSecret: t",
        "clientSecret: s, rfc8693: {audience: a}",
        "clientSecret: s, rfc8693: {actorToken: a}",
        "clientSecret: s, rfc8693: {actorToken: b}",
        "clientSecret: s, tokenSource: {cookie: t}",
        "clientAssertion: {token: a}",
        "method: entraID, clientSecret: s, entraID: {scopes: [e]}",
    ];
    for (at, one) in texts.iter().enumerate() {
        for (beside, other) in texts.iter().enumerate() {
            assert_eq!(
                options(one) == options(other),
                at == beside,
                "{one} {other}"
            );
        }
    }
}

#[test]
fn no_secret_is_printed() {
    let printed = format!(
        "{:?}",
        options("clientSecret: CANARY, rfc8693: {actorToken: CANARY}, parameters: {pin: CANARY}")
    );
    assert!(!printed.contains("CANARY"), "{printed}");
}
