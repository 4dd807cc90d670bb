//! A line of the access log as text, its end included.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use carnet_config::install::observability::{FieldMode, Fields};
use serde_json::Value;

use super::fields::{self, Ended, Field, NAMES};

/// Room for most lines.
const USUAL: usize = 256;

/// The Common Log Format with Traefik's additions.
pub(super) fn common(ended: &Ended<'_>, options: &Fields, stamp: &Stamp) -> String {
    let mut line = clf(ended, options, stamp);
    line.push(' ');
    plain(&mut line, ended, options, "RequestCount");
    line.push(' ');
    quoted(&mut line, ended, options, "RouterName");
    line.push(' ');
    quoted(&mut line, ended, options, "ServiceURL");
    // Writing into a text does not fail.
    let _ = writeln!(line, " {}ms", ended.total.as_millis());
    line
}

/// The Common Log Format.
pub(super) fn generic(ended: &Ended<'_>, options: &Fields, stamp: &Stamp) -> String {
    clf(ended, options, stamp) + "\n"
}

fn clf(ended: &Ended<'_>, options: &Fields, stamp: &Stamp) -> String {
    let mut line = String::with_capacity(USUAL);
    let out = &mut line;
    plain(out, ended, options, "ClientHost");
    out.push_str(" - ");
    plain(out, ended, options, "ClientUsername");
    out.push_str(" [");
    out.push_str(&stamp.of(ended.line.exchange().started_at()));
    out.push_str("] \"");
    plain(out, ended, options, "RequestMethod");
    out.push(' ');
    plain(out, ended, options, "RequestPath");
    out.push(' ');
    plain(out, ended, options, "RequestProtocol");
    out.push_str("\" ");
    plain(out, ended, options, "DownstreamStatus");
    out.push(' ');
    plain(out, ended, options, "DownstreamContentSize");
    for name in ["Referer", "User-Agent"] {
        let mut headers = ended.line.request.headers.iter();
        let value = headers.find(|(given, _)| given == name);
        out.push(' ');
        quote(out, value.map_or("-", |(_, value)| value));
    }
    line
}

/// The last second that was written, as text: most lines of a busy log share it.
#[derive(Debug, Default)]
pub(super) struct Stamp(ArcSwapOption<(i64, String)>);

impl Stamp {
    /// `02/Jan/2006:15:04:05 +0000`.
    fn of(&self, time: SystemTime) -> String {
        let time = fields::timestamp(time);
        let second = time.as_second();
        if let Some(last) = &*self.0.load()
            && last.0 == second
        {
            return last.1.clone();
        }
        let text = time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
        self.0.store(Some(Arc::new((second, text.clone()))));
        text
    }
}

/// An object a line, members by name.
pub(super) fn json(ended: &Ended<'_>, options: &Fields, _: &Stamp) -> String {
    let mut object = BTreeMap::new();
    for name in NAMES {
        let value = match shown(ended, options, name) {
            Some(Field::Text(text)) => Value::from(text.into_owned()),
            Some(Field::Number(number)) => Value::from(number),
            None => continue,
        };
        object.insert(name.to_owned(), value);
    }
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
    ascii_controls(text) + "\n"
}

/// JSON lets control characters beyond ASCII stand as they are; terminals and readers of lines obey
/// them. They only stand in texts, where an escape means the same.
fn ascii_controls(json: String) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if json.is_ascii() || !json.contains(breaks) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + USUAL);
    for c in json.chars() {
        match breaks(c) {
            true => drop(write!(out, "\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// What the options let be seen of a field.
fn shown<'a>(ended: &'a Ended<'_>, options: &Fields, name: &str) -> Option<Field<'a>> {
    let mut named = options.names.iter();
    let named = named.find(|(wanted, _)| name.eq_ignore_ascii_case(wanted));
    match named.map_or(options.default_mode, |(_, mode)| *mode) {
        FieldMode::Keep => fields::value(ended, name),
        FieldMode::Drop => None,
        FieldMode::Redact => Some(Field::Text("REDACTED".into())),
    }
}

fn plain(out: &mut String, ended: &Ended<'_>, options: &Fields, name: &str) {
    match shown(ended, options, name) {
        Some(Field::Text(text)) if !text.is_empty() => harmless(out, &text),
        Some(Field::Number(number)) => {
            let _ = write!(out, "{number}");
        }
        _ => out.push('-'),
    }
}

fn quoted(out: &mut String, ended: &Ended<'_>, options: &Fields, name: &str) {
    match shown(ended, options, name) {
        Some(Field::Text(text)) if !text.is_empty() => quote(out, &text),
        _ => out.push_str("\"-\""),
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    match text.contains(['"', '\\']) {
        true => harmless(out, &text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => harmless(out, text),
    }
    out.push('"');
}

/// A line stays one line, whatever a client or a token puts into it.
fn harmless(out: &mut String, text: &str) {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if text.bytes().all(is_plain) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
}
