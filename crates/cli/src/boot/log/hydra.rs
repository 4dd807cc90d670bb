//! Lines of JSON with the names that Hydra's have: `level`, `msg`, `time`, and what has dots in its
//! name as objects in objects.

use std::fmt;
use std::sync::Arc;

use carnet_oauth::Clock;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// What the program calls itself.
const SERVICE: &str = "carnet";

/// Writes an event as JSON.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether an object has several lines.
    pub(crate) is_pretty: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut object = Object::default();
        event.record(&mut object);
        let line = self.line(object.0, *event.metadata().level());
        let text = match self.is_pretty {
            true => serde_json::to_string_pretty(&line),
            false => serde_json::to_string(&line),
        };
        writeln!(writer, "{}", text.map_err(|_| fmt::Error)?)
    }
}

impl Lines {
    fn line(&self, mut line: Map<String, Value>, level: Level) -> Map<String, Value> {
        let level = match level {
            Level::WARN => "warning".to_owned(),
            level => level.as_str().to_ascii_lowercase(),
        };
        for (name, value) in [
            ("audience", "application".to_owned()),
            ("level", level),
            ("service_name", SERVICE.to_owned()),
            ("service_version", env!("CARGO_PKG_VERSION").to_owned()),
        ] {
            line.insert(name.to_owned(), Value::String(value));
        }
        if let Ok(now) = Timestamp::try_from(self.clock.now()) {
            line.insert("time".to_owned(), Value::String(now.to_string()));
        }
        line.sort_keys();
        line
    }
}

/// The fields of an event.
#[derive(Debug, Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            // What the bridge from the other log facade adds.
            name if name.starts_with("log.") => {}
            "message" => put(&mut self.0, "msg", value),
            name => put(&mut self.0, name, value),
        }
    }
}

/// Puts a value at the place that a name with dots tells.
fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    let Some((outer, inner)) = name.split_once('.') else {
        object.insert(name.to_owned(), value);
        return;
    };
    let below = object.entry(outer).or_insert(Value::Null);
    if !below.is_object() {
        *below = Value::Object(Map::new());
    }
    if let Value::Object(below) = below {
        put(below, inner, value);
    }
}

impl Visit for Object {
    fn record_str(&mut self, field: &Field, value: &str) {
        // Headers are an object already.
        let parsed = match field.name().ends_with(".headers") {
            true => serde_json::from_str(value).ok(),
            false => None,
        };
        self.put(field, parsed.unwrap_or_else(|| value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use carnet_testkit::FixedClock;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    // Holds SE-06.
    #[test]
    fn an_event_is_one_line_of_json_with_the_names_of_hydra() {
        let text = Text::default();
        let clone = text.clone();
        let lines = Lines {
            clock: Arc::new(FixedClock::default()),
            is_pretty: false,
        };
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || clone.clone())
            .event_format(lines);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(
                http_request.method = "GET",
                http_request.headers = r#"{"accept":"a"}"#,
                http_response.status = 200_u16,
                client.id = "a\nb\u{1b}[2J",
                "done"
            );
        });
        let bytes = text.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "warning");
        assert_eq!(line["msg"], "done");
        assert_eq!(line["http_request"]["method"], "GET");
        assert_eq!(line["http_request"]["headers"]["accept"], "a");
        assert_eq!(line["http_response"]["status"], 200);
        assert_eq!(line["client"]["id"], "a\nb\u{1b}[2J");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{text}");
    }
}
