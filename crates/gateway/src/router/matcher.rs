//! One condition of a rule against one request.

use carnet_config::rule::Matcher;
use http::header::HOST;

use super::Facts;

/// Whether the condition holds.
pub(super) fn matches(matcher: &Matcher, facts: &Facts<'_>) -> bool {
    match matcher {
        Matcher::Host(pattern) => pattern.matches(facts.host_name()),
        Matcher::HostRegexp(pattern) => pattern.is_match(&facts.host),
        Matcher::Path(path) => *path == facts.path,
        Matcher::PathPrefix(prefix) => facts.path.starts_with(prefix.as_str()),
        Matcher::PathRegexp(pattern) => pattern.is_match(&facts.path),
        Matcher::Method(method) => *method == facts.method.as_str(),
        Matcher::Header { name, value } => {
            values(facts, name).any(|candidate| candidate == value.as_bytes())
        }
        Matcher::HeaderRegexp { name, pattern } => values(facts, name)
            .any(|candidate| pattern.is_match(&String::from_utf8_lossy(candidate))),
        Matcher::Query { key, value } => {
            let wanted = value.as_deref().unwrap_or_default();
            parameters(facts, key).any(|candidate| candidate == wanted)
        }
        Matcher::QueryRegexp { key, pattern } => {
            parameters(facts, key).any(|candidate| pattern.is_match(candidate))
        }
        Matcher::ClientIp(range) => range.contains(&facts.peer),
    }
}

/// Every value of a header. `Host` is none of them, as in Go.
fn values<'a>(facts: &'a Facts<'_>, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let values = (name != HOST).then(|| facts.headers.get_all(name).iter());
    values.into_iter().flatten().map(|value| value.as_bytes())
}

fn parameters<'a>(facts: &'a Facts<'_>, key: &str) -> impl Iterator<Item = &'a str> {
    let pairs = facts.query().iter();
    pairs.filter_map(move |(name, value)| (name == key).then_some(value.as_str()))
}
