//! Manifests: text with one or many Kubernetes objects, to identified objects that know their
//! place. YAML, JSON, several documents, lists.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use carnet_config::diagnostics::{Diagnostic, Position, Severity};
use carnet_config::document::{self, Node, Value};

/// What one text holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifests {
    /// Its objects, in order.
    pub objects: Vec<ManifestObject>,
    /// Documents that are no objects.
    pub diagnostics: Vec<Diagnostic>,
}

/// An object as it was written.
#[derive(Clone, PartialEq)]
pub struct ManifestObject {
    /// Which object it is.
    pub identity: Identity,
    /// Version of its API group: `v1`, `v1alpha1`.
    pub version: String,
    /// The whole object.
    pub node: Node,
}

/// What tells one object from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// API group: `traefik.io`, `apps`; empty for the core group.
    pub group: String,
    /// Kind: `IngressRoute`.
    pub kind: String,
    /// Namespace, `default` where none is written; empty for kinds that have none.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Identity {
    /// The object as kubectl prints it: `ingressroute.traefik.io/whoami`, `service/whoami`.
    pub fn kubectl(&self) -> String {
        let kind = self.kind.to_lowercase();
        match self.group.as_str() {
            "" => format!("{kind}/{}", self.name),
            group => format!("{kind}.{group}/{}", self.name),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// What is in an object may be secret.
impl fmt::Debug for ManifestObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.identity, self.node.position)
    }
}

impl ManifestObject {
    /// Whether both say the same, wherever and however they are written.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.identity == other.identity
            && self.version == other.version
            && self.node.to_json() == other.node.to_json()
    }

    /// A finding about a key of this object; it stands at the key, or at the object when the key
    /// is not there.
    pub(crate) fn finding(&self, path: &[&str], message: impl Into<String>) -> Diagnostic {
        let mut node = &self.node;
        for key in path {
            let Some(member) = node.member(key) else {
                break;
            };
            node = member;
        }
        Diagnostic {
            severity: Severity::Error,
            object: self.identity.to_string(),
            key: path.join("."),
            message: message.into(),
            position: Some(node.position.clone()),
        }
    }
}

/// Reads a text. `source` is its name in findings.
///
/// # Errors
/// The text is no YAML: nothing of it can be used.
pub fn parse(text: &str, source: &str) -> Result<Manifests, Diagnostic> {
    let source: Arc<str> = source.into();
    let mut manifests = Manifests::default();
    for node in document::parse_yaml(text, source)? {
        manifests.collect(node);
    }
    Ok(manifests)
}

/// Of objects with one identity the last one, in its place, and a warning about each that it
/// replaces.
pub fn latest(objects: Vec<ManifestObject>) -> (Vec<ManifestObject>, Vec<Diagnostic>) {
    let mut last: BTreeMap<Identity, Position> = BTreeMap::new();
    let mut warnings = Vec::new();
    let mut kept = Vec::new();
    for object in objects.into_iter().rev() {
        match last.get(&object.identity) {
            None => {
                last.insert(object.identity.clone(), object.node.position.clone());
                kept.push(object);
            }
            Some(winner) => warnings.push(Diagnostic {
                severity: Severity::Warning,
                ..object.finding(&[], format!("is written again at {winner}, which is used"))
            }),
        }
    }
    kept.reverse();
    warnings.reverse();
    (kept, warnings)
}

impl Manifests {
    fn collect(&mut self, node: Node) {
        if node.value == Value::Null {
            return;
        }
        let kind = text(&node, &["kind"]);
        if let Some(items) = list_items(kind, &node) {
            for item in items.iter().cloned() {
                self.collect(item);
            }
            return;
        }
        let missing = |key: &str| Diagnostic {
            severity: Severity::Error,
            object: String::new(),
            key: key.to_owned(),
            message: format!("this is no Kubernetes object: `{key}` is missing"),
            position: Some(node.position.clone()),
        };
        let Some(api_version) = text(&node, &["apiVersion"]) else {
            return self.diagnostics.push(missing("apiVersion"));
        };
        let Some(kind) = kind else {
            return self.diagnostics.push(missing("kind"));
        };
        let Some(name) = text(&node, &["metadata", "name"]) else {
            return self.diagnostics.push(missing("metadata.name"));
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let namespace = match CLUSTER_SCOPED.contains(&kind) {
            true => "",
            false => text(&node, &["metadata", "namespace"]).unwrap_or("default"),
        };
        self.objects.push(ManifestObject {
            identity: Identity {
                group: group.to_owned(),
                kind: kind.to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            version: version.to_owned(),
            node,
        });
    }
}

/// The items of a `List`, `IngressRouteList` and so on.
fn list_items<'a>(kind: Option<&str>, node: &'a Node) -> Option<&'a [Node]> {
    match &node.member("items")?.value {
        Value::List(items) if kind?.ends_with("List") => Some(items),
        _ => None,
    }
}

/// A text that is there and not empty.
fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(node, |node, key| node.member(key))?;
    found.scalar().filter(|text| !text.is_empty())
}

/// Kinds without a namespace that manifests of applications hold.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "CSIDriver",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "GatewayClass",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const TEXT: &str = "---
apiVersion: v1
kind: Namespace
metadata: {name: apps}
---
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: whoami
  namespace: apps
---
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: whoami}}
- {apiVersion: v1, kind: Service, metadata: {name: whoami}}
---
kind: Service
";

    #[test]
    fn documents_and_lists_become_objects_with_kubectls_names() {
        let manifests = parse(TEXT, "app.yaml").unwrap();
        let names: Vec<String> = manifests
            .objects
            .iter()
            .map(|object| format!("{} = {}", object.identity.kubectl(), object.identity))
            .collect();
        assert_eq!(
            names,
            [
                "namespace/apps = Namespace apps",
                "ingressroute.traefik.io/whoami = IngressRoute apps/whoami",
                "deployment.apps/whoami = Deployment default/whoami",
                "service/whoami = Service default/whoami",
            ]
        );
        assert_eq!(
            manifests.diagnostics[0].to_string(),
            "app.yaml:19:1: error: apiVersion: this is no Kubernetes object: \
             `apiVersion` is missing"
        );
    }

    #[test]
    fn json_is_a_manifest_too() {
        let json = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}"#;
        assert_eq!(parse(json, "-").unwrap().objects.len(), 1);
    }

    #[test]
    fn a_comment_or_another_order_says_the_same() {
        let one = parse(
            "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {}}",
            "1",
        );
        let two = parse(
            "# A comment.\nkind: Secret\napiVersion: v1\ndata: {}\nmetadata:\n  name: a\n",
            "2",
        );
        let (one, two) = (one.unwrap().objects, two.unwrap().objects);
        assert!(one[0].says_the_same(&two[0]));
        assert_ne!(one[0], two[0]);
        assert_eq!(format!("{:?}", two[0]), "Secret default/a at 2:2:1");
    }

    #[test]
    fn the_later_of_two_objects_wins_and_the_warning_names_both() {
        let text = "{apiVersion: v1, kind: Secret, metadata: {name: a}}";
        let mut objects = parse(text, "1.yaml").unwrap().objects;
        objects.extend(parse(text, "2.yaml").unwrap().objects);
        let (kept, warnings) = latest(objects);
        assert_eq!(&*kept[0].node.position.source, "2.yaml");
        assert_eq!(
            warnings[0].to_string(),
            "1.yaml:1:1: warning: Secret default/a: is written again at 2.yaml:1:1, which is used"
        );
    }
}
