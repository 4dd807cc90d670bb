//! Objects as the API server sends them to the form in which manifests are read.

use carnet_config::diagnostics::Position;
use carnet_config::document::Node;
use kube::api::DynamicObject;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use crate::kubernetes::AUTHORITY_KEYS;
use crate::kubernetes::manifests::{Identity, ManifestObject};

/// The whole object once more, as `kubectl apply` remembers it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Where objects of a cluster stand: findings name the object and the key, there are no lines.
pub(super) fn position() -> Position {
    Position {
        source: "kubernetes".into(),
        line: 0,
        column: 0,
    }
}

/// An object of a kind. What nobody asks for is left out: a cluster has many objects.
pub(super) fn manifest(kind: Kind, object: DynamicObject, position: &Position) -> ManifestObject {
    let identity = identity(kind, &object);
    let mut annotations = object.metadata.annotations.unwrap_or_default();
    annotations.remove(LAST_APPLIED);
    let metadata = json!({
        "name": identity.name,
        "namespace": identity.namespace,
        "labels": object.metadata.labels.unwrap_or_default(),
        "annotations": annotations,
    });
    let mut members = match object.data {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.remove("status");
    members.insert("metadata".to_owned(), metadata);
    if kind.kind == "ConfigMap" {
        keep_authorities(&mut members);
    }
    ManifestObject {
        identity,
        version: kind.version.to_owned(),
        node: Node::from_json(&Value::Object(members), position.clone()),
    }
}

/// Which object it is.
pub(super) fn identity(kind: Kind, object: &DynamicObject) -> Identity {
    Identity {
        group: kind.group.to_owned(),
        kind: kind.kind.to_owned(),
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
    }
}

/// Of a ConfigMap only certificates of authorities are ever asked for.
fn keep_authorities(config_map: &mut Map<String, Value>) {
    config_map.remove("binaryData");
    if let Some(Value::Object(data)) = config_map.get_mut("data") {
        data.retain(|key, _| AUTHORITY_KEYS.contains(&key.as_str()));
    }
}
