//! Objects to routing configuration: pure, total, and the same for the same objects.
//!
//! What is broken closes itself and keeps its place: a router whose middleware or service is not
//! there answers 503, so that nothing falls through to a wider one. Names are Traefik's.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Position, Severity};
use carnet_config::routing::RoutingConfig;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::objects::{ObjectName, Objects};
use super::{INGRESS_NAME, NAME, SERVICE_NAME_LABEL};

mod claims;
mod endpoints;
mod ingress;
mod middleware;
mod middleware_references;
mod reference;
mod router;
mod secrets;
mod servers_transport;
mod service;
mod tls;
mod traefik_service;

use claims::Claims;
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

/// Translates everything.
pub fn translate(objects: &Objects, options: &Options) -> RoutingConfig {
    let mut translation = Translation::new(objects, options);
    translation.translate_middlewares();
    translation.translate_tls_options();
    translation.translate_certificates();
    translation.translate_servers_transports();
    translation.translate_traefik_services();
    translation.translate_ingress_routes();
    translation.config
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
    let mut translation = Translation::new(objects, &options.shared);
    ingress::Ingresses::new(&mut translation, options).translate();
    translation.config
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
    /// EndpointSlices of each Service.
    slices: BTreeMap<ObjectName, Vec<&'a EndpointSlice>>,
    /// What each Middleware is called in the routing configuration, and so on.
    middlewares: BTreeMap<ObjectName, String>,
    traefik_services: BTreeMap<ObjectName, String>,
    servers_transports: BTreeMap<ObjectName, String>,
    tls_options: BTreeMap<ObjectName, String>,
    services: Claims,
    routers: Claims,
    config: RoutingConfig,
}

impl<'a> Translation<'a> {
    fn new(objects: &'a Objects, options: &'a Options) -> Self {
        Self {
            objects,
            options,
            slices: slices(objects),
            middlewares: claims::names(objects.middlewares.keys()),
            traefik_services: claims::names(objects.traefik_services.keys()),
            servers_transports: claims::names(objects.servers_transports.keys()),
            tls_options: claims::names(objects.tls_options.keys()),
            services: Claims::default(),
            routers: Claims::default(),
            config: RoutingConfig::default(),
        }
    }
}

fn slices(objects: &Objects) -> BTreeMap<ObjectName, Vec<&EndpointSlice>> {
    let mut slices: BTreeMap<ObjectName, Vec<&EndpointSlice>> = BTreeMap::new();
    for (name, slice) in &objects.endpoint_slices {
        let labels = slice.metadata.labels.as_ref();
        if let Some(service) = labels.and_then(|labels| labels.get(SERVICE_NAME_LABEL)) {
            let service = ObjectName::new(&name.namespace, service);
            slices.entry(service).or_default().push(slice);
        }
    }
    slices
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
