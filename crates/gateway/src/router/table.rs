//! All routes of an entry point, best first.

use std::collections::BTreeMap;
use std::sync::Arc;

use carnet_config::rule::{HostPattern, Matcher, Rule};

use super::prefixes::Prefixes;
use super::{Facts, matcher};

/// A rule with its place among the others.
#[derive(Debug)]
pub(crate) struct Ranked<T> {
    /// Qualified name: decides between equal priorities.
    pub(crate) name: Arc<str>,
    /// Higher is asked first.
    pub(crate) priority: i64,
    pub(crate) rule: Arc<Rule>,
    /// What the rule leads to.
    pub(crate) target: T,
}

/// Routes in the order they are asked. Those that need a host or the beginning of a path are asked
/// only where it is there, so that ten thousand of them cost no more than one.
#[derive(Debug)]
pub(crate) struct Table<T> {
    order: Arc<Order>,
    /// What the rules lead to, each at the place of its rule.
    targets: Vec<Arc<T>>,
}

/// All but where rules lead to, which changes more often.
#[derive(Debug)]
struct Order {
    rules: Vec<Arc<Rule>>,
    by_host: BTreeMap<String, Prefixes>,
    /// By what follows the first label of a host: `.a.test`.
    by_domain: BTreeMap<String, Prefixes>,
    /// Routes that any host may match.
    general: Prefixes,
}

impl<T> Table<T> {
    pub(crate) fn new(mut routes: Vec<Ranked<T>>) -> Self {
        routes.sort_by(|a, b| (b.priority, &a.name).cmp(&(a.priority, &b.name)));
        let rules: Vec<_> = routes.iter().map(|route| Arc::clone(&route.rule)).collect();
        let mut by_host: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut by_domain: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        let mut general = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let entry = || (index, needed(rule, &path));
            let Some(hosts) = needed(rule, &host) else {
                general.push(entry());
                continue;
            };
            for host in hosts {
                match host {
                    Host::Name(name) => by_host.entry(name).or_default().push(entry()),
                    Host::Domain(domain) => by_domain.entry(domain).or_default().push(entry()),
                }
            }
        }
        let indexed = |routes: BTreeMap<&str, _>| {
            let indexed = |(name, routes): (&str, _)| (name.to_owned(), Prefixes::new(routes));
            routes.into_iter().map(indexed).collect()
        };
        let order = Order {
            by_host: indexed(by_host),
            by_domain: indexed(by_domain),
            general: Prefixes::new(general),
            rules,
        };
        Self {
            order: Arc::new(order),
            targets: routes
                .into_iter()
                .map(|route| Arc::new(route.target))
                .collect(),
        }
    }

    /// Puts others in the places of the targets for which there are some.
    pub(crate) fn lead(&mut self, elsewhere: impl Fn(&T) -> Option<T>) {
        for target in &mut self.targets {
            if let Some(other) = elsewhere(target) {
                *target = Arc::new(other);
            }
        }
    }

    /// The best route that matches.
    pub(crate) fn find(&self, facts: &Facts<'_>) -> Option<&T> {
        let mut candidates = self.candidates(facts);
        candidates
            .find(|(rule, _)| rule.holds(&mut |m| matcher::matches(m, facts)))
            .map(|(_, target)| target)
    }

    /// The routes that are asked, best first, until one matches.
    pub(super) fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = (&Rule, &T)> {
        let host = facts.host_name();
        let order = &*self.order;
        let domain = host
            .find('.')
            .and_then(|dot| order.by_domain.get(&host[dot..]));
        let indices = [order.by_host.get(host), domain, Some(&order.general)];
        let matching = indices.map(|index| index.map(|index| index.matching(&facts.path)));
        let mut from = 0;
        std::iter::from_fn(move || {
            let next = matching.iter().flatten();
            let next = next.filter_map(|matching| matching.next(from)).min()?;
            from = next + 1;
            Some((&*order.rules[next], &*self.targets[next]))
        })
    }

    /// What the routes lead to, in the order they are asked.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &T> {
        self.targets.iter().map(|target| &**target)
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self {
            order: Arc::clone(&self.order),
            targets: self.targets.clone(),
        }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// A host that a rule needs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Host<'a> {
    Name(&'a str),
    Domain(&'a str),
}

fn host(matcher: &Matcher) -> Option<Host<'_>> {
    match matcher {
        Matcher::Host(HostPattern::Exact(name)) => Some(Host::Name(name)),
        Matcher::Host(HostPattern::OneLabel(domain)) => Some(Host::Domain(domain)),
        _ => None,
    }
}

/// What a path must begin with.
fn path(matcher: &Matcher) -> Option<&str> {
    match matcher {
        Matcher::Path(path) | Matcher::PathPrefix(path) => Some(path),
        _ => None,
    }
}

/// What a rule needs one of to hold, each once, of the kind that `of` sees in a matcher; `None`
/// when it may hold without.
fn needed<'a, K: Ord>(rule: &'a Rule, of: &impl Fn(&'a Matcher) -> Option<K>) -> Option<Vec<K>> {
    match rule {
        Rule::Match(matcher) => of(matcher).map(|key| vec![key]),
        Rule::Not(_) => None,
        Rule::And(members) => members.iter().find_map(|member| needed(member, of)),
        Rule::Or(members) => {
            let members = members.iter().map(|member| needed(member, of));
            let keys: Option<Vec<_>> = members.collect();
            keys.map(|keys| {
                let mut keys: Vec<_> = keys.into_iter().flatten().collect();
                keys.sort();
                keys.dedup();
                keys
            })
        }
    }
}
