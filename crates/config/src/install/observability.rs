//! `accessLog`, `log` and `ping`.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// `level`. Default `ERROR` as Traefik's; warnings about configuration are always written.
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
