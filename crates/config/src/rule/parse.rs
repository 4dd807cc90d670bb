//! Text to [`Rule`]: what the names mean and which arguments they take.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{HostPattern, Matcher, Pattern, Rule, RuleError};
use crate::nearest::suggestion;
use crate::syntax::{self, Call, Tree};
use crate::token::is_token;

const NAMES: [&str; 11] = [
    "ClientIP",
    "Header",
    "HeaderRegexp",
    "Host",
    "HostRegexp",
    "Method",
    "Path",
    "PathPrefix",
    "PathRegexp",
    "Query",
    "QueryRegexp",
];

/// Matchers of the version 2 syntax and what replaced them.
const VERSION_2: [(&str, &str); 4] = [
    ("Headers", "Header"),
    ("HeadersRegexp", "HeaderRegexp"),
    ("HostHeader", "Host"),
    ("HostSNI", "Host"),
];

/// The length of the prefix before an IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2).
const MAPPED: u8 = 96;

/// Parses a rule.
pub fn parse(text: &str) -> Result<Rule, RuleError> {
    if text.trim().is_empty() {
        return Err(RuleError::new(0, "the rule is empty"));
    }
    rule(syntax::parse(text)?)
}

fn rule(tree: Tree) -> Result<Rule, RuleError> {
    Ok(match tree {
        Tree::And(members) => Rule::And(members.into_iter().map(rule).collect::<Result<_, _>>()?),
        Tree::Or(members) => Rule::Or(members.into_iter().map(rule).collect::<Result<_, _>>()?),
        Tree::Not(inner) => Rule::Not(Box::new(rule(*inner)?)),
        Tree::Call(call) => Rule::Match(matcher(&call)?),
    })
}

fn matcher(call: &Call) -> Result<Matcher, RuleError> {
    let name = known_name(call)?;
    check_arguments(call, name)?;
    let text = |index: usize| call.arguments.get(index).map(|a| a.value.as_str());
    let first = text(0).unwrap_or_default();
    let second = text(1).unwrap_or_default();
    Ok(match name {
        "Host" => Matcher::host(first).map_err(|e| at(call, 0, e))?,
        "HostRegexp" => Matcher::HostRegexp(host_pattern(call)?),
        "Path" => Matcher::path(first).map_err(|e| at(call, 0, e))?,
        "PathPrefix" => Matcher::path_prefix(first).map_err(|e| at(call, 0, e))?,
        "PathRegexp" => Matcher::PathRegexp(pattern(call, 0)?),
        "Method" => Matcher::Method(method(first).map_err(|e| at(call, 0, e))?),
        "Header" => Matcher::Header {
            name: header_name(call)?,
            value: second.into(),
        },
        "HeaderRegexp" => Matcher::HeaderRegexp {
            name: header_name(call)?,
            pattern: pattern(call, 1)?,
        },
        "QueryRegexp" if text(1).is_some() => Matcher::QueryRegexp {
            key: first.into(),
            pattern: pattern(call, 1)?,
        },
        "Query" | "QueryRegexp" => Matcher::Query {
            key: first.into(),
            value: text(1).map(String::from),
        },
        _ => Matcher::ClientIp(range(first).map_err(|e| at(call, 0, e))?),
    })
}

/// A name is known as documented, in lower case, in upper case, and with its first letter alone
/// in upper case.
fn known_name(call: &Call) -> Result<&'static str, RuleError> {
    let written = call.name.as_str();
    let spelled = |name: &str| {
        let lower = name.to_lowercase();
        let title = lower[..1].to_uppercase() + &lower[1..];
        [name.to_string(), lower, name.to_uppercase(), title].contains(&written.to_string())
    };
    if let Some(name) = NAMES.into_iter().find(|name| spelled(name)) {
        return Ok(name);
    }
    let replaced = VERSION_2.iter().find(|(old, _)| *old == written);
    Err(RuleError::new(
        call.offset,
        match replaced {
            Some((old, new)) => {
                format!("`{old}` is no matcher of the version 3 syntax; write `{new}`")
            }
            None => format!("unknown matcher `{written}`{}", suggestion(written, NAMES)),
        },
    ))
}

fn check_arguments(call: &Call, name: &str) -> Result<(), RuleError> {
    let (least, most) = match name {
        "Header" | "HeaderRegexp" => (2, 2),
        "Query" | "QueryRegexp" => (1, 2),
        _ => (1, 1),
    };
    let given = call.arguments.len();
    if given < least || given > most {
        let wanted = match (least, most) {
            (1, 2) => "one or two arguments",
            (2, 2) => "two arguments",
            _ => "one argument",
        };
        let advice = if given > most && most == 1 {
            format!("; join several `{name}` with `||`")
        } else {
            String::new()
        };
        return Err(RuleError::new(
            call.offset,
            format!("`{name}` takes {wanted}, found {given}{advice}"),
        ));
    }
    match call.arguments.iter().position(|a| a.value.is_empty()) {
        Some(index) => Err(at(call, index, format!("an argument of `{name}` is empty"))),
        None => Ok(()),
    }
}

/// An error at an argument.
fn at(call: &Call, index: usize, message: String) -> RuleError {
    let offset = call.arguments.get(index).map_or(call.offset, |a| a.offset);
    RuleError::new(offset, message)
}

pub(super) fn host(text: &str) -> Result<HostPattern, String> {
    if !text.is_ascii() {
        return Err("a host is written in ASCII; use its `xn--` form".into());
    }
    if is_named_pattern(text) {
        return Err("named patterns are no part of the version 3 syntax; use `HostRegexp`".into());
    }
    if text == "*" {
        return Ok(HostPattern::Any);
    }
    let name = text.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let (label, exact) = match name.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') && rest.len() > 1 => (true, rest),
        _ => (false, name),
    };
    if exact.contains('*') {
        return Err(
            "`*` stands for one whole label in front, as in `*.a.test`; else use `HostRegexp`"
                .into(),
        );
    }
    Ok(if label {
        HostPattern::OneLabel(exact.into())
    } else {
        HostPattern::Exact(exact.into())
    })
}

fn host_pattern(call: &Call) -> Result<Pattern, RuleError> {
    let text = call.arguments[0].value.as_str();
    if !text.is_ascii() {
        let message = "a host is written in ASCII; use its `xn--` form";
        return Err(at(call, 0, message.into()));
    }
    pattern(call, 0)
}

fn pattern(call: &Call, index: usize) -> Result<Pattern, RuleError> {
    let text = call.arguments[index].value.as_str();
    if is_named_pattern(text) {
        let message = "named patterns are no part of the version 3 syntax; write the regular expression alone";
        return Err(at(call, index, message.into()));
    }
    Pattern::new(text).map_err(|message| at(call, index, message))
}

/// `{name:pattern}`, version 2's way.
fn is_named_pattern(text: &str) -> bool {
    text.split('{').skip(1).any(|inside| {
        inside.split_once(':').is_some_and(|(name, rest)| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            !name.is_empty() && name.chars().all(word) && rest.contains('}')
        })
    })
}

pub(super) fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("a path starts with `/`".into());
    }
    if is_named_pattern(text) {
        let message = "named patterns are no part of the version 3 syntax; use `PathRegexp`";
        return Err(message.into());
    }
    Ok(text.into())
}

fn method(text: &str) -> Result<String, String> {
    if is_token(text) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("this is no method of HTTP".into())
    }
}

fn header_name(call: &Call) -> Result<String, RuleError> {
    let text = call.arguments[0].value.as_str();
    if is_token(text) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(at(call, 0, "this is no name of a header".into()))
    }
}

/// IPv4 written as IPv6 is IPv4, as a peer's address is.
fn range(text: &str) -> Result<IpNet, String> {
    let single = text.parse::<IpAddr>().map(IpNet::from);
    let range = single
        .or_else(|_| text.parse::<IpNet>())
        .map_err(|_| "this is no IP address and no CIDR range")?;
    let length = range.prefix_len();
    let mapped = match range.addr().to_canonical() {
        IpAddr::V4(address) if length >= MAPPED => IpNet::new(address.into(), length - MAPPED).ok(),
        _ => None,
    };
    Ok(mapped.unwrap_or(range).trunc())
}
