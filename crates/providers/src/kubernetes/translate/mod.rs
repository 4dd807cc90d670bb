//! Objects to routing configuration: pure, total, and the same for the same objects.
//!
//! What is broken closes itself and keeps its place: a router whose middleware or service is not
//! there answers 503, so that nothing falls through to a wider one. Names are Traefik's.

use std::collections::{BTreeMap, BTreeSet};

use carnet_config::diagnostics::{Diagnostic, Object, Position, Severity};
use carnet_config::routing::{RoutingConfig, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::crd::ServiceEntry;
use super::objects::{ObjectName, Objects};
use super::{INGRESS_NAME, NAME, SERVICE_NAME_LABEL};

mod claims;
mod endpoints;
mod error_pages;
mod ingress;
mod middleware;
mod middleware_references;
mod reference;
mod router;
mod secret_texts;
mod secrets;
mod servers_transport;
mod service;
mod tls;
mod traefik_service;

use claims::Claims;
use ingress::Ingresses;
pub(super) use secrets::named_secrets;

/// What the user allows: `providers.kubernetesCRD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `allowCrossNamespace`: objects may refer to those of other namespaces. Default false.
    pub allow_cross_namespace: bool,
    /// `allowExternalNameServices`: Services of type ExternalName are served. Default false.
    pub allow_external_name_services: bool,
    /// `ingressClass`; without one, IngressRoutes of no class and of `traefik` are served.
    pub ingress_class: Option<String>,
    /// `nativeLBByDefault`: the cluster address of a Service instead of its endpoints, where an
    /// entry does not say which. Default false.
    pub native_lb_by_default: bool,
    /// Endpoints may be loopback and link-local addresses (ours). Default false: whoever may write
    /// a Service could else reach what listens for this machine alone.
    pub allow_loopback_endpoints: bool,
}

/// The names that a translation gave to services and routers.
#[derive(Debug, Default)]
pub(super) struct Names {
    services: Claims,
    routers: Claims,
}

/// Which provider's objects are translated, and what the user allows.
#[derive(Debug, Clone)]
pub(super) enum Translator {
    /// Traefik's own kinds.
    Crd(Options),
    /// Ingresses.
    Ingress(IngressOptions),
}

impl Translator {
    /// Everything, and the names that things got.
    pub(super) fn whole(&self, objects: &Objects) -> (RoutingConfig, Names) {
        let mut translation = Translation::new(objects, self.options(), Names::default(), None);
        match self {
            Self::Crd(_) => translation.translate(),
            Self::Ingress(options) => Ingresses::new(&mut translation, options).translate(),
        }
        (translation.config, translation.names)
    }

    /// The services that these Services stand behind, where nothing but their endpoints has changed
    /// since the names were given.
    pub(super) fn part(
        &self,
        objects: &Objects,
        names: Names,
        changed: &BTreeSet<ObjectName>,
    ) -> (BTreeMap<String, Object<Service>>, Names) {
        let mut translation = Translation::new(objects, self.options(), names, Some(changed));
        match self {
            Self::Crd(_) => {
                translation.translate_traefik_services();
                translation.translate_error_pages();
                translation.translate_ingress_routes();
            }
            Self::Ingress(options) => Ingresses::new(&mut translation, options).translate(),
        }
        (translation.config.services, translation.names)
    }

    fn options(&self) -> &Options {
        match self {
            Self::Crd(options) => options,
            Self::Ingress(options) => &options.shared,
        }
    }
}

/// Translates everything.
pub fn translate(objects: &Objects, options: &Options) -> RoutingConfig {
    Translator::Crd(options.clone()).whole(objects).0
}

/// What the user allows: `providers.kubernetesIngress`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngressOptions {
    /// What both providers have; `allow_cross_namespace` is that of `providers.kubernetesCRD`.
    pub shared: Options,
    /// `strictPrefixMatching`: Prefix paths match whole segments alone. Default false.
    pub strict_prefix_matching: bool,
}

/// Translates Ingresses, which may name Middlewares, TLSOptions and ServersTransports among the
/// objects.
pub fn translate_ingresses(objects: &Objects, options: &IngressOptions) -> RoutingConfig {
    Translator::Ingress(options.clone()).whole(objects).0
}

/// What both providers would say, by their names, of objects that no cluster holds.
pub fn translate_all(objects: &Objects, options: &Options) -> Vec<(String, RoutingConfig)> {
    let ingress = IngressOptions {
        shared: options.clone(),
        ..IngressOptions::default()
    };
    vec![
        (NAME.to_owned(), translate(objects, options)),
        (
            INGRESS_NAME.to_owned(),
            translate_ingresses(objects, &ingress),
        ),
    ]
}

/// A translation under way.
struct Translation<'a> {
    objects: &'a Objects,
    options: &'a Options,
    slices: Slices<'a>,
    /// What each Middleware is called in the routing configuration, and so on.
    middlewares: BTreeMap<ObjectName, String>,
    traefik_services: BTreeMap<ObjectName, String>,
    servers_transports: BTreeMap<ObjectName, String>,
    tls_options: BTreeMap<ObjectName, String>,
    names: Names,
    /// Only what these Services stand behind, by namespace and name; `None`: everything.
    only: Option<BTreeSet<(&'a str, &'a str)>>,
    config: RoutingConfig,
}

impl<'a> Translation<'a> {
    fn new(
        objects: &'a Objects,
        options: &'a Options,
        names: Names,
        only: Option<&'a BTreeSet<ObjectName>>,
    ) -> Self {
        let only = only.map(|names| {
            let names = names.iter();
            names
                .map(|one| (one.namespace.as_str(), one.name.as_str()))
                .collect()
        });
        Self {
            objects,
            options,
            slices: slices(objects),
            middlewares: claims::names(objects.middlewares.keys()),
            traefik_services: claims::names(objects.traefik_services.keys()),
            servers_transports: claims::names(objects.servers_transports.keys()),
            tls_options: claims::names(objects.tls_options.keys()),
            names,
            only,
            config: RoutingConfig::default(),
        }
    }

    fn translate(&mut self) {
        self.translate_tls_options();
        self.translate_certificates();
        self.translate_servers_transports();
        self.translate_traefik_services();
        self.translate_middlewares();
        self.translate_ingress_routes();
    }

    /// Whether entries of an object in `namespace` lead to what is wanted.
    fn is_wanted<'e>(
        &self,
        namespace: &str,
        mut entries: impl Iterator<Item = &'e ServiceEntry>,
    ) -> bool {
        let Some(only) = &self.only else {
            return true;
        };
        entries.any(|entry| {
            let reference = &entry.reference;
            let namespace = reference.namespace.as_deref().unwrap_or(namespace);
            !entry.is_traefik_service && only.contains(&(namespace, reference.name.as_str()))
        })
    }
}

/// The EndpointSlices of each Service.
type Slices<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>;

fn slices(objects: &Objects) -> Slices<'_> {
    let mut slices = Slices::new();
    for (name, slice) in &objects.endpoint_slices {
        if let Some(service) = service_label(slice) {
            let service = (name.namespace.as_str(), service);
            slices.entry(service).or_default().push(slice);
        }
    }
    slices
}

/// The Service that an EndpointSlice of a namespace is of.
pub(super) fn service_of(namespace: &str, slice: &EndpointSlice) -> Option<ObjectName> {
    Some(ObjectName::new(namespace, service_label(slice)?))
}

fn service_label(slice: &EndpointSlice) -> Option<&str> {
    let labels = slice.metadata.labels.as_ref()?;
    labels.get(SERVICE_NAME_LABEL).map(String::as_str)
}

/// A finding of the translation.
fn finding(
    severity: Severity,
    object: &str,
    key: &str,
    position: &Position,
    message: String,
) -> Diagnostic {
    Diagnostic {
        severity,
        object: object.to_owned(),
        key: key.to_owned(),
        message,
        position: Some(position.clone()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::kubernetes::manifests;

    fn cases() -> Vec<(Objects, Translator)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let texts = files.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        let read = |path| {
            let text = fs::read_to_string(path).unwrap();
            let mut objects = Objects::default();
            for object in &manifests::parse(&text, "case").unwrap().objects {
                objects.insert(object).unwrap();
            }
            let translator = match text.starts_with("# provider: ingress") {
                true => Translator::Ingress(IngressOptions::default()),
                false => Translator::Crd(Options::default()),
            };
            (objects, translator)
        };
        texts.map(read).collect()
    }

    #[test]
    fn what_endpoints_change_is_the_same_whether_all_is_translated_or_only_that() {
        let mut compared = 0;
        for (objects, translator) in cases() {
            for service in objects.services.keys() {
                let (mut config, names) = translator.whole(&objects);
                let mut changed = objects.clone();
                let is_other = |name: &ObjectName, slice: &mut EndpointSlice| {
                    service_of(&name.namespace, slice).as_ref() != Some(service)
                };
                changed.endpoint_slices.retain(is_other);
                let only = BTreeSet::from([service.clone()]);
                let (services, _) = translator.part(&changed, names, &only);
                compared += services.len();
                config.services.extend(services);
                assert_eq!(config.services, translator.whole(&changed).0.services);
            }
        }
        assert!(compared > 20, "{compared}");
    }
}
