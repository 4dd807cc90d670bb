//! What is known of a cluster, or of manifests without one: ordered, typed stores.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use carnet_config::diagnostics::{Diagnostic, Object, Position};
use carnet_config::document::{Node, Value};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, PodTemplateSpec, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::crd::{IngressRoute, ServersTransport, TlsOption, TlsStore, TraefikService};
use super::ingress::Ingress;
use super::manifests::{Identity, ManifestObject};
use super::secret::Secret;

/// Namespace and name of an object within its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectName {
    /// The name of an object in a namespace.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What makes pods: the template of a Deployment and its like, or a Pod itself. Like everything
/// that may hold secrets in plain text, it cannot be printed.
#[derive(Clone, PartialEq)]
pub struct PodOwner {
    /// How many pods are wanted.
    pub replicas: i32,
    /// Labels and containers.
    pub template: PodTemplateSpec,
}

/// All objects that matter, by name.
#[derive(Clone, Default)]
pub struct Objects {
    /// Namespaces that were declared.
    pub namespaces: BTreeSet<String>,
    /// Services.
    pub services: BTreeMap<ObjectName, Service>,
    /// EndpointSlices.
    pub endpoint_slices: BTreeMap<ObjectName, EndpointSlice>,
    /// Secrets.
    pub secrets: BTreeMap<ObjectName, Secret>,
    /// ConfigMaps.
    pub config_maps: BTreeMap<ObjectName, ConfigMap>,
    /// Deployments, StatefulSets, DaemonSets, ReplicaSets and Pods.
    pub pod_owners: BTreeMap<Identity, PodOwner>,
    /// IngressRoutes.
    pub ingress_routes: BTreeMap<ObjectName, Object<IngressRoute>>,
    /// Middlewares: the whole object, since what is in it depends on Secrets.
    pub middlewares: BTreeMap<ObjectName, Node>,
    /// TraefikServices.
    pub traefik_services: BTreeMap<ObjectName, Object<TraefikService>>,
    /// ServersTransports.
    pub servers_transports: BTreeMap<ObjectName, Object<ServersTransport>>,
    /// TLSOptions.
    pub tls_options: BTreeMap<ObjectName, Object<TlsOption>>,
    /// TLSStores.
    pub tls_stores: BTreeMap<ObjectName, Object<TlsStore>>,
    /// Ingresses.
    pub ingresses: BTreeMap<ObjectName, Object<Ingress>>,
    /// Controllers of IngressClasses, by the names of the classes.
    pub ingress_classes: BTreeMap<String, String>,
}

/// An object as it is kept: read, and without what nobody asks for.
pub(super) enum Kept {
    Namespace,
    Service(Box<Service>),
    EndpointSlice(Box<EndpointSlice>),
    Secret(Secret),
    ConfigMap(Box<ConfigMap>),
    PodOwner(Box<PodOwner>),
    IngressRoute(Box<Object<IngressRoute>>),
    Middleware(Node),
    TraefikService(Box<Object<TraefikService>>),
    ServersTransport(Box<Object<ServersTransport>>),
    TlsOption(Box<Object<TlsOption>>),
    TlsStore(Box<Object<TlsStore>>),
    Ingress(Box<Object<Ingress>>),
    /// Its controller.
    IngressClass(String),
}

impl Kept {
    /// Reads an object; `None` when nothing here has a use for its kind.
    ///
    /// # Errors
    /// The object does not fit its kind.
    pub(super) fn read(object: &ManifestObject) -> Option<Result<Self, Diagnostic>> {
        let kind = (
            object.identity.group.as_str(),
            object.identity.kind.as_str(),
        );
        Some(Ok(match kind {
            ("", "Namespace") => Self::Namespace,
            ("", "Service") => return Some(boxed(object, Self::Service)),
            ("", "Secret") => return Some(Secret::read(object).map(Self::Secret)),
            ("", "ConfigMap") => return Some(boxed(object, Self::ConfigMap)),
            ("discovery.k8s.io", "EndpointSlice") => {
                return Some(boxed(object, Self::EndpointSlice));
            }
            ("traefik.io", "IngressRoute") => {
                Self::IngressRoute(Box::new(IngressRoute::read(object)))
            }
            ("traefik.io", "Middleware") => Self::Middleware(object.node.clone()),
            ("traefik.io", "TraefikService") => {
                Self::TraefikService(Box::new(TraefikService::read(object)))
            }
            ("traefik.io", "ServersTransport") => {
                Self::ServersTransport(Box::new(ServersTransport::read(object)))
            }
            ("traefik.io", "TLSOption") => Self::TlsOption(Box::new(TlsOption::read(object))),
            ("traefik.io", "TLSStore") => Self::TlsStore(Box::new(TlsStore::read(object))),
            ("networking.k8s.io", "Ingress") => Self::Ingress(Box::new(Ingress::read(object))),
            ("networking.k8s.io", "IngressClass") => {
                let spec = object.node.member("spec");
                let controller = spec.and_then(|spec| spec.member("controller")?.scalar());
                Self::IngressClass(controller.unwrap_or_default().to_owned())
            }
            _ => return Some(pod_owner(object)?.map(|owner| Self::PodOwner(Box::new(owner)))),
        }))
    }
}

fn boxed<T: DeserializeOwned>(
    object: &ManifestObject,
    kept: impl FnOnce(Box<T>) -> Kept,
) -> Result<Kept, Diagnostic> {
    typed(object).map(|value| kept(Box::new(value)))
}

impl Objects {
    /// Takes an object in, in place of one of its kind and name; `false` when nothing here has a
    /// use for its kind.
    ///
    /// # Errors
    /// The object does not fit its kind; what was known of it is forgotten, and what needs it is
    /// closed.
    pub fn insert(&mut self, object: &ManifestObject) -> Result<bool, Diagnostic> {
        match Kept::read(object) {
            None => return Ok(false),
            Some(Ok(kept)) => self.put(&object.identity, kept),
            Some(Err(finding)) => {
                self.remove(&object.identity);
                return Err(finding);
            }
        }
        Ok(true)
    }

    /// Takes an object in that was read.
    pub(super) fn put(&mut self, identity: &Identity, kept: Kept) {
        let key = ObjectName::new(&identity.namespace, &identity.name);
        match kept {
            Kept::Namespace => {
                self.namespaces.insert(key.name);
            }
            Kept::Service(value) => put(&mut self.services, key, *value),
            Kept::EndpointSlice(value) => put(&mut self.endpoint_slices, key, *value),
            Kept::Secret(value) => put(&mut self.secrets, key, value),
            Kept::ConfigMap(value) => put(&mut self.config_maps, key, *value),
            Kept::PodOwner(value) => put(&mut self.pod_owners, identity.clone(), *value),
            Kept::IngressRoute(value) => put(&mut self.ingress_routes, key, *value),
            Kept::Middleware(value) => put(&mut self.middlewares, key, value),
            Kept::TraefikService(value) => put(&mut self.traefik_services, key, *value),
            Kept::ServersTransport(value) => put(&mut self.servers_transports, key, *value),
            Kept::TlsOption(value) => put(&mut self.tls_options, key, *value),
            Kept::TlsStore(value) => put(&mut self.tls_stores, key, *value),
            Kept::Ingress(value) => put(&mut self.ingresses, key, *value),
            Kept::IngressClass(controller) => {
                put(&mut self.ingress_classes, key.name, controller);
            }
        }
    }
}

impl Objects {
    /// Forgets an object.
    pub fn remove(&mut self, identity: &Identity) {
        let key = ObjectName::new(&identity.namespace, &identity.name);
        match (identity.group.as_str(), identity.kind.as_str()) {
            ("", "Namespace") => {
                self.namespaces.remove(&identity.name);
            }
            ("", "Service") => forget(&mut self.services, &key),
            ("", "Secret") => forget(&mut self.secrets, &key),
            ("", "ConfigMap") => forget(&mut self.config_maps, &key),
            ("discovery.k8s.io", "EndpointSlice") => forget(&mut self.endpoint_slices, &key),
            ("traefik.io", "IngressRoute") => forget(&mut self.ingress_routes, &key),
            ("traefik.io", "Middleware") => forget(&mut self.middlewares, &key),
            ("traefik.io", "TraefikService") => forget(&mut self.traefik_services, &key),
            ("traefik.io", "ServersTransport") => forget(&mut self.servers_transports, &key),
            ("traefik.io", "TLSOption") => forget(&mut self.tls_options, &key),
            ("traefik.io", "TLSStore") => forget(&mut self.tls_stores, &key),
            ("networking.k8s.io", "Ingress") => forget(&mut self.ingresses, &key),
            ("networking.k8s.io", "IngressClass") => {
                self.ingress_classes.remove(&identity.name);
            }
            _ => forget(&mut self.pod_owners, identity),
        }
    }
}

fn forget<K: Ord, V>(store: &mut BTreeMap<K, V>, key: &K) {
    store.remove(key);
}

fn put<K: Ord, V>(store: &mut BTreeMap<K, V>, key: K, value: V) {
    store.insert(key, value);
}

/// `None` for a kind that makes no pods, or none that stay.
fn pod_owner(object: &ManifestObject) -> Option<Result<PodOwner, Diagnostic>> {
    let owner = match (
        object.identity.group.as_str(),
        object.identity.kind.as_str(),
    ) {
        ("apps", "Deployment") => typed::<Deployment>(object).map(|deployment| {
            let spec = deployment.spec.unwrap_or_default();
            (spec.replicas, spec.template)
        }),
        ("apps", "StatefulSet") => typed::<StatefulSet>(object).map(|set| {
            let spec = set.spec.unwrap_or_default();
            (spec.replicas, spec.template)
        }),
        ("apps", "DaemonSet") => {
            typed::<DaemonSet>(object).map(|set| (None, set.spec.unwrap_or_default().template))
        }
        ("apps", "ReplicaSet") => typed::<ReplicaSet>(object).map(|set| {
            let spec = set.spec.unwrap_or_default();
            (spec.replicas, spec.template.unwrap_or_default())
        }),
        ("", "Pod") => typed::<Pod>(object).map(|pod| {
            let template = PodTemplateSpec {
                metadata: Some(pod.metadata),
                spec: pod.spec,
            };
            (None, template)
        }),
        _ => return None,
    };
    Some(owner.map(|(replicas, template)| PodOwner {
        replicas: replicas.unwrap_or(1),
        template,
    }))
}

/// A core object. The finding names the key that does not fit and never its value.
fn typed<T: DeserializeOwned>(object: &ManifestObject) -> Result<T, Diagnostic> {
    serde_path_to_error::deserialize(object.node.to_json()).map_err(|error| {
        let text = error.inner().to_string();
        let message = match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("expects {expected}"),
            None if text.starts_with("missing field") => format!("{text} is needed"),
            None => "cannot be understood".to_owned(),
        };
        Diagnostic {
            key: error.path().to_string(),
            position: Some(place(&object.node, error.path()).clone()),
            ..object.finding(&[], message)
        }
    })
}

/// Where a path leads, as far as it can be followed.
fn place<'a>(mut node: &'a Node, path: &Path) -> &'a Position {
    for segment in path.iter() {
        let next = match (segment, &node.value) {
            (Segment::Map { key }, _) => node.member(key),
            (Segment::Seq { index }, Value::List(items)) => items.get(*index),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    &node.position
}
