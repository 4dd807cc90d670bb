//! Functions of templates: the everyday part of sprig, which Traefik offers, with sprig's order of
//! arguments (the piped value comes last), and Traefik's own `split` and `normalize`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use carnet_config::nearest::suggestion;
use gotmpl::{Result, Template, TemplateError, Value};

use crate::names;

/// Greatest length that a function may make of a text, in bytes.
const MAX_TEXT: usize = 1 << 20;

type Function = fn(&[Value]) -> Result<Value>;

/// Name, fewest and most arguments, function.
const FUNCTIONS: &[(&str, usize, usize, Function)] = &[
    ("add", 1, 64, |a| fold(a, i64::checked_add)),
    ("append", 2, 2, |a| {
        Ok([items(&a[0]), vec![a[1].clone()]].concat().into())
    }),
    ("atoi", 1, 1, |a| Ok(Value::Int(int(&a[0]).unwrap_or(0)))),
    ("b64dec", 1, 1, |a| decode(&text(&a[0]))),
    ("b64enc", 1, 1, |a| Ok(STANDARD.encode(text(&a[0])).into())),
    ("coalesce", 1, 64, |a| {
        Ok(a.iter()
            .find(|v| v.is_truthy())
            .cloned()
            .unwrap_or(Value::Nil))
    }),
    ("contains", 2, 2, |a| {
        Ok(Value::Bool(text(&a[1]).contains(&text(&a[0]))))
    }),
    ("default", 1, 2, |a| {
        Ok(a.get(1).filter(|v| v.is_truthy()).unwrap_or(&a[0]).clone())
    }),
    ("empty", 1, 1, |a| Ok(Value::Bool(!a[0].is_truthy()))),
    ("first", 1, 1, |a| {
        Ok(items(&a[0]).into_iter().next().unwrap_or(Value::Nil))
    }),
    ("has", 2, 2, |a| {
        let wanted = text(&a[0]);
        Ok(Value::Bool(
            items(&a[1]).iter().any(|item| text(item) == wanted),
        ))
    }),
    ("hasPrefix", 2, 2, |a| {
        Ok(Value::Bool(text(&a[1]).starts_with(&text(&a[0]))))
    }),
    ("hasSuffix", 2, 2, |a| {
        Ok(Value::Bool(text(&a[1]).ends_with(&text(&a[0]))))
    }),
    ("indent", 2, 2, |a| indent(a, "")),
    ("int", 1, 1, |a| Ok(Value::Int(int(&a[0]).unwrap_or(0)))),
    ("join", 2, 2, join),
    ("last", 1, 1, |a| {
        Ok(items(&a[0]).pop().unwrap_or(Value::Nil))
    }),
    ("list", 0, 64, |a| Ok(a.to_vec().into())),
    ("lower", 1, 1, |a| Ok(text(&a[0]).to_lowercase().into())),
    ("mul", 1, 64, |a| fold(a, i64::checked_mul)),
    ("nindent", 2, 2, |a| indent(a, "\n")),
    ("normalize", 1, 1, |a| {
        Ok(names::normalize(&text(&a[0])).into())
    }),
    ("quote", 1, 64, |a| {
        Ok(quoted(a, |t| format!("{t:?}")).into())
    }),
    ("repeat", 2, 2, repeat),
    ("replace", 3, 3, |a| {
        bounded(text(&a[2]).replace(&text(&a[0]), &text(&a[1])))
    }),
    ("rest", 1, 1, |a| {
        Ok(items(&a[0]).into_iter().skip(1).collect::<Vec<_>>().into())
    }),
    ("reverse", 1, 1, |a| {
        Ok(items(&a[0]).into_iter().rev().collect::<Vec<_>>().into())
    }),
    ("sortAlpha", 1, 1, |a| {
        let mut texts: Vec<String> = items(&a[0]).iter().map(text).collect();
        texts.sort();
        Ok(texts
            .into_iter()
            .map(Value::from)
            .collect::<Vec<_>>()
            .into())
    }),
    ("split", 2, 2, |a| Ok(pieces(&text(&a[0]), &text(&a[1])))),
    ("splitList", 2, 2, |a| {
        Ok(pieces(&text(&a[1]), &text(&a[0])))
    }),
    ("squote", 1, 64, |a| {
        Ok(quoted(a, |t| format!("'{t}'")).into())
    }),
    ("sub", 2, 2, |a| fold(a, i64::checked_sub)),
    ("ternary", 3, 3, |a| {
        Ok(a[usize::from(!a[2].is_truthy())].clone())
    }),
    ("toString", 1, 1, |a| Ok(text(&a[0]).into())),
    ("trim", 1, 1, |a| Ok(text(&a[0]).trim().into())),
    ("trimPrefix", 2, 2, |a| {
        let whole = text(&a[1]);
        Ok(whole.strip_prefix(&text(&a[0])).unwrap_or(&whole).into())
    }),
    ("trimSuffix", 2, 2, |a| {
        let whole = text(&a[1]);
        Ok(whole.strip_suffix(&text(&a[0])).unwrap_or(&whole).into())
    }),
    ("uniq", 1, 1, uniq),
    ("until", 1, 1, |a| {
        let end = int(&a[0]).unwrap_or(0).min(100_000);
        Ok((0..end).map(Value::Int).collect::<Vec<_>>().into())
    }),
    ("upper", 1, 1, |a| Ok(text(&a[0]).to_uppercase().into())),
];

/// Adds every function to a template.
pub(super) fn register(template: Template, env: &Arc<BTreeMap<String, String>>) -> Template {
    let (variables, expanded) = (Arc::clone(env), Arc::clone(env));
    let template = add(template, "env", 1..=1, move |a| {
        Ok(variable(&variables, &text(&a[0])).into())
    });
    let template = add(template, "expandenv", 1..=1, move |a| {
        bounded(expand(&text(&a[0]), &expanded))
    });
    FUNCTIONS
        .iter()
        .fold(template, |template, &(name, fewest, most, function)| {
            add(template, name, fewest..=most, function)
        })
}

/// A sentence about a function that does not exist.
pub(super) fn unknown(name: &str) -> String {
    let known = FUNCTIONS.iter().map(|(name, ..)| *name);
    let suggestion = suggestion(name, known.chain(["env", "expandenv"]));
    format!("function `{name}` is not known{suggestion}")
}

fn add(
    template: Template,
    name: &'static str,
    arity: RangeInclusive<usize>,
    function: impl Fn(&[Value]) -> Result<Value> + Send + Sync + 'static,
) -> Template {
    template.func(name, move |args| {
        if arity.contains(&args.len()) {
            return function(args).map_err(|error| match error {
                TemplateError::Exec(message) => TemplateError::Exec(format!("{name}: {message}")),
                other => other,
            });
        }
        Err(TemplateError::ArgCount {
            name: name.to_owned(),
            expected: *arity.start(),
            got: args.len(),
        })
    })
}

fn variable(env: &BTreeMap<String, String>, name: &str) -> String {
    env.get(name).cloned().unwrap_or_default()
}

/// `$NAME` and `${NAME}`, as Go's `os.ExpandEnv` reads them.
fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some((name, tail)) = after.strip_prefix('{').and_then(|t| t.split_once('}')) {
            expanded.push_str(&variable(env, name));
            rest = tail;
            continue;
        }
        let end = after
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        expanded.push_str(if name.is_empty() { "$" } else { "" });
        expanded.push_str(&variable(env, name));
        rest = tail;
    }
    expanded + rest
}

fn text(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        other => other.to_string(),
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Bool(truth) => Some(i64::from(*truth)),
        other => other.as_int(),
    }
}

fn fold(args: &[Value], step: fn(i64, i64) -> Option<i64>) -> Result<Value> {
    args.iter()
        .map(|value| int(value).unwrap_or(0))
        .map(Some)
        .reduce(|sum, next| step(sum?, next?))
        .flatten()
        .map(Value::Int)
        .ok_or_else(|| TemplateError::Exec("the result is too large".to_owned()))
}

/// The items of a list; anything else is a list of itself, nothing is an empty one.
fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        Value::Nil => Vec::new(),
        other => vec![other.clone()],
    }
}

/// The first of those that are written alike.
fn uniq(args: &[Value]) -> Result<Value> {
    let mut seen = BTreeSet::new();
    let mut unique = items(&args[0]);
    unique.retain(|item| seen.insert(text(item)));
    Ok(unique.into())
}

fn join(args: &[Value]) -> Result<Value> {
    let texts: Vec<String> = items(&args[1]).iter().map(text).collect();
    bounded(texts.join(&text(&args[0])))
}

fn pieces(whole: &str, separator: &str) -> Value {
    let pieces = whole.split(separator).map(Value::from);
    pieces.collect::<Vec<_>>().into()
}

fn quoted(args: &[Value], quote: fn(String) -> String) -> String {
    let quoted: Vec<String> = args.iter().map(|value| quote(text(value))).collect();
    quoted.join(" ")
}

fn indent(args: &[Value], before: &str) -> Result<Value> {
    let width = int(&args[0]).and_then(|width| usize::try_from(width).ok());
    let margin = " ".repeat(width.unwrap_or(0).min(80));
    let lines = text(&args[1]).replace('\n', &format!("\n{margin}"));
    bounded(format!("{before}{margin}{lines}"))
}

fn repeat(args: &[Value]) -> Result<Value> {
    let piece = text(&args[1]);
    let times = int(&args[0]).and_then(|times| usize::try_from(times).ok());
    let times = times.unwrap_or(0);
    if times.saturating_mul(piece.len()) > MAX_TEXT {
        return Err(too_long());
    }
    Ok(piece.repeat(times).into())
}

fn decode(encoded: &str) -> Result<Value> {
    STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Value::from)
        .ok_or_else(|| TemplateError::Exec("this is no base64 of a text".to_owned()))
}

fn bounded(text: String) -> Result<Value> {
    if text.len() > MAX_TEXT {
        return Err(too_long());
    }
    Ok(text.into())
}

fn too_long() -> TemplateError {
    TemplateError::Exec(format!("a text would be longer than {MAX_TEXT} bytes"))
}
