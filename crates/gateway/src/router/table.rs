//! All routes of an entry point, best first.

use std::collections::{BTreeMap, BTreeSet};

use carnet_config::rule::{HostPattern, Matcher, Rule};

use super::{Facts, matcher};

/// A rule with its place among the others.
#[derive(Debug, Clone)]
pub(crate) struct Ranked<T> {
    /// Qualified name: decides between equal priorities.
    pub(crate) name: String,
    /// Higher is asked first.
    pub(crate) priority: i64,
    pub(crate) rule: Rule,
    /// What the rule leads to.
    pub(crate) target: T,
}

/// Routes in the order they are asked. Those that need an exact host are asked only for that host,
/// so that ten thousand hosts cost no more than one.
#[derive(Debug)]
pub(crate) struct Table<T> {
    routes: Vec<Ranked<T>>,
    /// Indices into `routes`, ascending.
    by_host: BTreeMap<String, Vec<usize>>,
    /// Indices of the routes that any host may match, ascending.
    general: Vec<usize>,
}

impl<T> Table<T> {
    pub(crate) fn new(mut routes: Vec<Ranked<T>>) -> Self {
        routes.sort_by(|a, b| (b.priority, &a.name).cmp(&(a.priority, &b.name)));
        let mut by_host: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut general = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            match exact_hosts(&route.rule) {
                Some(hosts) => {
                    for host in hosts {
                        by_host.entry(host.to_owned()).or_default().push(index);
                    }
                }
                None => general.push(index),
            }
        }
        Self {
            routes,
            by_host,
            general,
        }
    }

    /// The best route that matches.
    pub(crate) fn find(&self, facts: &Facts<'_>) -> Option<&T> {
        let exact = self.by_host.get(facts.host_name());
        let mut exact = exact.map_or(&[][..], Vec::as_slice).iter().peekable();
        let mut general = self.general.iter().peekable();
        loop {
            let index = match (exact.peek(), general.peek()) {
                (Some(e), Some(g)) if e < g => exact.next(),
                (_, Some(_)) => general.next(),
                (_, None) => exact.next(),
            }?;
            let route = &self.routes[*index];
            if route.rule.holds(&mut |m| matcher::matches(m, facts)) {
                return Some(&route.target);
            }
        }
    }

    /// The routes in the order they are asked.
    pub(crate) fn routes(&self) -> &[Ranked<T>] {
        &self.routes
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// The hosts without which the rule cannot hold; `None` when it may hold for others too.
fn exact_hosts(rule: &Rule) -> Option<BTreeSet<&str>> {
    match rule {
        Rule::Match(Matcher::Host(HostPattern::Exact(host))) => Some(BTreeSet::from([&**host])),
        Rule::Match(_) | Rule::Not(_) => None,
        Rule::And(members) => members.iter().find_map(exact_hosts),
        Rule::Or(members) => {
            let hosts: Option<Vec<_>> = members.iter().map(exact_hosts).collect();
            hosts.map(|hosts| hosts.into_iter().flatten().collect())
        }
    }
}
