//! `claims` against a second evaluator that is as simple as can be: it knows no parser, no paths
//! that share code with ours, and no short cuts.

use carnet_config::claims::Expression;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An expression as the naive evaluator sees it.
#[derive(Debug, Clone)]
enum Naive {
    Call(&'static str, Vec<String>, Vec<String>),
    Not(Box<Naive>),
    And(Vec<Naive>),
    Or(Vec<Naive>),
}

impl Naive {
    /// As text, with as few parentheses as the precedence of operators allows, or with many.
    fn text(&self, many: bool) -> String {
        let inner = |one: &Self| match (one, many) {
            (Self::Call(..) | Self::Not(_), false) => one.text(many),
            _ => format!("({})", one.text(many)),
        };
        match self {
            Self::Call(name, path, values) => {
                let path = path
                    .iter()
                    .map(|name| name.replace('\\', r"\\").replace('.', r"\."));
                let path = path.collect::<Vec<_>>().join(".");
                let arguments = std::iter::once(&path).chain(values);
                let quoted: Vec<_> = arguments.map(|text| format!("`{text}`")).collect();
                format!("{name}({})", quoted.join(", "))
            }
            Self::Not(one) => format!("!{}", inner(one)),
            Self::And(all) => all.iter().map(inner).collect::<Vec<_>>().join(" && "),
            Self::Or(all) => {
                let part = |one: &Self| match (one, many) {
                    (Self::And(_), false) => one.text(many),
                    _ => inner(one),
                };
                all.iter().map(part).collect::<Vec<_>>().join("||")
            }
        }
    }

    fn holds(&self, claims: &Value) -> bool {
        match self {
            Self::Not(one) => !one.holds(claims),
            Self::And(all) => !all.iter().any(|one| !one.holds(claims)),
            Self::Or(all) => all.iter().filter(|one| one.holds(claims)).count() > 0,
            Self::Call(name, path, values) => {
                let pointer: String = path
                    .iter()
                    .map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")))
                    .collect();
                match claims.pointer(&pointer) {
                    Some(claim) => judge(name, claim, values),
                    None => false,
                }
            }
        }
    }
}

/// The table of the reference, row by row.
fn judge(name: &str, claim: &Value, values: &[String]) -> bool {
    let text = match claim {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(claim.to_string()),
        _ => None,
    };
    let items: Option<Vec<String>> = claim.as_array().map(|items| {
        let plain = items.iter().map(|item| match item {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        plain.collect()
    });
    let value = values.last().unwrap();
    match name {
        "Equals" => text.as_ref() == Some(value),
        "Prefix" => text.is_some_and(|text| text.starts_with(value.as_str())),
        "Contains" => match (items, claim.as_str()) {
            (Some(items), _) => items.contains(value),
            (None, text) => text.is_some_and(|text| text.contains(value.as_str())),
        },
        "OneOf" => match (items, claim.as_str()) {
            (Some(items), _) => items.iter().any(|item| values.contains(item)),
            (None, text) => text.is_some_and(|text| values.iter().any(|value| value == text)),
        },
        "SplitContains" => claim
            .as_str()
            .is_some_and(|text| text.split(&values[0]).any(|part| part == value)),
        other => panic!("no such function: {other}"),
    }
}

/// Few names and few texts, so that expressions meet what the claims have.
const NAMES: [&str; 5] = ["a", "b", "a.b", "c\\d", "e/f"];
const TEXTS: [&str; 8] = ["a", "b", "ab", "a b", "true", "42", "-7", "é"];

fn expressions() -> impl Strategy<Value = Naive> {
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    let text = prop::sample::select(&TEXTS[..]).prop_map(str::to_owned);
    let path = vec(name, 1..3);
    let one = prop::sample::select(&["Equals", "Prefix", "Contains"][..]);
    let call = prop_oneof![
        (one, path.clone(), vec(text.clone(), 1))
            .prop_map(|(name, path, values)| Naive::Call(name, path, values)),
        (path.clone(), vec(text.clone(), 1..4))
            .prop_map(|(path, values)| Naive::Call("OneOf", path, values)),
        (path, prop::sample::select(&[" ", ",", "a"][..]), text).prop_map(
            |(path, separator, value)| {
                Naive::Call("SplitContains", path, vec![separator.to_owned(), value])
            }
        ),
    ];
    call.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Naive::Not(Box::new(one))),
            vec(inner.clone(), 2..4).prop_map(Naive::And),
            vec(inner, 2..4).prop_map(Naive::Or),
        ]
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(&TEXTS[..]).prop_map(Value::from);
    let leaf = prop_oneof![
        4 => text,
        1 => Just(json!(null)),
        1 => any::<bool>().prop_map(Value::from),
        1 => prop::sample::select(&[42_i64, -7, 0][..]).prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(prop::sample::select(&NAMES[..]), inner, 0..4).prop_map(object),
        ]
    });
    btree_map(prop::sample::select(&NAMES[..]), tree, 0..5).prop_map(object)
}

fn object(members: std::collections::BTreeMap<&str, Value>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_evaluator_never_disagrees(naive in expressions(), claims in documents(), many: bool) {
        let text = naive.text(many);
        let parsed = Expression::parse(&text).unwrap();
        prop_assert_eq!(parsed.holds(&claims), naive.holds(&claims), "{} over {}", text, claims);
    }
}
