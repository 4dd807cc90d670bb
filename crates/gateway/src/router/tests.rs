//! The table against the plainest reading of the rules: every route is asked, the best that matches
//! wins. Requests and rules are drawn from few words, so that they meet.

use carnet_config::rule::{parse, priority};
use proptest::prelude::*;

use super::{Facts, Ranked, Table};

/// A rule as it is drawn, before it is text.
#[derive(Debug, Clone)]
enum Drawn {
    Host(String),
    AnyLabel(String),
    Path(String),
    PathPrefix(String),
    Method(&'static str),
    Header(&'static str),
    Query(&'static str),
    Not(Box<Drawn>),
    And(Vec<Drawn>),
    Or(Vec<Drawn>),
}

/// A request as it is drawn.
#[derive(Debug, Clone)]
struct Asked {
    host: String,
    path: String,
    method: &'static str,
    header: &'static str,
    query: &'static str,
}

impl Drawn {
    fn text(&self) -> String {
        let joined = |members: &[Self], operator: &str| {
            let members: Vec<_> = members.iter().map(|m| format!("({})", m.text())).collect();
            members.join(operator)
        };
        match self {
            Self::Host(host) => format!("Host(`{host}`)"),
            Self::AnyLabel(domain) => format!("Host(`*.{domain}`)"),
            Self::Path(path) => format!("Path(`{path}`)"),
            Self::PathPrefix(path) => format!("PathPrefix(`{path}`)"),
            Self::Method(method) => format!("Method(`{method}`)"),
            Self::Header(value) => format!("Header(`X-A`, `{value}`)"),
            Self::Query(value) => format!("Query(`q`, `{value}`)"),
            Self::Not(inner) => format!("!({})", inner.text()),
            Self::And(members) => joined(members, " && "),
            Self::Or(members) => joined(members, " || "),
        }
    }

    fn holds(&self, asked: &Asked) -> bool {
        let host = asked
            .host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        match self {
            Self::Host(name) => host == *name,
            Self::AnyLabel(domain) => host.split_once('.').is_some_and(|(_, rest)| rest == domain),
            Self::Path(path) => asked.path == *path,
            Self::PathPrefix(path) => asked.path.starts_with(path),
            Self::Method(method) => asked.method == *method,
            Self::Header(value) => asked.header == *value,
            Self::Query(value) => asked.query == *value,
            Self::Not(inner) => !inner.holds(asked),
            Self::And(members) => members.iter().all(|member| member.holds(asked)),
            Self::Or(members) => members.iter().any(|member| member.holds(asked)),
        }
    }
}

fn path() -> impl Strategy<Value = String> {
    "(/[ab]{1,2}){1,2}"
}

fn rules() -> impl Strategy<Value = Drawn> {
    let leaf = prop_oneof![
        4 => "[ab]\\.[xy]".prop_map(Drawn::Host),
        1 => "[xy]".prop_map(Drawn::AnyLabel),
        1 => path().prop_map(Drawn::Path),
        2 => path().prop_map(Drawn::PathPrefix),
        1 => prop_oneof![Just("GET"), Just("POST")].prop_map(Drawn::Method),
        1 => prop_oneof![Just("1"), Just("2")].prop_map(Drawn::Header),
        1 => prop_oneof![Just("1"), Just("2")].prop_map(Drawn::Query),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|rule| Drawn::Not(Box::new(rule))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Drawn::And),
            prop::collection::vec(inner, 2..4).prop_map(Drawn::Or),
        ]
    })
}

fn requests() -> impl Strategy<Value = Asked> {
    let host = "[abAB]\\.[xy](:80)?";
    let method = prop_oneof![Just("GET"), Just("POST")];
    let value = || prop_oneof![Just("1"), Just("2"), Just("3")];
    (host, path(), method, value(), value()).prop_map(|(host, path, method, header, query)| Asked {
        host,
        path,
        method,
        header,
        query,
    })
}

/// Index of the best rule that holds, asked of all.
fn plainly(rules: &[(Drawn, i64)], asked: &Asked) -> Option<usize> {
    let holding = rules
        .iter()
        .enumerate()
        .filter(|(_, (rule, _))| rule.holds(asked));
    let best = holding.min_by_key(|(index, (_, rank))| (-rank, format!("{index:03}")));
    best.map(|(index, _)| index)
}

proptest! {
    #[test]
    fn the_table_finds_what_asking_every_rule_finds(
        drawn in prop::collection::vec((rules(), prop::option::of(-3i64..30)), 1..12),
        asked in prop::collection::vec(requests(), 8),
    ) {
        let ranked: Vec<_> = drawn
            .into_iter()
            .map(|(rule, rank)| {
                let rank = rank.unwrap_or_else(|| priority(&rule.text()));
                (rule, rank)
            })
            .collect();
        let routes = ranked.iter().enumerate().map(|(index, (rule, rank))| Ranked {
            name: format!("{index:03}").into(),
            priority: *rank,
            rule: parse(&rule.text()).unwrap().into(),
            target: index,
        });
        let table = Table::new(routes.collect());
        for asked in asked {
            let request = http::Request::builder()
                .method(asked.method)
                .uri(format!("{}?q={}", asked.path, asked.query))
                .header("x-a", asked.header)
                .body(())
                .unwrap();
            let peer = std::net::Ipv4Addr::LOCALHOST.into();
            let facts = Facts::new(&request, &asked.host, peer);
            prop_assert_eq!(table.find(&facts).copied(), plainly(&ranked, &asked));
        }
    }
}

/// Half of the routes by their hosts, half by prefixes on all hosts or on one.
fn many(count: usize) -> Table<usize> {
    let rule = |index: usize| match index % 4 {
        0 => format!("Host(`h{index}.test`)"),
        1 => format!("PathPrefix(`/p{index}/`)"),
        2 => format!("Host(`*.d{index}.test`)"),
        _ => format!("Host(`one.test`) && (PathPrefix(`/p{index}/`) || Path(`/x{index}/`))"),
    };
    let route = |index: usize| Ranked {
        name: index.to_string().into(),
        priority: priority(&rule(index)),
        rule: parse(&rule(index)).unwrap().into(),
        target: index,
    };
    Table::new((0..count).map(route).collect())
}

#[test]
fn of_ten_thousand_routes_only_those_that_may_match_are_asked() {
    let table = many(10_000);
    for (host, path, found) in [
        ("h4000.test", "/", 4000),
        ("other.test", "/p4001/x", 4001),
        ("a.d4002.test", "/p4002/", 4002),
        ("one.test", "/p4003/x", 4003),
        ("one.test", "/x9999/", 9999),
    ] {
        let request = http::Request::builder().uri(path).body(()).unwrap();
        let facts = Facts::new(&request, host, std::net::Ipv4Addr::LOCALHOST.into());
        assert_eq!(table.find(&facts), Some(&found), "{host}{path}");
        assert_eq!(table.candidates(&facts).count(), 1, "{host}{path}");
    }
}
