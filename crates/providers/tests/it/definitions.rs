//! The definitions that `install crds` prints, against what the translation reads.

use std::fs;
use std::path::Path;

use carnet_config::diagnostics::Diagnostic;
use carnet_config::routing::RoutingConfig;
use carnet_providers::kubernetes::{Objects, Options, crd, manifests, translate};
use serde_json::{Map, Value, json};

/// What is wrong with the objects of a text; of IngressRoutes those of a class.
fn findings(text: &str, class: Option<&str>) -> Vec<Diagnostic> {
    let mut objects = Objects::default();
    for object in &manifests::parse(text, "case").unwrap().objects {
        objects.insert(object).unwrap();
    }
    let options = Options {
        ingress_class: class.map(str::to_owned),
        ..Options::default()
    };
    let RoutingConfig {
        routers,
        services,
        middlewares,
        servers_transports,
        tls,
        ..
    } = translate(&objects, &options);
    let routers = routers
        .into_inner()
        .into_values()
        .map(|one| one.diagnostics);
    let services = services.into_values().map(|one| one.diagnostics);
    let middlewares = middlewares
        .into_inner()
        .into_values()
        .map(|one| one.diagnostics);
    let transports = servers_transports
        .into_inner()
        .into_values()
        .map(|one| one.diagnostics);
    let tls = tls.into_inner();
    let options = tls.options.into_values().map(|one| one.diagnostics);
    let stores = tls.stores.into_values().map(|one| one.diagnostics);
    let all = routers.chain(services).chain(middlewares);
    all.chain(transports)
        .chain(options)
        .chain(stores)
        .flatten()
        .collect()
}

fn unknown(text: &str, class: Option<&str>) -> Vec<String> {
    let said = findings(text, class)
        .into_iter()
        .map(|finding| finding.to_string());
    said.filter(|finding| finding.contains("unknown option"))
        .collect()
}

/// The schema of a kind's `spec`.
fn schemas() -> Vec<(String, Value)> {
    let schema = |definition: Value| {
        let kind = definition["spec"]["names"]["kind"]
            .as_str()
            .unwrap()
            .to_owned();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        (kind, schema["properties"]["spec"].clone())
    };
    crd::definitions().into_iter().map(schema).collect()
}

/// A value with every key that a schema knows.
fn sample(schema: &Value) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let members = properties.map(|(key, schema)| (key.clone(), sample(schema)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Some("array") => json!([sample(&schema["items"])]),
        Some("boolean") => json!(true),
        Some("string") => json!("x"),
        _ => json!(1),
    }
}

#[test]
fn every_key_of_the_definitions_is_read() {
    let schemas = schemas();
    assert_eq!(schemas.len(), 6);
    for (kind, schema) in schemas {
        let object = json!({
            "apiVersion": "traefik.io/v1alpha1", "kind": kind,
            "metadata": {"name": "default", "namespace": "a"}, "spec": sample(&schema),
        });
        assert_eq!(
            unknown(&object.to_string(), Some("x")),
            Vec::<String>::new(),
            "{kind}"
        );
        // The test would notice.
        let mut misspelt = object;
        misspelt["spec"]["nobodyReadsThis"] = json!(1);
        if kind != "Middleware" {
            assert_eq!(unknown(&misspelt.to_string(), Some("x")).len(), 1, "{kind}");
        }
    }
}

/// Keys of a value that its schema does not know, though it knows others there.
fn missing(schema: &Value, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            let Some(properties) = schema["properties"].as_object() else {
                return;
            };
            for (key, value) in members {
                match properties.get(key) {
                    Some(schema) => missing(schema, value, found),
                    None => found.push(key.clone()),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|one| missing(&schema["items"], one, found)),
        _ => {}
    }
}

#[test]
fn every_key_that_is_read_in_a_golden_case_is_in_the_definitions() {
    let schemas = schemas();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut looked_at = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let said = unknown(&text, None).join("\n");
        for object in &manifests::parse(&text, "case").unwrap().objects {
            let is_it = |(kind, _): &&(String, Value)| *kind == object.identity.kind;
            let Some((kind, schema)) = schemas.iter().find(is_it) else {
                continue;
            };
            let mut keys = Vec::new();
            missing(schema, &object.node.to_json()["spec"], &mut keys);
            for key in keys {
                let is_told = said.contains(&format!("`{key}`"));
                assert!(is_told, "{}: {kind} has no `{key}`", path.display());
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}
