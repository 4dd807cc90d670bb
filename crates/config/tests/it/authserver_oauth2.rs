//! `oauth2` of Hydra's configuration: hooks and assertions.

use carnet_config::install::authserver::{AssertionAudience, HookKeyPlace};
use secrecy::ExposeSecret as _;

use crate::authserver::{from, sound, yaml};

#[test]
fn a_token_hook_is_a_url_or_a_map_also_in_a_variable() {
    let text = sound(&[yaml("oauth2: {token_hook: 'https://hook.test/a'}")], &[]);
    let hook = text.oauth2.token_hook.unwrap();
    assert_eq!(
        (hook.url.as_str(), hook.auth),
        ("https://hook.test/a", None)
    );

    let json = r#"{"url":"http://10.0.0.1/hook","auth":{"type":"api_key","config":{"in":"cookie","name":"k","value":"v w"}}}"#;
    let map = yaml(&format!("oauth2: {{token_hook: {json}}}"));
    for config in [
        sound(&[map], &[]),
        sound(&[], &[("OAUTH2_TOKEN_HOOK", json)]),
    ] {
        let hook = config.oauth2.token_hook.unwrap();
        assert_eq!(hook.url, "http://10.0.0.1/hook");
        let key = hook.auth.unwrap();
        assert_eq!((key.place, key.name.as_str()), (HookKeyPlace::Cookie, "k"));
        assert_eq!(key.value.expose_secret(), "v w");
    }
    let (config, findings) = from(
        &[yaml("oauth2: {token_hook: {auth: {type: api_key}}}")],
        &[],
        &[],
    );
    assert_eq!(config.oauth2.token_hook, None);
    assert_eq!(findings.len(), 2, "{findings:?}");

    let both = yaml(&format!(
        "oauth2: {{token_hook: 'https://hook.test/a', refresh_token_hook: {json}}}"
    ));
    for config in [
        sound(&[both], &[]).oauth2,
        sound(&[], &[("OAUTH2_REFRESH_TOKEN_HOOK", json)]).oauth2,
    ] {
        let hook = config.refresh_token_hook.unwrap();
        assert_eq!(hook.url, "http://10.0.0.1/hook");
        assert_eq!(hook.auth.unwrap().name, "k");
    }
}

#[test]
fn how_an_assertion_must_be_addressed_is_a_boolean_or_a_profile() {
    for (text, expected) in [
        ("{}", AssertionAudience::Endpoint),
        ("{strict_audience: false}", AssertionAudience::Endpoint),
        ("{strict_audience: true}", AssertionAudience::Issuer),
        ("{strict_audience: fapi}", AssertionAudience::IssuerText),
    ] {
        let config = sound(
            &[yaml(&format!("oauth2: {{client_assertion: {text}}}"))],
            &[],
        );
        assert_eq!(config.oauth2.assertion_audience, expected, "{text}");
    }
    let odd = yaml("oauth2: {client_assertion: {strict_audience: always}}");
    assert_eq!(from(&[odd], &[], &[]).1.len(), 1);
}
