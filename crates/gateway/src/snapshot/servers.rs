//! In a cluster servers come and go all the time, and nothing else changes: their services are made
//! anew, routes lead to these, and all the rest is the snapshot's before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_config::diagnostics::Object;
use carnet_config::routing::{Middleware, RoutingConfig, Service};

use super::compile::{Compile, Surroundings};
use super::{Chain, Route, Snapshot};
use crate::middleware::Endpoint;
use crate::shard::Copied;

/// Services in the places of those that they replace, which are known by where they lie.
type Replaced = BTreeMap<*const (), Arc<dyn Endpoint>>;

impl Snapshot {
    /// The snapshot of a configuration in which some services have become others, and nothing else
    /// is new; `None` when there is more to it, or something is wrong: then all is compiled.
    pub(super) fn with_servers(
        &self,
        config: &Arc<RoutingConfig>,
        around: &Surroundings<'_>,
    ) -> Option<Self> {
        let names = with_those_above(config, changed(&self.config, config)?);
        if config.middlewares.values().any(|one| holds(one, &names)) {
            return None;
        }
        let mut snapshot = self.clone();
        snapshot.config = Arc::clone(config);
        for name in &names {
            snapshot.services.remove(name);
            snapshot.members.remove_all(&format!("{name} "));
        }
        let mut compile = Compile {
            config,
            previous: self,
            around,
            snapshot,
            certificates: None,
            making: Vec::new(),
        };
        let mut replaced = Replaced::new();
        for name in names {
            let old = self.services.find(name)?.as_ref().ok()?;
            let new = compile.service(name, &mut Vec::new()).ok()?;
            replaced.insert(place(old), new);
        }
        let mut snapshot = compile.snapshot;
        for tables in snapshot.tables.values_mut() {
            tables.plain.lead(|route| led(route, &replaced));
            tables.tls.lead(|route| led(route, &replaced));
        }
        Some(snapshot)
    }
}

/// The names of services that have become others, where nothing else is new and none of them is, or
/// was, closed.
fn changed<'a>(old: &RoutingConfig, new: &'a RoutingConfig) -> Option<BTreeSet<&'a str>> {
    let is_all_else_same = old.services.len() == new.services.len()
        && old.routers == new.routers
        && old.middlewares == new.middlewares
        && old.servers_transports == new.servers_transports
        && old.tls == new.tls
        && old.diagnostics == new.diagnostics;
    let mut changed = BTreeSet::new();
    for ((old_name, old), (name, new)) in old.services.iter().zip(&new.services) {
        let is_sound = !old.is_closed() && !new.is_closed() && old.diagnostics == new.diagnostics;
        match old == new {
            _ if old_name != name || !is_all_else_same => return None,
            true => {}
            false if is_sound => {
                changed.insert(name.as_str());
            }
            false => return None,
        }
    }
    (!changed.is_empty()).then_some(changed)
}

/// These services, and all that are made of them.
fn with_those_above<'a>(
    config: &'a RoutingConfig,
    mut names: BTreeSet<&'a str>,
) -> BTreeSet<&'a str> {
    loop {
        let services = config.services.iter();
        let above = services
            .filter(|(name, object)| !names.contains(name.as_str()) && is_made_of(object, &names));
        let above: Vec<&str> = above.map(|(name, _)| name.as_str()).collect();
        if above.is_empty() {
            return names;
        }
        names.extend(above);
    }
}

/// Whether a middleware leads to one of these services, and is made of it.
fn holds(object: &Object<Middleware>, names: &BTreeSet<&str>) -> bool {
    match &object.value {
        Some(Middleware::Errors(errors)) => names.contains(errors.service.as_str()),
        _ => false,
    }
}

fn is_made_of(object: &Object<Service>, names: &BTreeSet<&str>) -> bool {
    match &object.value {
        None | Some(Service::LoadBalancer(_)) => false,
        Some(service) => {
            let mut service = service.clone();
            let children = service.children();
            children.iter().any(|name| names.contains(name.as_str()))
        }
    }
}

fn place(endpoint: &Arc<dyn Endpoint>) -> *const () {
    Arc::as_ptr(endpoint).cast()
}

/// The route to the service that has replaced its own.
fn led(route: &Copied<Arc<Route>>, replaced: &Replaced) -> Option<Copied<Arc<Route>>> {
    let Chain::Open {
        middlewares,
        endpoint,
    } = &route.chain
    else {
        return None;
    };
    let endpoint = replaced.get(&place(endpoint))?;
    let chain = Chain::Open {
        middlewares: middlewares.clone(),
        endpoint: Arc::clone(endpoint),
    };
    let route = Route {
        chain,
        ..Route::clone(route)
    };
    Some(Copied::new(Arc::new(route)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use carnet_config::document::parse_yaml;
    use carnet_config::install::EntryPoint;
    use carnet_config::merge::merge;
    use carnet_config::routing::{ServersTransport, read};
    use carnet_testkit::{FixedClock, SeededRandom};

    use super::super::compile;
    use super::*;
    use crate::room::Room;
    use crate::supplies::Supplies;
    use crate::token_source::Providers;

    /// Each service has these ports for servers; `both` is made of the first two.
    fn config(services: &[(&str, &[u16])]) -> Arc<RoutingConfig> {
        let mut yaml = "http:\n  services:\n".to_owned();
        yaml += "    both: {weighted: {services: [{name: s0}, {name: s1}]}}\n";
        for (name, ports) in services {
            let url = |port: &u16| format!("{{url: 'http://10.0.0.1:{port}'}}");
            let servers: Vec<_> = ports.iter().map(url).collect();
            let servers = servers.join(", ");
            yaml += &format!("    {name}: {{loadBalancer: {{servers: [{servers}]}}}}\n");
        }
        yaml += "  routers:\n";
        for name in ["both", "s0", "s1", "s2"] {
            yaml += &format!("    {name}: {{rule: Host(`{name}.test`), service: {name}}}\n");
        }
        let nodes = parse_yaml(&yaml, "test").unwrap();
        let read = read(&nodes[0]).unwrap();
        Arc::new(merge(vec![("file".to_owned(), read)]))
    }

    /// What comes of one configuration after another, and whether servers alone were new.
    fn after(
        first: &Arc<RoutingConfig>,
        second: &Arc<RoutingConfig>,
    ) -> (Snapshot, Option<Snapshot>) {
        let supplies = Supplies {
            own: crate::upstream::Own::default(),
            clock: Arc::new(FixedClock::default()),
            random: Arc::new(SeededRandom::new(1)),
            resolve: Arc::new(|_, _| None),
            providers: Arc::new(Providers::new()),
            proofs: Arc::default(),
            room: Room::of(None),
            tracer: None,
        };
        let around = Surroundings {
            supplies: &supplies,
            entry_points: &BTreeMap::from([("web".to_owned(), EntryPoint::at(":80"))]),
            servers_transport: &ServersTransport::default(),
            internal: &BTreeMap::new(),
            default_certificate: None,
            acme: &BTreeSet::new(),
            resolvers: &BTreeSet::new(),
            issued: &Arc::default(),
            metrics: None,
            routers: &BTreeMap::new(),
        };
        let before = compile(first, &Snapshot::default(), &around);
        let after = before.with_servers(second, &around);
        (before, after)
    }

    /// The servers of a service; what a route leads to.
    fn leads(snapshot: &Snapshot, router: &str) -> (Vec<String>, *const ()) {
        let table = &snapshot.tables["web"].plain;
        let route = table.targets().find(|route| &*route.name == router);
        let route = route.unwrap();
        let Chain::Open { endpoint, .. } = &route.chain else {
            panic!("{router} is closed");
        };
        let servers = endpoint.servers().into_iter().map(|server| server.url);
        (servers.collect(), place(endpoint))
    }

    #[test]
    fn new_servers_are_led_to_and_nothing_else_is_made_anew() {
        let first = config(&[("s0", &[1]), ("s1", &[2]), ("s2", &[3])]);
        let second = config(&[("s0", &[1, 4]), ("s1", &[2]), ("s2", &[3])]);
        let (before, after) = after(&first, &second);
        let after = after.unwrap();
        assert!(after.placements.is(&before.placements));
        let of = |snapshot: &Snapshot| leads(snapshot, "s0@file").0;
        assert_eq!(of(&before), ["http://10.0.0.1:1"]);
        assert_eq!(of(&after), ["http://10.0.0.1:1", "http://10.0.0.1:4"]);
        // What is made of it is another one, too; its neighbours are the same.
        for (router, is_same) in [("both@file", false), ("s1@file", true), ("s2@file", true)] {
            let same = leads(&before, router).1 == leads(&after, router).1;
            assert_eq!(same, is_same, "{router}");
        }
        // Servers that stay are those of before, with all that is known of them.
        let members = |snapshot: &Snapshot| snapshot.members().count();
        assert_eq!((members(&before), members(&after)), (3, 4));
        assert_eq!(after.describe(), before.describe());
    }

    #[test]
    fn where_more_is_new_or_wrong_all_is_compiled() {
        let first = config(&[("s0", &[1]), ("s1", &[2]), ("s2", &[3])]);
        let others = [
            config(&[("s0", &[1]), ("s1", &[2]), ("s2", &[3])]),
            config(&[("s0", &[9]), ("s1", &[2])]),
            config(&[("s0", &[9]), ("s1", &[2]), ("s2", &[3]), ("s3", &[4])]),
        ];
        for other in &others {
            assert!(after(&first, other).1.is_none());
        }
        let mut broken = RoutingConfig::clone(&config(&[("s0", &[9]), ("s1", &[2]), ("s2", &[3])]));
        broken.services.get_mut("s0@file").unwrap().value = None;
        assert!(after(&first, &Arc::new(broken)).1.is_none());
    }
}
