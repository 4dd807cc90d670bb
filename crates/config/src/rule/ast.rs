//! A parsed rule. `Display` writes it so that it parses to the same rule again.

use std::fmt;

use super::{HostPattern, Matcher};

/// A parsed rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// All of them match. Two or more, none of them an `And`.
    And(Vec<Rule>),
    /// One of them matches. Two or more, none of them an `Or`.
    Or(Vec<Rule>),
    /// It does not match.
    Not(Box<Rule>),
    /// One matcher.
    Match(Matcher),
}

impl Rule {
    /// Whether the rule holds when `matches` says which matchers do. Stops as soon as it knows.
    pub fn holds(&self, matches: &mut impl FnMut(&Matcher) -> bool) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.holds(matches)),
            Self::Or(members) => members.iter().any(|member| member.holds(matches)),
            Self::Not(inner) => !inner.holds(matches),
            Self::Match(matcher) => matches(matcher),
        }
    }

    /// Every matcher of the rule, from left to right, negated ones included.
    pub fn matchers(&self) -> Vec<&Matcher> {
        match self {
            Self::And(members) | Self::Or(members) => {
                members.iter().flat_map(Self::matchers).collect()
            }
            Self::Not(inner) => inner.matchers(),
            Self::Match(matcher) => vec![matcher],
        }
    }

    /// The hosts that the rule names and does not exclude: whoever serves it must be able to prove
    /// to be them.
    pub fn hosts(&self) -> Vec<&HostPattern> {
        match self {
            Self::And(members) | Self::Or(members) => {
                members.iter().flat_map(Self::hosts).collect()
            }
            Self::Match(Matcher::Host(host)) => vec![host],
            Self::Not(_) | Self::Match(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(members) => join(f, members, " && "),
            Self::Or(members) => join(f, members, " || "),
            Self::Not(inner) => {
                f.write_str("!")?;
                member(f, inner)
            }
            Self::Match(matcher) => matcher.fmt(f),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, members: &[Rule], operator: &str) -> fmt::Result {
    for (index, rule) in members.iter().enumerate() {
        if index > 0 {
            f.write_str(operator)?;
        }
        member(f, rule)?;
    }
    Ok(())
}

fn member(f: &mut fmt::Formatter<'_>, rule: &Rule) -> fmt::Result {
    match rule {
        Rule::And(_) | Rule::Or(_) => write!(f, "({rule})"),
        Rule::Not(_) | Rule::Match(_) => write!(f, "{rule}"),
    }
}
