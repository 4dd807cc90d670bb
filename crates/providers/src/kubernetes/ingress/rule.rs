//! The rule of a path: matchers, joined. The text of it is made of them and not the other way
//! round, so nothing that stands in an object is ever read as a rule.

use carnet_config::rule::{Matcher, Rule};

use super::{Path, PathType};

/// How a path of type ImplementationSpecific is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathMatcher {
    /// The whole path.
    Path,
    /// A plain prefix.
    #[default]
    PathPrefix,
    /// A regular expression.
    PathRegexp,
}

/// By the names of Traefik's matchers.
pub(super) const MATCHERS: [(&str, PathMatcher); 3] = [
    ("Path", PathMatcher::Path),
    ("PathPrefix", PathMatcher::PathPrefix),
    ("PathRegexp", PathMatcher::PathRegexp),
];

impl Path {
    /// Its rule; the error is the key, below the path's own, and what is wrong with it.
    pub(in crate::kubernetes) fn rule(
        &self,
        specific: PathMatcher,
        is_strict: bool,
    ) -> Result<Rule, (&'static str, String)> {
        let mut parts = Vec::new();
        if let Some(host) = &self.host {
            let host = Matcher::host(host).map_err(|message| ("host", message))?;
            parts.push(Rule::Match(host));
        }
        let path = match self.path.as_str() {
            // Every path; a host alone says the same.
            "" if !parts.is_empty() => None,
            "" => Some(prefix("/", false)),
            path => Some(match (self.kind, specific) {
                (PathType::Exact, _) | (PathType::ImplementationSpecific, PathMatcher::Path) => {
                    Matcher::path(path).map(Rule::Match)
                }
                (PathType::ImplementationSpecific, PathMatcher::PathRegexp) => {
                    Matcher::path_regexp(path).map(Rule::Match)
                }
                (PathType::Prefix, _) => prefix(path, is_strict),
                (PathType::ImplementationSpecific, PathMatcher::PathPrefix) => prefix(path, false),
            }),
        };
        parts.extend(path.transpose().map_err(|message| ("path", message))?);
        Ok(match <[Rule; 1]>::try_from(parts) {
            Ok([one]) => one,
            Err(parts) => Rule::And(parts),
        })
    }
}

/// What begins so; strictly, what is the path itself or below it.
fn prefix(path: &str, is_strict: bool) -> Result<Rule, String> {
    let segment = path.trim_end_matches('/');
    if !is_strict || segment.is_empty() {
        return Matcher::path_prefix(path).map(Rule::Match);
    }
    let below = format!("{segment}/");
    Ok(Rule::Or(vec![
        Rule::Match(Matcher::path(segment)?),
        Rule::Match(Matcher::path_prefix(&below)?),
    ]))
}

/// The rule of a default backend.
pub(in crate::kubernetes) fn everything() -> Option<Rule> {
    Matcher::path_prefix("/").map(Rule::Match).ok()
}
