//! Routers: where each stands in the tables, and what stands behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::install::EntryPoint;
use carnet_config::nearest::suggestion;
use carnet_config::routing::router::RouterTls;
use carnet_config::routing::{Middleware as Options, Router};
use carnet_config::rule::{self, Rule};

use super::compile::Compile;
use super::tls::{Configs, DEFAULT, Wishes};
use super::{Chain, Route, Seen, Tables};
use crate::api::{PING, Redirections};
use crate::middleware::Middleware;
use crate::router::{Ranked, Table};
use crate::shard::Copied;
use crate::tls::acme;

/// The routes of a table.
type Routes = Vec<Ranked<Copied<Arc<Route>>>>;

/// Entry points that take no router which names none.
const INTERNAL_ENTRY_POINT: &str = "traefik";

/// The gateway's own routes come before any that a user can write.
const INTERNAL_PRIORITY: i64 = i64::MAX;

/// Where a router stands.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    rule: Arc<Rule>,
    priority: i64,
    entry_points: Vec<String>,
    tls: Option<RouterTls>,
}

/// Tables in the making.
#[derive(Debug, Default)]
struct Draft {
    /// By entry point and whether they are for TLS.
    routes: BTreeMap<(String, bool), Routes>,
    /// By entry point.
    wishes: BTreeMap<String, Wishes>,
    configs: Configs,
}

/// The rule of the gateway's own routes.
fn below(path: &str) -> Arc<Rule> {
    Arc::new(Rule::Match(rule::Matcher::PathPrefix(path.to_owned())))
}

/// What an entry point says of TLS, as if the router itself said it: a name of options without a
/// provider means those of the router's own, as in Traefik.
fn adopted(tls: &RouterTls, router: &str) -> RouterTls {
    let mut tls = tls.clone();
    if let (Some(options), Some((_, provider))) = (&mut tls.options, router.rsplit_once('@'))
        && !options.contains('@')
        && options != DEFAULT
    {
        *options = format!("{options}@{provider}");
    }
    tls
}

impl Compile<'_> {
    /// Fills the tables of every entry point.
    pub(super) fn routers(&mut self, configs: Configs) {
        let mut draft = Draft {
            configs,
            ..Draft::default()
        };
        let config = self.config;
        for (name, object) in config.routers.iter().chain(self.around.routers) {
            self.router(name, object, &mut draft);
        }
        self.acme(&mut draft);
        self.redirections(&mut draft);
        let around = self.around;
        for name in around.entry_points.keys() {
            let routes = &mut draft.routes;
            let mut take = |tls| {
                let routes = routes.remove(&(name.clone(), tls));
                Table::new(routes.unwrap_or_default())
            };
            let wishes = draft.wishes.remove(name).unwrap_or_default();
            let tables = Tables {
                handshakes: Arc::new(self.handshakes(wishes, &draft.configs)),
                plain: take(false),
                tls: take(true),
            };
            self.snapshot.tables.insert(name.clone(), tables);
        }
    }

    fn router(&mut self, name: &str, object: &Object<Router>, draft: &mut Draft) {
        let Some(placement) = self.placement(name, object) else {
            return;
        };
        let around = self.around;
        let own_name: Arc<str> = Arc::from(name);
        for entry_point in &placement.entry_points {
            let options = &around.entry_points[entry_point];
            let (before, tls) = match name {
                PING => (&[][..], None),
                _ => (&options.middlewares[..], options.tls.as_ref()),
            };
            let tls = placement.tls.clone().or(tls.map(|tls| adopted(tls, name)));
            let demands = tls.as_ref().map_or(Ok(None), |tls| {
                let wishes = draft.wishes.entry(entry_point.clone()).or_default();
                self.wish(name, (&placement.rule, tls), &draft.configs, wishes)
            });
            let chain = match (object.served(), &demands) {
                // With a rule from before, something in the object is wrong.
                (Some(router), Ok(_)) if router.rule.is_some() => self.chain(name, before, router),
                _ => Chain::Closed,
            };
            if let Err(reason) = &demands {
                let message = format!(
                    "the router answers 503, and handshakes for its hosts are refused: {reason}"
                );
                self.tell(Severity::Error, name, "tls.options", message);
            }
            let route = Route {
                name: Arc::clone(&own_name),
                priority: placement.priority,
                chain,
                seen: self.seen(name, object, options),
                is_internal: object
                    .value
                    .as_ref()
                    .is_some_and(|router| around.internal.contains_key(&router.service)),
                demands: demands.unwrap_or_default(),
            };
            let key = (entry_point.clone(), tls.is_some());
            draft.routes.entry(key).or_default().push(Ranked {
                name: Arc::clone(&own_name),
                priority: placement.priority,
                rule: Arc::clone(&placement.rule),
                target: Copied::new(Arc::new(route)),
            });
        }
        let placements = &mut self.snapshot.placements;
        placements.insert(name.to_owned(), placement);
    }

    fn seen(&self, name: &str, object: &Object<Router>, options: &EntryPoint) -> Seen {
        let router = object.value.as_ref();
        let own = router
            .map(|router| router.observability)
            .unwrap_or_default();
        let service = router.map_or("", |router| router.service.as_str());
        let metrics = self.around.metrics;
        let series = metrics.and_then(|metrics| metrics.router(name, service));
        Seen::new(own.or(options.observability), series)
    }

    /// Where the router stands: by its own rule, or by the last one that could be read.
    fn placement(&mut self, name: &str, object: &Object<Router>) -> Option<Placement> {
        let readable = object.value.as_ref();
        let Some((router, rule)) = readable.and_then(|r| Some((r, r.rule.as_ref()?))) else {
            let before = self.previous.placements.get(name).cloned();
            let message = match before {
                Some(_) => "its rule cannot be read; the last good one stands and answers 503",
                None => "its rule cannot be read; it is not served, and a wider rule may answer",
            };
            self.tell(Severity::Error, name, "rule", message.to_owned());
            return before;
        };
        let entry_points = self.entry_points(name, router);
        Some(Placement {
            rule: Arc::clone(rule),
            priority: match router.priority {
                None | Some(0) => rule::priority(&router.rule_text),
                Some(priority) => priority,
            },
            entry_points,
            tls: router.tls.clone(),
        })
    }

    /// Reports what is wrong with a router, and where the router stands.
    pub(super) fn tell(&mut self, severity: Severity, name: &str, key: &str, message: String) {
        let router = self.config.routers.get(name);
        let router = router.and_then(|object| object.value.as_ref());
        self.snapshot.diagnostics.push(Diagnostic {
            severity,
            object: format!("router {name}"),
            key: key.to_owned(),
            message,
            position: router.and_then(|router| router.position.clone()),
        });
    }

    fn entry_points(&mut self, name: &str, router: &Router) -> Vec<String> {
        let declared = &self.around.entry_points;
        if router.entry_points.is_empty() {
            let chosen = declared.values().any(|e| e.as_default);
            let is_default = |(name, options): &(&String, &EntryPoint)| match chosen {
                true => options.as_default,
                false => *name != INTERNAL_ENTRY_POINT,
            };
            let defaults = declared.iter().filter(is_default);
            return defaults.map(|(name, _)| name.clone()).collect();
        }
        let (known, unknown): (Vec<_>, Vec<_>) = router
            .entry_points
            .iter()
            .cloned()
            .partition(|entry_point| declared.contains_key(entry_point));
        let severity = match known.is_empty() {
            true => Severity::Error,
            false => Severity::Warning,
        };
        for entry_point in unknown {
            let near = suggestion(&entry_point, declared.keys().map(String::as_str));
            let message = format!(
                "entry point `{entry_point}` does not exist, so the router is not served \
                 there{near}"
            );
            self.tell(severity, name, "entryPoints", message);
        }
        known
    }

    fn chain(&mut self, name: &str, before: &[String], router: &Router) -> Chain {
        let mut findings = Vec::new();
        let mut middlewares = Vec::new();
        for wanted in before.iter().chain(&router.middlewares) {
            if let Err(reason) = self.stations(wanted, &mut Vec::new(), &mut middlewares) {
                findings.push(("middlewares", reason));
            }
        }
        let endpoint = self.service(&router.service, &mut Vec::new());
        let endpoint = endpoint.map_err(|reason| findings.push(("service", reason)));
        match (endpoint, findings.is_empty()) {
            (Ok(endpoint), true) => Chain::Open {
                middlewares,
                endpoint,
            },
            _ => {
                for (key, reason) in findings {
                    let message = format!("the router answers 503: {reason}");
                    self.tell(Severity::Error, name, key, message);
                }
                Chain::Closed
            }
        }
    }

    /// Adds a middleware, or the members of a `chain`; `inside` are the chains on the way to it.
    pub(super) fn stations(
        &mut self,
        name: &str,
        inside: &mut Vec<String>,
        stations: &mut Vec<Arc<dyn Middleware>>,
    ) -> Result<(), String> {
        let config = self.config;
        let object = config.middlewares.get(name);
        let Some(Options::Chain(chain)) = object.and_then(Object::served) else {
            stations.push(self.middleware(name)?);
            return Ok(());
        };
        if inside.iter().any(|outer| outer == name) {
            return Err(format!("the chain `{name}` contains itself"));
        }
        inside.push(name.to_owned());
        for member in &chain.middlewares {
            self.stations(member, inside, stations)?;
        }
        inside.pop();
        Ok(())
    }

    fn middleware(&mut self, name: &str) -> Result<Arc<dyn Middleware>, String> {
        self.make_middleware(name);
        match self.snapshot.middlewares.find(name) {
            Some(Ok(middleware)) => Ok(Arc::clone(middleware)),
            Some(Err(_)) => Err(format!("middleware `{name}` cannot be used")),
            None if self.making.iter().any(|making| making == name) => {
                Err(format!("the middleware `{name}` needs itself"))
            }
            None if self.config.middlewares.contains_key(name) => {
                Err(format!("middleware `{name}` has an error"))
            }
            None => Err(self.missing("middleware", name, self.config.middlewares.keys())),
        }
    }

    /// What is seen of the requests that the gateway itself answers.
    fn seen_of_own(&self, name: &str, options: &EntryPoint) -> Seen {
        let metrics = self.around.metrics;
        let series = metrics.and_then(|metrics| metrics.router(name, name));
        Seen::new(options.observability, series)
    }

    /// Authorities for certificates ask by plain HTTP.
    fn acme(&self, draft: &mut Draft) {
        let name = "acme-http@internal";
        let Some(challenges) = self.around.internal.get(name) else {
            return;
        };
        for entry_point in self.around.acme {
            let options = &self.around.entry_points[entry_point];
            let route = Route {
                name: Arc::from(name),
                priority: INTERNAL_PRIORITY,
                chain: Chain::Open {
                    middlewares: Vec::new(),
                    endpoint: Arc::clone(challenges),
                },
                seen: self.seen_of_own(name, options),
                is_internal: true,
                demands: None,
            };
            let routes = draft
                .routes
                .entry((entry_point.clone(), false))
                .or_default();
            routes.push(Ranked {
                name: Arc::from(name),
                priority: match options.allow_acme_by_pass {
                    true => rule::priority(&format!("PathPrefix(`{}`)", acme::PATH)),
                    false => INTERNAL_PRIORITY,
                },
                rule: below(acme::PATH),
                target: Copied::new(Arc::new(route)),
            });
        }
    }

    /// The routers that `http.redirections` of the entry points make.
    fn redirections(&mut self, draft: &mut Draft) {
        let around = self.around;
        for (from, entry_point) in around.entry_points {
            let Some(options) = &entry_point.redirection else {
                continue;
            };
            let chain = match Redirections::new(options, around.entry_points.iter()) {
                Ok(redirections) => Chain::Open {
                    middlewares: Vec::new(),
                    endpoint: Arc::new(redirections),
                },
                Err(reason) => {
                    let message = format!("its plain requests answer 503: {reason}");
                    self.error(format!("entry point {from}"), message);
                    Chain::Closed
                }
            };
            let name = format!("{from}-to-{}@internal", options.to.trim_start_matches(':'));
            let priority = options.priority.unwrap_or(INTERNAL_PRIORITY - 1);
            let route = Route {
                name: Arc::from(name.as_str()),
                priority,
                chain,
                seen: self.seen_of_own(&name, entry_point),
                is_internal: true,
                demands: None,
            };
            let routes = draft.routes.entry((from.clone(), false)).or_default();
            routes.push(Ranked {
                name: Arc::from(name),
                priority,
                rule: below("/"),
                target: Copied::new(Arc::new(route)),
            });
        }
    }
}
