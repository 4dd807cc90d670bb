//! The definitions of our kinds, for a cluster that does not have Traefik's. They let unknown keys
//! through, so that what is misspelt is told with the nearest word instead of vanishing.

use serde_json::{Map, Value, json};

/// The definitions, in the order of their names.
pub fn definitions() -> Vec<Value> {
    [
        ("IngressRoute", "ingressroutes", ingress_route()),
        ("Middleware", "middlewares", object(&[])),
        ("ServersTransport", "serverstransports", servers_transport()),
        ("TLSOption", "tlsoptions", tls_option()),
        ("TLSStore", "tlsstores", tls_store()),
        ("TraefikService", "traefikservices", traefik_service()),
    ]
    .map(|(kind, plural, spec)| definition(kind, plural, &spec))
    .into()
}

fn definition(kind: &str, plural: &str, spec: &Value) -> Value {
    let schema = json!({
        "description": format!("{kind}, as Traefik defines it and carnet serves it."),
        "type": "object",
        "required": ["metadata", "spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
        },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.traefik.io")},
        "spec": {
            "group": "traefik.io",
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": kind.to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

fn ingress_route() -> Value {
    let route = required(
        object(&[
            ("kind", one_of(&["Rule"])),
            ("match", text()),
            ("middlewares", list(&reference())),
            (
                "observability",
                object(&[
                    ("accessLogs", boolean()),
                    ("metrics", boolean()),
                    ("traceVerbosity", text()),
                    ("tracing", boolean()),
                ]),
            ),
            ("priority", integer()),
            ("services", list(&service())),
            ("syntax", text()),
        ]),
        &["match"],
    );
    let domain = object(&[("main", text()), ("sans", list(&text()))]);
    let tls = object(&[
        ("certResolver", text()),
        ("domains", list(&domain)),
        ("options", reference()),
        ("secretName", text()),
        ("store", reference()),
    ]);
    required(
        object(&[
            ("entryPoints", list(&text())),
            ("ingressClassName", text()),
            ("parentRefs", list(&reference())),
            ("routes", list(&route)),
            ("tls", tls),
        ]),
        &["routes"],
    )
}

fn service() -> Value {
    required(
        object(&[
            ("healthCheck", object(&[])),
            ("kind", one_of(&["Service", "TraefikService"])),
            ("middlewares", list(&reference())),
            ("name", text()),
            ("namespace", text()),
            ("nativeLB", boolean()),
            ("nodePortLB", boolean()),
            ("passHostHeader", boolean()),
            ("passiveHealthCheck", object(&[])),
            ("port", integer_or_text()),
            ("responseForwarding", object(&[("flushInterval", text())])),
            ("scheme", text()),
            ("serversTransport", text()),
            ("sticky", object(&[])),
            ("strategy", text()),
            ("weight", integer()),
        ]),
        &["name"],
    )
}

fn traefik_service() -> Value {
    let weighted = object(&[("services", list(&service())), ("sticky", object(&[]))]);
    object(&[
        ("failover", object(&[])),
        ("highestRandomWeight", object(&[])),
        ("mirroring", object(&[])),
        ("weighted", weighted),
    ])
}

fn servers_transport() -> Value {
    let root = object(&[("configMap", text()), ("secret", text())]);
    let timeouts = [
        "dialTimeout",
        "idleConnTimeout",
        "pingTimeout",
        "readIdleTimeout",
        "responseHeaderTimeout",
    ];
    let timeouts = timeouts.map(|key| (key, integer_or_text()));
    object(&[
        ("certificatesSecrets", list(&text())),
        ("cipherSuites", list(&text())),
        ("disableHTTP2", boolean()),
        ("forwardingTimeouts", object(&timeouts)),
        ("insecureSkipVerify", boolean()),
        ("maxIdleConnsPerHost", integer()),
        ("maxVersion", text()),
        ("minVersion", text()),
        ("peerCertURI", text()),
        ("rootCAs", list(&root)),
        ("rootCAsSecrets", list(&text())),
        ("serverName", text()),
        ("spiffe", object(&[])),
    ])
}

fn tls_option() -> Value {
    let client_auth = object(&[("clientAuthType", text()), ("secretNames", list(&text()))]);
    object(&[
        ("alpnProtocols", list(&text())),
        ("cipherSuites", list(&text())),
        ("clientAuth", client_auth),
        ("curvePreferences", list(&text())),
        ("disableSessionTickets", boolean()),
        ("maxVersion", text()),
        ("minVersion", text()),
        ("sniStrict", boolean()),
    ])
}

fn tls_store() -> Value {
    let certificate = object(&[("secretName", text())]);
    let domain = object(&[("main", text()), ("sans", list(&text()))]);
    let generated = object(&[("domain", domain), ("resolver", text())]);
    object(&[
        ("certificates", list(&certificate)),
        ("defaultCertificate", certificate.clone()),
        ("defaultGeneratedCert", generated),
    ])
}

fn reference() -> Value {
    required(
        object(&[("name", text()), ("namespace", text())]),
        &["name"],
    )
}

fn object(properties: &[(&str, Value)]) -> Value {
    let mut schema = json!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
    });
    if !properties.is_empty() {
        let properties = properties.iter();
        let properties: Map<_, _> = properties
            .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
            .collect();
        schema["properties"] = properties.into();
    }
    schema
}

fn required(mut object: Value, keys: &[&str]) -> Value {
    object["required"] = json!(keys);
    object
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn integer() -> Value {
    json!({"type": "integer"})
}

fn integer_or_text() -> Value {
    json!({"x-kubernetes-int-or-string": true})
}

fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}
