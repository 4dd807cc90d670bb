//! The configuration that is served, as Traefik's `/api` shows it: JSON, with what is wrong and who
//! uses what. Knows options and findings; refuses to know requests. Each file is one kind of object.
//! Secrets are left out by listing what is shown, never by listing what is not.

use std::collections::{BTreeMap, BTreeSet};

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::Router;
use serde_json::{Map, Value, json};
use url::Url;

use crate::snapshot::Snapshot;

pub(super) mod entry_point;
mod middleware;
mod router;
mod service;

/// Objects by name.
pub(super) type Objects = BTreeMap<String, Map<String, Value>>;

/// What is served.
#[derive(Debug)]
pub(super) struct Runtime {
    pub(super) routers: Objects,
    pub(super) services: Objects,
    pub(super) middlewares: Objects,
}

/// The gateway's own routers and services.
#[derive(Debug)]
pub(super) struct Own<'a> {
    pub(super) routers: &'a BTreeMap<String, Object<Router>>,
    pub(super) services: &'a [String],
}

impl Runtime {
    pub(super) fn of(snapshot: &Snapshot, own: &Own<'_>) -> Self {
        let findings = Findings::of(snapshot);
        let config = snapshot.config();
        let all_routers = || config.routers.iter().chain(own.routers);
        let users = |named: &dyn Fn(&Router) -> Vec<String>| {
            let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (name, object) in all_routers() {
                for used in object.value.iter().flat_map(named) {
                    users.entry(used).or_default().insert(name.clone());
                }
            }
            users
        };
        let of_services = users(&|router| vec![router.service.clone()]);
        let of_middlewares = users(&|router| router.middlewares.clone());
        let routers = all_routers().map(|(name, object)| {
            let mut shown = router::shown(object.value.as_ref());
            findings.tell(&mut shown, "router", name, &object.diagnostics);
            (name.clone(), shown)
        });
        let services = config.services.iter().map(|(name, object)| {
            let mut shown = service::shown(object.value.as_ref());
            let served = snapshot.service(name);
            let servers = served.map(|service| service.servers());
            service::servers(&mut shown, &servers.unwrap_or_default());
            findings.tell(&mut shown, "service", name, &object.diagnostics);
            use_by(&mut shown, of_services.get(name));
            (name.clone(), shown)
        });
        let own_services = own.services.iter().map(|name| {
            let mut shown = Map::new();
            findings.tell(&mut shown, "service", name, &[]);
            use_by(&mut shown, of_services.get(name));
            (name.clone(), shown)
        });
        let middlewares = config.middlewares.iter().map(|(name, object)| {
            let mut shown = middleware::shown(object.value.as_ref());
            findings.tell(&mut shown, "middleware", name, &object.diagnostics);
            use_by(&mut shown, of_middlewares.get(name));
            (name.clone(), shown)
        });
        Self {
            routers: routers.collect(),
            services: services.chain(own_services).collect(),
            middlewares: middlewares.collect(),
        }
    }
}

/// What compiling found, by the object it is about.
struct Findings<'a>(BTreeMap<&'a str, Vec<&'a Diagnostic>>);

impl<'a> Findings<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let mut by_object: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for finding in snapshot.diagnostics() {
            by_object
                .entry(finding.object.as_str())
                .or_default()
                .push(finding);
        }
        Self(by_object)
    }

    /// Writes what was found about an object, by its readers and by compiling, and its status.
    fn tell(&self, shown: &mut Map<String, Value>, noun: &str, name: &str, read: &[Diagnostic]) {
        let compiled = self.0.get(format!("{noun} {name}").as_str());
        let compiled = compiled.into_iter().flatten().copied();
        let mut all: Vec<&Diagnostic> = read.iter().chain(compiled).collect();
        all.sort();
        all.dedup();
        let worst = all.iter().map(|finding| finding.severity).max();
        let sentence = |finding: &&Diagnostic| match finding.key.as_str() {
            "" => finding.message.clone(),
            key => format!("{key}: {}", finding.message),
        };
        if !all.is_empty() {
            let sentences: Vec<String> = all.iter().map(sentence).collect();
            shown.insert("error".to_owned(), json!(sentences));
        }
        let status = match worst {
            Some(Severity::Error) => "disabled",
            Some(Severity::Warning) => "warning",
            None => "enabled",
        };
        shown.insert("status".to_owned(), json!(status));
    }
}

fn use_by(shown: &mut Map<String, Value>, users: Option<&BTreeSet<String>>) {
    if let Some(users) = users {
        shown.insert("usedBy".to_owned(), json!(users));
    }
}

/// A URL without what may be a secret.
fn plain(url: &Url) -> String {
    let mut url = url.clone();
    // Fails for URLs that have no host, and no credentials therefore.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string().trim_end_matches('/').to_owned()
}
