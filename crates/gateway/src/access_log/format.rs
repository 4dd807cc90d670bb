//! A line of the access log as text, its end included.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use carnet_config::install::AccessLogFormat;
use serde_json::Value;

use super::fields::{self, Ended, Field, Key, NAMES, Shown};

/// Room for most lines.
const USUAL: usize = 256;

/// How lines are written.
pub(super) struct Format {
    pub(super) format: AccessLogFormat,
    pub(super) shown: Shown,
}

impl Format {
    /// Writes a line.
    pub(super) fn write(&self, out: &mut String, ended: &Ended<'_>, stamp: &mut Stamp) {
        let mut text = Text {
            out,
            ended,
            shown: &self.shown,
        };
        match self.format {
            AccessLogFormat::Common => text.common(stamp),
            AccessLogFormat::GenericClf => text.generic(stamp),
            AccessLogFormat::Json => text.json(),
        }
        text.out.push('\n');
    }
}

/// The last second that was written, as text: most lines of a busy log share it.
#[derive(Debug, Default)]
pub(super) struct Stamp(u64, String);

impl Stamp {
    /// `02/Jan/2006:15:04:05 +0000`.
    fn of(&mut self, time: SystemTime) -> &str {
        let since = time.duration_since(UNIX_EPOCH);
        let second = since.map_or(0, |since| since.as_secs());
        if self.0 != second || self.1.is_empty() {
            let time = fields::timestamp(time);
            *self = Self(second, time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string());
        }
        &self.1
    }
}

/// A line in the making.
struct Text<'a> {
    out: &'a mut String,
    ended: &'a Ended<'a>,
    shown: &'a Shown,
}

impl Text<'_> {
    /// The Common Log Format with Traefik's additions.
    fn common(&mut self, stamp: &mut Stamp) {
        self.generic(stamp);
        self.out.push(' ');
        self.plain(Key::RequestCount);
        self.out.push(' ');
        self.quoted(Key::RouterName);
        self.out.push(' ');
        self.quoted(Key::ServiceUrl);
        self.out.push(' ');
        self.number(u64::try_from(self.ended.total.as_millis()).unwrap_or(u64::MAX));
        self.out.push_str("ms");
    }

    /// The Common Log Format.
    fn generic(&mut self, stamp: &mut Stamp) {
        self.plain(Key::ClientHost);
        self.out.push_str(" - ");
        self.plain(Key::ClientUsername);
        self.out.push_str(" [");
        let started = self.ended.line.exchange().started_at();
        self.out.push_str(stamp.of(started));
        self.out.push_str("] \"");
        self.plain(Key::RequestMethod);
        self.out.push(' ');
        self.plain(Key::RequestPath);
        self.out.push(' ');
        self.plain(Key::RequestProtocol);
        self.out.push_str("\" ");
        self.plain(Key::DownstreamStatus);
        self.out.push(' ');
        self.plain(Key::DownstreamContentSize);
        for name in ["Referer", "User-Agent"] {
            let mut headers = self.ended.line.request.headers.iter();
            let value = headers.find(|(given, _)| given == name);
            self.out.push(' ');
            quote(self.out, value.map_or("-", |(_, value)| value));
        }
    }

    /// An object a line, members by name.
    fn json(&mut self) {
        let line = self.ended.line;
        let mut object = BTreeMap::new();
        for (name, written) in NAMES {
            let value = match self.shown.value(self.ended, name) {
                Some(Field::Text(text)) => Value::from(text.into_owned()),
                Some(Field::Number(number)) => Value::from(number),
                None => continue,
            };
            object.insert(written.to_owned(), value);
        }
        let all_headers = [
            ("request", &line.request.headers),
            ("origin", &line.origin_headers),
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
        self.out.push_str(&ascii_controls(text));
    }

    fn plain(&mut self, name: Key) {
        match self.shown.value(self.ended, name) {
            Some(Field::Text(text)) if !text.is_empty() => harmless(self.out, &text),
            Some(Field::Number(number)) => self.number(number),
            _ => self.out.push('-'),
        }
    }

    fn quoted(&mut self, name: Key) {
        match self.shown.value(self.ended, name) {
            Some(Field::Text(text)) if !text.is_empty() => quote(self.out, &text),
            _ => self.out.push_str("\"-\""),
        }
    }

    fn number(&mut self, number: u64) {
        self.out.push_str(itoa::Buffer::new().format(number));
    }
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

fn quote(out: &mut String, text: &str) {
    out.push('"');
    match is_plain(text, |byte| byte != b'"' && byte != b'\\') {
        true => out.push_str(text),
        false => harmless(out, &text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
    out.push('"');
}

/// Whether a text is of printable ASCII characters, each as it may be.
fn is_plain(text: &str, may_be: impl Fn(u8) -> bool) -> bool {
    // To its end, whatever comes: so it takes many bytes at a time.
    let is_one = |byte: u8| (b' '..=b'~').contains(&byte) & may_be(byte);
    text.bytes().fold(true, |all, byte| all & is_one(byte))
}

/// A line stays one line, whatever a client or a token puts into it.
fn harmless(out: &mut String, text: &str) {
    if is_plain(text, |_| true) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
}
