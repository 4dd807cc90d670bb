//! Options to a snapshot: pure, total, and the same for the same input. Nothing here fails: what
//! cannot be served is closed in its place and said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_config::Shared;
use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::install::EntryPoint;
use carnet_config::nearest::suggestion;
use carnet_config::routing::{Middleware, Router, RoutingConfig, ServersTransport};

use super::Snapshot;
use super::services::are_same;
use crate::metrics::Metrics;
use crate::middleware::{self, Endpoint, Named};
use crate::supplies::Supplies;
use crate::tls::{Certificates, Identity, Issued};

/// What a configuration is compiled in.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) supplies: &'a Supplies,
    pub(crate) entry_points: &'a BTreeMap<String, EntryPoint>,
    /// Of services that name none.
    pub(crate) servers_transport: &'a ServersTransport,
    /// The gateway's own services, `ping@internal` and the like.
    pub(crate) internal: &'a BTreeMap<String, Arc<dyn Endpoint>>,
    /// Shown to clients that ask for a name without a certificate.
    pub(crate) default_certificate: Option<&'a Identity>,
    /// Entry points at which authorities for certificates ask.
    pub(crate) acme: &'a BTreeSet<String>,
    /// The names of the certificate resolvers.
    pub(crate) resolvers: &'a BTreeSet<String>,
    /// The certificates that they give.
    pub(crate) issued: &'a Arc<Issued>,
    /// What requests are counted in; `None`: nothing is counted.
    pub(crate) metrics: Option<&'a Metrics>,
    /// The routers that lead to them without a user's doing.
    pub(crate) routers: &'a BTreeMap<String, Object<Router>>,
}

/// All that a middleware is made from.
#[derive(Debug, Clone)]
pub(super) struct MiddlewareInput {
    options: Middleware,
    /// What the options name.
    named: Named,
}

impl PartialEq for MiddlewareInput {
    fn eq(&self, other: &Self) -> bool {
        let (own, others) = (&self.named, &other.named);
        self.options == other.options
            && are_same(own.service.as_slice(), others.service.as_slice())
            && are_same(&own.stations, &others.stations)
    }
}

/// A compilation in the making.
pub(super) struct Compile<'a> {
    pub(super) config: &'a RoutingConfig,
    pub(super) previous: &'a Snapshot,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) snapshot: Snapshot,
    /// Once they are read.
    pub(super) certificates: Option<Arc<Certificates>>,
    /// Middlewares that wait for a service.
    pub(super) making: Vec<String>,
}

/// Compiles a configuration. What `previous` made of equal options is taken over.
pub(crate) fn compile(
    config: &Arc<RoutingConfig>,
    previous: &Snapshot,
    around: &Surroundings<'_>,
) -> Snapshot {
    let mut compile = Compile {
        config,
        previous,
        around,
        snapshot: Snapshot {
            config: Arc::clone(config),
            diagnostics: Shared::new(found_by_readers(config)),
            ..Snapshot::default()
        },
        certificates: None,
        making: Vec::new(),
    };
    compile.transports();
    compile.services();
    compile.middlewares();
    let configs = compile.tls();
    compile.routers(configs);
    // A router at two entry points lacks the same at both.
    let mut told = BTreeSet::new();
    let findings = &mut compile.snapshot.diagnostics;
    findings.retain(|finding| told.insert(finding.clone()));
    compile.snapshot
}

impl Compile<'_> {
    fn middlewares(&mut self) {
        for name in self.config.middlewares.keys() {
            self.make_middleware(name);
        }
    }

    /// Makes a middleware unless somebody needed it before; one that cannot be made is on the shelf
    /// with the reason, or nowhere.
    pub(super) fn make_middleware(&mut self, name: &str) {
        let object = self.config.middlewares.get(name);
        // The members of a chain take its place.
        let options = object.and_then(Object::served);
        let Some(options) = options.filter(|options| !matches!(options, Middleware::Chain(_)))
        else {
            return;
        };
        // A service behind it may be the one that it names.
        let is_begun = self.making.iter().any(|making| making == name);
        if is_begun || self.snapshot.middlewares.find(name).is_some() {
            return;
        }
        self.making.push(name.to_owned());
        if let Err(reason) = self.station(name, options) {
            let message = format!("{reason}; routers that use it answer 503");
            self.error(format!("middleware {name}"), message);
        }
        self.making.pop();
    }

    /// Makes a middleware, after the service or the middleware that it names.
    fn station(&mut self, name: &str, options: &Middleware) -> Result<(), String> {
        let mut named = Named::default();
        match options {
            Middleware::Errors(errors) => {
                named.service = Some(self.service(&errors.service, &mut Vec::new())?);
            }
            Middleware::Oidc(oidc) => {
                if let Some(bearer) = &oidc.bearer {
                    self.stations(bearer, &mut Vec::new(), &mut named.stations)?;
                }
            }
            _ => {}
        }
        let input = MiddlewareInput {
            options: options.clone(),
            named,
        };
        let supplies = self.around.supplies;
        let previous = &self.previous.middlewares;
        let shelf = &mut self.snapshot.middlewares;
        let made = shelf.place(name, input, previous, |input| {
            let MiddlewareInput { options, named } = input;
            middleware::build(name, (options, named), supplies)
        });
        made.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// Reports that an object, or what needs it, is closed.
    pub(super) fn error(&mut self, object: String, message: String) {
        self.snapshot.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            object,
            key: String::new(),
            message,
            position: None,
        });
    }

    /// One sentence about a reference that leads nowhere.
    pub(super) fn missing<'n>(
        &self,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'n String>,
    ) -> String {
        let near = suggestion(name, known.map(String::as_str));
        format!("{kind} `{name}` does not exist{near}")
    }
}

fn found_by_readers(config: &RoutingConfig) -> Vec<Diagnostic> {
    let transports = config.servers_transports.values().map(|o| &o.diagnostics);
    let services = config.services.values().map(|o| &o.diagnostics);
    let middlewares = config.middlewares.values().map(|o| &o.diagnostics);
    let routers = config.routers.values().map(|o| &o.diagnostics);
    let certificates = config.tls.certificates.iter().map(|o| &o.diagnostics);
    let options = config.tls.options.values().map(|o| &o.diagnostics);
    let stores = config.tls.stores.values().map(|o| &o.diagnostics);
    let tls = certificates.chain(options).chain(stores);
    let all = tls.chain(transports).chain(services);
    let all = all.chain(middlewares).chain(routers);
    let all = config.diagnostics.iter().chain(all.flatten());
    all.cloned().collect()
}
