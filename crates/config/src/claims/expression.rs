//! ``Equals(`grp`, `admin`) && !Contains(`scp`, `write`)``.

use serde_json::Value;

use super::{ClaimPath, ExpressionError, text};
use crate::nearest::suggestion;
use crate::syntax::{self, Call, Tree};

const NAMES: [&str; 5] = ["Contains", "Equals", "OneOf", "Prefix", "SplitContains"];

/// A condition over the claims of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Test(ClaimPath, Test),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Contains(String),
    Equals(String),
    OneOf(Vec<String>),
    Prefix(String),
    SplitContains { separator: String, value: String },
}

impl Expression {
    /// Parses an expression. A blank text is an error here; who reads options treats it as unset.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.trim().is_empty() {
            return Err(ExpressionError::new(0, "the expression is empty"));
        }
        node(syntax::parse(text)?).map(Self)
    }

    /// Whether it holds for the claims of a token. A function over a claim that is missing, null
    /// or of another type is false.
    pub fn holds(&self, claims: &Value) -> bool {
        self.0.holds(claims)
    }

    /// The claims that it looks at.
    pub fn paths(&self) -> Vec<&ClaimPath> {
        let mut paths = Vec::new();
        self.0.collect(&mut paths);
        paths
    }
}

impl Node {
    fn collect<'a>(&'a self, paths: &mut Vec<&'a ClaimPath>) {
        match self {
            Self::And(members) | Self::Or(members) => {
                members.iter().for_each(|member| member.collect(paths));
            }
            Self::Not(inner) => inner.collect(paths),
            Self::Test(path, _) => paths.push(path),
        }
    }

    fn holds(&self, claims: &Value) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.holds(claims)),
            Self::Or(members) => members.iter().any(|member| member.holds(claims)),
            Self::Not(inner) => !inner.holds(claims),
            Self::Test(path, test) => path.find(claims).is_some_and(|claim| test.holds(claim)),
        }
    }
}

impl Test {
    fn holds(&self, claim: &Value) -> bool {
        match self {
            Self::Equals(value) => scalar(claim).is_some_and(|text| text == *value),
            Self::Prefix(value) => scalar(claim).is_some_and(|text| text.starts_with(value)),
            Self::Contains(value) => match claim {
                Value::String(text) => text.contains(value),
                Value::Array(items) => has(items, value),
                _ => false,
            },
            Self::SplitContains { separator, value } => claim
                .as_str()
                .is_some_and(|text| text.split(separator).any(|part| part == value)),
            Self::OneOf(values) => match claim {
                Value::Array(items) => values.iter().any(|value| has(items, value)),
                Value::String(text) => values.contains(text),
                _ => false,
            },
        }
    }
}

fn scalar(claim: &Value) -> Option<String> {
    match claim {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        _ => Some(text(claim)),
    }
}

fn has(items: &[Value], value: &str) -> bool {
    items
        .iter()
        .any(|item| scalar(item).is_some_and(|text| text == value))
}

fn node(tree: Tree) -> Result<Node, ExpressionError> {
    Ok(match tree {
        Tree::And(members) => Node::And(members.into_iter().map(node).collect::<Result<_, _>>()?),
        Tree::Or(members) => Node::Or(members.into_iter().map(node).collect::<Result<_, _>>()?),
        Tree::Not(inner) => Node::Not(Box::new(node(*inner)?)),
        Tree::Call(call) => test(&call)?,
    })
}

fn test(call: &Call) -> Result<Node, ExpressionError> {
    let (least, most) = match call.name.as_str() {
        "Equals" | "Prefix" | "Contains" => (2, 2),
        "SplitContains" => (3, 3),
        "OneOf" => (2, usize::MAX),
        other => {
            let message = format!("unknown function `{other}`{}", suggestion(other, NAMES));
            return Err(ExpressionError::new(call.offset, message));
        }
    };
    let given = call.arguments.len();
    if given < least || given > most {
        let wanted = match (least, most) {
            (2, 2) => "two arguments",
            (3, _) => "three arguments",
            _ => "two or more arguments",
        };
        let message = format!("`{}` takes {wanted}, found {given}", call.name);
        return Err(ExpressionError::new(call.offset, message));
    }
    let key = &call.arguments[0];
    let path = ClaimPath::parse(&key.value)
        .map_err(|message| ExpressionError::new(key.offset, message))?;
    let values: Vec<String> = call.arguments[1..]
        .iter()
        .map(|argument| argument.value.clone())
        .collect();
    Ok(Node::Test(path, condition(call, values)?))
}

fn condition(call: &Call, mut values: Vec<String>) -> Result<Test, ExpressionError> {
    let first = values[0].clone();
    Ok(match call.name.as_str() {
        "Equals" => Test::Equals(first),
        "Prefix" => Test::Prefix(first),
        "Contains" => Test::Contains(first),
        "SplitContains" if first.is_empty() => {
            let message = "the separator of `SplitContains` is empty";
            return Err(ExpressionError::new(call.arguments[1].offset, message));
        }
        "SplitContains" => Test::SplitContains {
            separator: first,
            value: values.swap_remove(1),
        },
        _ => Test::OneOf(values),
    })
}
