//! A line of the access log as text, its end included.

use std::collections::BTreeMap;

use carnet_config::install::observability::{FieldMode, Fields};
use serde_json::Value;

use super::fields::{self, Ended, NAMES};

/// The Common Log Format with Traefik's additions.
pub(super) fn common(ended: &Ended<'_>, options: &Fields) -> String {
    let generic = generic(ended, options);
    let count = plain(ended, options, "RequestCount");
    let router = quoted(ended, options, "RouterName");
    let server = quoted(ended, options, "ServiceURL");
    let elapsed = ended.total.as_millis();
    format!(
        "{} {count} {router} {server} {elapsed}ms\n",
        generic.trim_end()
    )
}

/// The Common Log Format.
pub(super) fn generic(ended: &Ended<'_>, options: &Fields) -> String {
    let plain = |name: &str| plain(ended, options, name);
    let started = fields::timestamp(ended.line.exchange().started_at());
    let header = |name: &str| {
        let mut found = ended.line.request.headers.iter().filter(|(n, _)| n == name);
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
pub(super) fn json(ended: &Ended<'_>, options: &Fields) -> String {
    let known = NAMES
        .iter()
        .filter_map(|name| Some((*name, shown(ended, options, name)?)));
    let mut object: BTreeMap<String, Value> = known
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let all_headers = [
        ("request", &ended.line.request.headers),
        ("origin", &ended.line.origin_headers),
        ("downstream", &ended.line.response_headers),
    ];
    for (side, headers) in all_headers {
        for (name, value) in headers {
            object.insert(format!("{side}_{name}"), Value::from(value.as_str()));
        }
    }
    object.insert("level".to_owned(), Value::from("info"));
    object.insert("msg".to_owned(), Value::from(""));
    let started = fields::timestamp(ended.line.exchange().started_at());
    let time = started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    object.insert("time".to_owned(), Value::from(time));
    // A map of text and numbers always has a JSON form.
    let text = serde_json::to_string(&object).unwrap_or_default();
    text + "\n"
}

/// What the options let be seen of a field.
fn shown(ended: &Ended<'_>, options: &Fields, name: &str) -> Option<Value> {
    let named = options.names.iter();
    let mut named = named.filter(|(wanted, _)| name.eq_ignore_ascii_case(wanted));
    match named.next().map_or(options.default_mode, |(_, mode)| *mode) {
        FieldMode::Keep => fields::value(ended, name),
        FieldMode::Drop => None,
        FieldMode::Redact => Some(Value::from("REDACTED")),
    }
}

fn plain(ended: &Ended<'_>, options: &Fields, name: &str) -> String {
    match shown(ended, options, name) {
        Some(Value::String(text)) if !text.is_empty() => harmless(&text),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}

fn quoted(ended: &Ended<'_>, options: &Fields, name: &str) -> String {
    match shown(ended, options, name) {
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
