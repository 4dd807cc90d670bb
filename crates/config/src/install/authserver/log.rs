//! `log`.

use crate::document::Fields;

/// `log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `level`: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `panic`. A reload changes it.
    /// Default `info`.
    pub level: String,
    /// `format`: `text`, `json` or `json_pretty`. Default `text`.
    pub format: LogFormat,
    /// `leak_sensitive_values`: queries and headers of requests are written as they came, but for
    /// credentials, which never are. Default false.
    pub leak_sensitive_values: bool,
    /// `redaction_text`: what is written instead of them. Default `REDACTED`.
    pub redaction_text: String,
    /// `additional_redacted_headers`: headers that are never written, besides credentials. Default
    /// none.
    pub additional_redacted_headers: Vec<String>,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// `text`: for people.
    #[default]
    Text,
    /// `json`: an object a line.
    Json,
    /// `json_pretty`: an object on several lines.
    JsonPretty,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::default(),
            leak_sensitive_values: false,
            redaction_text: "REDACTED".to_owned(),
            additional_redacted_headers: Vec::new(),
        }
    }
}

pub(super) fn read(fields: &mut Fields<'_>) -> Log {
    let levels = [
        ("trace", "trace"),
        ("debug", "debug"),
        ("info", "info"),
        ("warning", "warning"),
        ("warn", "warning"),
        ("error", "error"),
        ("fatal", "error"),
        ("panic", "error"),
    ];
    let formats = [
        ("text", LogFormat::Text),
        ("json", LogFormat::Json),
        ("json_pretty", LogFormat::JsonPretty),
        ("gelf", LogFormat::Json),
    ];
    let default = Log::default();
    Log {
        level: fields
            .word("level", &levels)
            .map_or(default.level, str::to_owned),
        format: fields.word("format", &formats).unwrap_or(default.format),
        leak_sensitive_values: fields.boolean("leak_sensitive_values").unwrap_or(false),
        redaction_text: fields
            .text("redaction_text")
            .filter(|text| !text.is_empty())
            .unwrap_or(default.redaction_text),
        additional_redacted_headers: fields.texts("additional_redacted_headers"),
    }
}
