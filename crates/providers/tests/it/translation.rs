use carnet_config::document::parse_yaml;
use carnet_config::routing::Middleware;
use carnet_config::routing::middleware::read;
use carnet_config::rule::{self, Matcher, Rule};
use carnet_providers::kubernetes::{
    IngressOptions, ObjectName, Objects, Options, manifests, translate, translate_ingresses,
};
use secrecy::ExposeSecret;

use crate::objects;

const ROUTES: &str = include_str!("../golden/names.yaml");
const SECRETS: &str = include_str!("../golden/secret_references.yaml");
const CALLERS: &str = include_str!("../golden/secret_references_of_callers.yaml");

#[test]
fn routers_have_traefiks_names_and_priorities() {
    let config = translate(&objects(ROUTES), &Options::default());
    for (name, expected) in [
        ("apps-whoami-d027988890c9025cffce", 31),
        ("hydra-hydra-8bf4ce22dff64428a7c6", 30),
        ("hydra-consent-1b382612d74524ce2b95", 32),
        (
            "apps-secure-applications-apigateway-oauth2-client-credentials-e37b0c3eea86b3ae3952",
            93,
        ),
    ] {
        let router = config.routers[name].value.as_ref().unwrap();
        assert_eq!(rule::priority(&router.rule_text), expected);
    }
}

#[test]
fn a_secret_that_appears_later_opens_the_middleware_and_its_rotation_is_seen() {
    let mut objects = objects(SECRETS);
    let options = Options::default();
    let closed = translate(&objects, &options);
    assert!(closed.middlewares["apps-waiting"].is_closed());
    for value in ["first", "rotated"] {
        let text = format!(
            "{{apiVersion: v1, kind: Secret, metadata: {{name: later, namespace: apps}}, \
             stringData: {{id: gw, secret: {value}}}}}"
        );
        let secret = &manifests::parse(&text, "later.yaml").unwrap().objects[0];
        assert!(objects.insert(secret).unwrap());
        let config = translate(&objects, &options);
        let object = &config.middlewares["apps-waiting"];
        let Some(Middleware::OAuthClientCredentials(middleware)) = object.served() else {
            panic!("{:?}", object.diagnostics);
        };
        let credentials = middleware.credentials.as_ref().unwrap();
        assert_eq!(credentials.client_id, "gw");
        assert_eq!(credentials.client_secret.expose_secret(), value);
    }
    objects.secrets.remove(&ObjectName::new("apps", "later"));
    assert_eq!(translate(&objects, &options), closed);
}

#[test]
fn what_callers_are_judged_with_comes_from_secrets() {
    use carnet_config::routing::middleware::jwt::Keys;

    let config = translate(&objects(CALLERS), &Options::default());
    let served = |name: &str| config.middlewares[name].served().unwrap();
    let Middleware::ApiKey(key) = served("apps-key") else {
        panic!("apiKey");
    };
    let hashes = key.secret_values.iter().map(ExposeSecret::expose_secret);
    let alice = "{SHA}Ys23Ag/5IOWqZCw9QGaVDdHwH00=";
    let written = "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=";
    assert_eq!(hashes.collect::<Vec<_>>(), [alice, written]);
    let Middleware::Hmac(hmac) = served("apps-signature") else {
        panic!("hmac");
    };
    let phrase = "CANARY, and more than thirty-two bytes";
    assert_eq!(hmac.keys["alice"].expose_secret(), phrase);
    let Middleware::Jwt(jwt) = served("apps-token") else {
        panic!("jwt");
    };
    let Keys::Secret(secret) = &jwt.keys else {
        panic!("{:?}", jwt.keys);
    };
    assert_eq!(secret.text.expose_secret(), phrase);
    let Middleware::OAuthIntrospection(vouched) = served("apps-vouched") else {
        panic!("oAuthIntrospection");
    };
    let credentials = vouched.credentials.as_ref().unwrap();
    assert_eq!(credentials.client_secret.expose_secret(), phrase);
}

#[test]
fn an_object_that_does_not_fit_its_kind_names_the_key_and_not_the_value() {
    let text = "apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  ports:
  - port: 80
  - port: CANARY
";
    let service = &manifests::parse(text, "a.yaml").unwrap().objects[0];
    let finding = objects("").insert(service).unwrap_err();
    assert_eq!(
        finding.to_string(),
        "a.yaml:7:11: error: Service default/a: spec.ports[1].port: expects i32"
    );
}

#[test]
fn the_order_of_objects_does_not_matter() {
    for text in [ROUTES, SECRETS, include_str!("../golden/weighted.yaml")] {
        let mut backwards = Objects::default();
        for object in manifests::parse(text, "case.yaml")
            .unwrap()
            .objects
            .iter()
            .rev()
        {
            backwards.insert(object).unwrap();
        }
        let options = Options::default();
        let forwards = translate(&objects(text), &options);
        assert_eq!(translate(&backwards, &options), forwards);
    }
}

// Holds K8-06.
#[test]
fn objects_of_two_namespaces_with_one_rule_and_one_name_reach_their_own_services() {
    let mut text = String::new();
    for (namespace, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        text += &format!(
            "---
apiVersion: v1
kind: Service
metadata: {{name: s, namespace: {namespace}}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s-1, namespace: {namespace}, labels: {{kubernetes.io/service-name: s}}}}
addressType: IPv4
endpoints: [{{addresses: [{address}]}}]
ports: [{{port: 80}}]
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: r, namespace: {namespace}}}
spec: {{routes: [{{match: Host(`h`), services: [{{name: s, port: 80}}]}}]}}
"
        );
    }
    let config = translate(&objects(&text), &Options::default());
    assert_eq!(config.routers.len(), 2);
    for (name, address) in [("a-r-", "10.0.0.1"), ("b-r-", "10.0.0.2")] {
        let (_, router) = config
            .routers
            .iter()
            .find(|(key, _)| key.starts_with(name))
            .unwrap();
        let service = &router.value.as_ref().unwrap().service;
        assert!(service.starts_with(name), "{service}");
        let reached = format!("{:?}", config.services[service].value);
        assert!(reached.contains(address), "{reached}");
    }
}

// Holds K8-02.
#[test]
fn whatever_stands_in_a_host_or_path_of_an_ingress_is_a_host_or_a_path() {
    const PIECES: [&str; 16] = [
        "`", "\"", "'", "(", ")", "|", "||", "&&", "!", "\\", "\n", "\r", "/a", "Host", ", ", "é",
    ];
    let mut state = 42_u64;
    let mut text = |start: &str| {
        let mut text = start.to_owned();
        for _ in 0..6 {
            // Numerical Recipes' generator.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text += PIECES[usize::try_from(state >> 16).unwrap() % PIECES.len()];
        }
        text
    };
    let mut made = 0;
    for _ in 0..500 {
        let (host, path) = (text("h"), text("/p"));
        let ingress = serde_json::json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"},
            "spec": {"rules": [{"host": host, "http": {"paths": [{"path": path,
                "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}},
            }]}}]},
        });
        let config =
            translate_ingresses(&objects(&ingress.to_string()), &IngressOptions::default());
        let router = config
            .routers
            .values()
            .next()
            .unwrap()
            .value
            .as_ref()
            .unwrap();
        let Some(rule) = router.rule.as_deref() else {
            continue;
        };
        let Rule::And(parts) = rule else {
            panic!("{rule}");
        };
        let [
            Rule::Match(Matcher::Host(_)),
            Rule::Match(Matcher::PathPrefix(prefix)),
        ] = parts.as_slice()
        else {
            panic!("{rule}");
        };
        assert_eq!(*prefix, path);
        assert_eq!(rule::parse(&router.rule_text).as_ref(), Ok(rule));
        made += 1;
    }
    assert!(made > 100, "{made}");
}

/// Every option of `oAuthClientCredentials`, as the tests of the file's reader know it.
const ALL_OPTIONS: [&str; 2] = [
    include_str!("../../../config/tests/options/all.yaml"),
    include_str!("../../../config/tests/options/compatible.yaml"),
];

#[test]
fn an_object_has_every_option_that_a_file_has_in_every_spelling() {
    for text in ALL_OPTIONS {
        let node = parse_yaml(text, "all.yaml").unwrap().swap_remove(0);
        let of_file = read(&node, "middleware creds");
        let spec = text.replace("\n", "\n  ").replace("PLUGIN:", "plugin:");
        let object = format!(
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: creds, namespace: \
             apps}}\nspec:\n  {spec}"
        );
        let config = translate(&objects(&object), &Options::default());
        let middleware = &config.middlewares["apps-creds"];
        assert!(of_file.served().is_some(), "{:?}", of_file.diagnostics);
        assert_eq!(
            middleware.served(),
            of_file.served(),
            "{:?}",
            middleware.diagnostics
        );
    }
}
