//! The matchers of a rule, with their arguments checked and compiled.

use std::fmt;

use ipnet::IpNet;

use super::{Pattern, parse};
use crate::syntax::quote;

/// One condition on a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// ``Host(`a.test`)``: the host without port and trailing dot, lower case.
    Host(HostPattern),
    /// ``HostRegexp(`re`)``: unanchored, on the lower-case host.
    HostRegexp(Pattern),
    /// ``Path(`/a`)``: the whole routing path.
    Path(String),
    /// ``PathPrefix(`/a`)``: a plain prefix, `/a` matches `/ab`.
    PathPrefix(String),
    /// ``PathRegexp(`re`)``: unanchored.
    PathRegexp(Pattern),
    /// ``Method(`GET`)``: upper case.
    Method(String),
    /// ``Header(`name`, `value`)``: one of its values is exactly this one.
    Header {
        /// Lower case.
        name: String,
        /// Compared byte for byte.
        value: String,
    },
    /// ``HeaderRegexp(`name`, `re`)``: one of its values matches.
    HeaderRegexp {
        /// Lower case.
        name: String,
        /// Unanchored.
        pattern: Pattern,
    },
    /// ``Query(`key`)`` or ``Query(`key`, `value`)``: one of its values is exactly this one.
    Query {
        /// Name of the parameter.
        key: String,
        /// `None`: present with an empty value (`?key`, `?key=`).
        value: Option<String>,
    },
    /// ``QueryRegexp(`key`, `re`)``: one of its values matches.
    QueryRegexp {
        /// Name of the parameter.
        key: String,
        /// Unanchored.
        pattern: Pattern,
    },
    /// ``ClientIP(`10.0.0.0/8`)``: the address of the TCP peer.
    ClientIp(IpNet),
}

/// The argument of `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`.
    Any,
    /// A name, lower case, without trailing dot.
    Exact(String),
    /// `*.a.test`, kept as `.a.test`: exactly one label in front of it.
    OneLabel(String),
}

/// Matchers made of texts that are no rules, such as the host of an Ingress: nothing that stands in
/// them is syntax.
impl Matcher {
    /// `Host` of a name or a pattern.
    ///
    /// # Errors
    /// What is wrong with the text, in a sentence.
    pub fn host(text: &str) -> Result<Self, String> {
        parse::host(text).map(Self::Host)
    }

    /// `Path`.
    ///
    /// # Errors
    /// What is wrong with the text, in a sentence.
    pub fn path(text: &str) -> Result<Self, String> {
        parse::path(text).map(Self::Path)
    }

    /// `PathPrefix`.
    ///
    /// # Errors
    /// What is wrong with the text, in a sentence.
    pub fn path_prefix(text: &str) -> Result<Self, String> {
        parse::path(text).map(Self::PathPrefix)
    }

    /// `PathRegexp`.
    ///
    /// # Errors
    /// What is wrong with the text, in a sentence.
    pub fn path_regexp(text: &str) -> Result<Self, String> {
        Pattern::new(text).map(Self::PathRegexp)
    }
}

impl HostPattern {
    /// Whether it matches a host that is lower case, without port and trailing dot.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name == host,
            Self::OneLabel(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(name) => f.write_str(name),
            Self::OneLabel(suffix) => write!(f, "*{suffix}"),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => call(f, "Host", &[&host.to_string()]),
            Self::HostRegexp(pattern) => call(f, "HostRegexp", &[pattern.as_str()]),
            Self::Path(path) => call(f, "Path", &[path]),
            Self::PathPrefix(prefix) => call(f, "PathPrefix", &[prefix]),
            Self::PathRegexp(pattern) => call(f, "PathRegexp", &[pattern.as_str()]),
            Self::Method(method) => call(f, "Method", &[method]),
            Self::Header { name, value } => call(f, "Header", &[name, value]),
            Self::HeaderRegexp { name, pattern } => {
                call(f, "HeaderRegexp", &[name, pattern.as_str()])
            }
            Self::Query { key, value: None } => call(f, "Query", &[key]),
            Self::Query {
                key,
                value: Some(value),
            } => call(f, "Query", &[key, value]),
            Self::QueryRegexp { key, pattern } => call(f, "QueryRegexp", &[key, pattern.as_str()]),
            Self::ClientIp(range) => call(f, "ClientIP", &[&range.to_string()]),
        }
    }
}

fn call(f: &mut fmt::Formatter<'_>, name: &str, arguments: &[&str]) -> fmt::Result {
    let arguments: Vec<String> = arguments.iter().map(|value| quote(value)).collect();
    write!(f, "{name}({})", arguments.join(", "))
}
