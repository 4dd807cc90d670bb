//! Whatever a document looks like, reading it never panics and no finding repeats a value.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Object, Position};
use carnet_config::document::Node;
use carnet_config::install::{authserver, read_document, read_environment, read_flags};
use carnet_config::{merge, routing};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use proptest::sample::select;
use serde_json::Value;

/// Names that documents use, so that random trees reach deep into the readers.
const WORDS: [&str; 48] = [
    "http",
    "routers",
    "services",
    "middlewares",
    "serversTransports",
    "tls",
    "rule",
    "service",
    "loadBalancer",
    "weighted",
    "servers",
    "url",
    "weight",
    "plugin",
    "oAuthClientCredentials",
    "clientId",
    "clientID",
    "clientSecret",
    "scopes",
    "claims",
    "forwardHeaders",
    "usernameClaim",
    "clientConfig",
    "timeoutSeconds",
    "cert",
    "key",
    "ca",
    "cache",
    "maxAge",
    "store",
    "entryPoints",
    "address",
    "forwardedHeaders",
    "trustedIPs",
    "transport",
    "providers",
    "file",
    "accessLog",
    "fields",
    "log",
    "level",
    "secrets",
    "system",
    "serve",
    "port",
    "ttl",
    "access_token",
    "x",
];

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => Just(Value::from("CANARY")),
        1 => Just(Value::from("http://CANARY@CANARY:CANARY/CANARY?CANARY")),
        1 => Just(Value::from("${CANARY-}, $canary_CANARY, `CANARY`, CANARY(`CANARY`)")),
        1 => Just(Value::Null),
        1 => Just(Value::from(-7)),
        1 => Just(Value::from(true)),
    ];
    leaf.prop_recursive(7, 96, 6, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..3).prop_map(Value::from),
            5 => btree_map(select(&WORDS[..]), inner, 0..6).prop_map(|members| {
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

fn position() -> Position {
    Position {
        source: "a.yaml".into(),
        line: 1,
        column: 1,
    }
}

fn findings<T>(objects: &BTreeMap<String, Object<T>>) -> impl Iterator<Item = &Diagnostic> {
    objects.values().flat_map(|object| &object.diagnostics)
}

/// Places in documents below which random trees are put, so that every reader meets them.
const PLACES: [&str; 9] = [
    "",
    "http.routers.r",
    "http.services.s.loadBalancer",
    "http.services.s.loadBalancer.servers",
    "http.middlewares.m.plugin.oAuthClientCredentials",
    "http.middlewares.m.oAuthClientCredentials.clientConfig.tls",
    "entryPoints.e",
    "accessLog",
    "serve.public",
];

fn nested(tree: &Value, place: &str) -> Value {
    let names = place.rsplit('.').filter(|name| !name.is_empty());
    names.fold(
        tree.clone(),
        |value, name| serde_json::json!({ name: value }),
    )
}

/// What reading a document of any kind says about it. Closed objects must say why.
fn told(root: &Node) -> Vec<Diagnostic> {
    let mut told = match routing::read(root) {
        Err(findings) => findings,
        Ok(config) => {
            let config = merge::merge(vec![("file".to_owned(), config)]);
            let mut all = config.diagnostics.clone();
            all.extend(findings(&config.routers).cloned());
            all.extend(findings(&config.services).cloned());
            all.extend(findings(&config.middlewares).cloned());
            all.extend(findings(&config.servers_transports).cloned());
            for object in config.middlewares.values() {
                assert_eq!(object.is_closed(), object.served().is_none());
                assert!(!object.is_closed() || !object.diagnostics.is_empty());
            }
            all
        }
    };
    told.extend(read_document(root).1);
    told.extend(authserver::read(std::slice::from_ref(root), &BTreeMap::new(), &[]).1);
    told
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // Holds SE-05.
    #[test]
    fn findings_about_random_trees_never_repeat_a_value(tree in trees()) {
        // Rules, claims and scopes are no secrets: their messages may quote words of them.
        let public = ["rule", "claims"];
        for place in PLACES {
            for finding in told(&Node::from_json(&nested(&tree, place), position())) {
                let is_public = public.iter().any(|key| finding.key.ends_with(key));
                assert!(is_public || !finding.message.contains("CANARY"), "{finding}");
            }
        }
    }

    // Holds SE-05.
    #[test]
    fn findings_about_flags_and_variables_never_repeat_a_value(
        path in vec(select(&WORDS[..]), 1..6),
        value in select(&["CANARY", "", "true", "CANARY,CANARY"][..]),
    ) {
        let flag = format!("--{}={value}", path.join("."));
        let name = format!("TRAEFIK_{}", path.join("_").to_uppercase());
        let mut told = read_flags(&[flag, "CANARY".to_owned()]).1;
        told.extend(read_environment(&BTreeMap::from([(name, value.to_owned())])).1);
        for finding in told {
            assert!(!finding.to_string().contains("CANARY"), "{finding}");
        }
    }
}
