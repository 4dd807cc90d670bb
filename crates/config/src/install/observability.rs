//! `accessLog`, `log` and `ping`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document;

/// `accessLog`: one line a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// `format`. Default `common`.
    pub format: AccessLogFormat,
    /// `filePath`; `None`: standard output.
    pub file_path: Option<String>,
    /// `bufferingSize`: lines kept in memory before they are written. Default 0.
    pub buffering_size: usize,
    /// `addInternals`: also requests to the gateway itself. Default false.
    pub add_internals: bool,
    /// `fields`.
    pub fields: Fields,
    /// `filters`.
    pub filters: Filters,
}

/// `accessLog.format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// `common`: the Common Log Format with Traefik's additions.
    #[default]
    Common,
    /// `genericCLF`: the Common Log Format.
    GenericClf,
    /// `json`: an object a line.
    Json,
}

/// What is written of a field or header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldMode {
    /// `keep`.
    Keep,
    /// `drop`.
    Drop,
    /// `redact`: the word `REDACTED`.
    Redact,
}

/// `accessLog.fields`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// `defaultMode`. Default `keep`.
    pub default_mode: FieldMode,
    /// `names.<field>`.
    pub names: BTreeMap<String, FieldMode>,
    /// `headers.defaultMode`. Default `drop`.
    pub headers_default_mode: FieldMode,
    /// `headers.names.<header>`.
    pub headers_names: BTreeMap<String, FieldMode>,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            default_mode: FieldMode::Keep,
            names: BTreeMap::new(),
            headers_default_mode: FieldMode::Drop,
            headers_names: BTreeMap::new(),
        }
    }
}

/// `accessLog.filters`: a line is written when any of them holds, or when there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// `statusCodes`: inclusive ranges.
    pub status_codes: Vec<(u16, u16)>,
    /// `retryAttempts`: the request was tried more than once. Default false.
    pub retry_attempts: bool,
    /// `minDuration`: the request took at least so long.
    pub min_duration: Option<Duration>,
}

/// `log`: what the process says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `level`: `TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`. Default `ERROR` as Traefik's; warnings about configuration are always written.
    pub level: String,
    /// `format`: `common` or `json`. Default `common`.
    pub json: bool,
    /// `filePath`; `None`: standard output.
    pub file_path: Option<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "ERROR".to_owned(),
            json: false,
            file_path: None,
        }
    }
}

/// `ping`: `/ping`, and ours beside it `/livez` and `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// `entryPoint`. Default `traefik`, which is made at `:8080` when nobody declares it.
    pub entry_point: String,
    /// `manualRouting`: only where a router names `ping@internal`. Default false.
    pub manual_routing: bool,
    /// `terminatingStatusCode`: the answer while the process ends. Default 503.
    pub terminating_status_code: u16,
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            entry_point: "traefik".to_owned(),
            manual_routing: false,
            terminating_status_code: 503,
        }
    }
}

impl AccessLog {
    pub(super) fn read(fields: &mut document::Fields<'_>) -> Self {
        fields.not_yet("accessLog");
        // Lines go to the file in any case.
        fields.boolean("dualOutput");
        Self {
            format: fields.word("format", &FORMATS).unwrap_or_default(),
            file_path: fields.text("filePath").filter(|path| !path.is_empty()),
            buffering_size: fields.number("bufferingSize").unwrap_or(0),
            add_internals: fields.boolean("addInternals").unwrap_or(false),
            fields: fields.map("fields", Fields::read).unwrap_or_default(),
            filters: fields.map("filters", Filters::read).unwrap_or_default(),
        }
    }
}

const FORMATS: [(&str, AccessLogFormat); 3] = [
    ("common", AccessLogFormat::Common),
    ("genericCLF", AccessLogFormat::GenericClf),
    ("json", AccessLogFormat::Json),
];

const MODES: [(&str, FieldMode); 3] = [
    ("keep", FieldMode::Keep),
    ("drop", FieldMode::Drop),
    ("redact", FieldMode::Redact),
];

impl Fields {
    fn read(fields: &mut document::Fields<'_>) -> Self {
        let default = Self::default();
        let (headers_mode, headers_names) = fields
            .map("headers", |headers| {
                let mode = headers.word("defaultMode", &MODES);
                (mode, modes(headers, "names"))
            })
            .unwrap_or_default();
        Self {
            default_mode: fields
                .word("defaultMode", &MODES)
                .unwrap_or(default.default_mode),
            names: modes(fields, "names"),
            headers_default_mode: headers_mode.unwrap_or(default.headers_default_mode),
            headers_names,
        }
    }
}

fn modes(fields: &mut document::Fields<'_>, key: &'static str) -> BTreeMap<String, FieldMode> {
    let mut modes = BTreeMap::new();
    for (name, text) in fields.text_map(key) {
        let mode = fields.meaning(&format!("{key}.{name}"), &text, &MODES);
        modes.extend(mode.map(|mode| (name, mode)));
    }
    modes
}

impl Filters {
    fn read(fields: &mut document::Fields<'_>) -> Self {
        let texts = fields.texts("statusCodes");
        let ranges: Vec<_> = texts.iter().map(|text| status_codes(text)).collect();
        if ranges.contains(&None) {
            let message = "expects status codes and ranges of them, like `404` or `500-503`";
            fields.error("statusCodes", message);
        }
        Self {
            status_codes: ranges.into_iter().flatten().collect(),
            retry_attempts: fields.boolean("retryAttempts").unwrap_or(false),
            min_duration: fields.duration("minDuration").filter(|d| !d.is_zero()),
        }
    }
}

fn status_codes(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let code = |text: &str| text.trim().parse().ok().filter(|c| (100..=599).contains(c));
    let (first, last) = (code(first)?, code(last)?);
    (first <= last).then_some((first, last))
}

const LEVELS: [(&str, &str); 8] = [
    ("TRACE", "TRACE"),
    ("DEBUG", "DEBUG"),
    ("INFO", "INFO"),
    ("WARN", "WARN"),
    ("WARNING", "WARN"),
    ("ERROR", "ERROR"),
    ("FATAL", "ERROR"),
    ("PANIC", "ERROR"),
];

impl Log {
    pub(super) fn read(fields: &mut document::Fields<'_>) -> Self {
        fields.not_yet("log");
        let level = fields.word("level", &LEVELS);
        let formats = [("common", false), ("json", true)];
        Self {
            level: level.map_or(Self::default().level, str::to_owned),
            json: fields.word("format", &formats).unwrap_or(false),
            file_path: fields.text("filePath").filter(|path| !path.is_empty()),
        }
    }
}

impl Ping {
    pub(super) fn read(fields: &mut document::Fields<'_>) -> Self {
        let default = Self::default();
        let code = fields.number("terminatingStatusCode");
        if code.is_some_and(|code| !(100..=599).contains(&code)) {
            fields.error("terminatingStatusCode", "this is no status code");
        }
        Self {
            entry_point: fields.text("entryPoint").unwrap_or(default.entry_point),
            manual_routing: fields.boolean("manualRouting").unwrap_or(false),
            terminating_status_code: code.unwrap_or(default.terminating_status_code),
        }
    }
}
