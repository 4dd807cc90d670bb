//! A line of the access log as text, its end included.

use std::collections::BTreeMap;

use carnet_config::install::observability::{FieldMode, Fields};
use serde_json::Value;

use super::fields::{self, NAMES};
use super::line::Line;

/// The Common Log Format with Traefik's additions.
pub(super) fn common(line: &Line, options: &Fields) -> String {
    let generic = generic(line, options);
    let count = plain(line, options, "RequestCount");
    let router = quoted(line, options, "RouterName");
    let server = quoted(line, options, "ServiceURL");
    let elapsed = line.exchange().elapsed().as_millis();
    format!(
        "{} {count} {router} {server} {elapsed}ms\n",
        generic.trim_end()
    )
}

/// The Common Log Format.
pub(super) fn generic(line: &Line, options: &Fields) -> String {
    let plain = |name: &str| plain(line, options, name);
    let started = fields::timestamp(line.exchange().started_at());
    let header = |name: &str| {
        let mut found = line.request.headers.iter().filter(|(n, _)| n == name);
        found
            .next()
            .map_or("\"-\"".to_owned(), |(_, value)| quote(value))
    };
    format!(
        "{} - {} [{}] \"{} {} {}\" {} {} {} {}\n",
        plain("ClientHost"),
        plain("ClientUsername"),
        started.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        plain("RequestMethod"),
        plain("RequestPath"),
        plain("RequestProtocol"),
        plain("DownstreamStatus"),
        plain("DownstreamContentSize"),
        header("Referer"),
        header("User-Agent"),
    )
}

/// An object a line, members by name.
pub(super) fn json(line: &Line, options: &Fields) -> String {
    let known = NAMES
        .iter()
        .filter_map(|name| Some((*name, shown(line, options, name)?)));
    let mut object: BTreeMap<String, Value> = known
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let all_headers = [
        ("request", &line.request.headers),
        ("downstream", &line.response_headers),
    ];
    for (side, headers) in all_headers {
        for (name, value) in headers {
            object.insert(format!("{side}_{name}"), Value::from(value.as_str()));
        }
    }
    object.insert("level".to_owned(), Value::from("info"));
    object.insert("msg".to_owned(), Value::from(""));
    let started = fields::timestamp(line.exchange().started_at());
    let time = started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    object.insert("time".to_owned(), Value::from(time));
    // A map of text and numbers always has a JSON form.
    let text = serde_json::to_string(&object).unwrap_or_default();
    text + "\n"
}

/// What the options let be seen of a field.
fn shown(line: &Line, options: &Fields, name: &str) -> Option<Value> {
    let named = options.names.iter();
    let mut named = named.filter(|(wanted, _)| name.eq_ignore_ascii_case(wanted));
    match named.next().map_or(options.default_mode, |(_, mode)| *mode) {
        FieldMode::Keep => fields::value(line, name),
        FieldMode::Drop => None,
        FieldMode::Redact => Some(Value::from("REDACTED")),
    }
}

fn plain(line: &Line, options: &Fields, name: &str) -> String {
    match shown(line, options, name) {
        Some(Value::String(text)) if !text.is_empty() => harmless(&text),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}

fn quoted(line: &Line, options: &Fields, name: &str) -> String {
    match shown(line, options, name) {
        Some(Value::String(text)) if !text.is_empty() => quote(&text),
        _ => "\"-\"".to_owned(),
    }
}

fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", harmless(&escaped))
}

/// A line stays one line, whatever a client or a token puts into it.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}
