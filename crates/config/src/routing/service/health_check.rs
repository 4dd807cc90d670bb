//! `healthCheck` and `passiveHealthCheck` of a load balancer.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::document::Fields;

/// `healthCheck`: servers are asked in intervals; one that does not answer well gets no requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// `http` or `grpc`. Default `http`.
    pub mode: Mode,
    /// `http`, `https` or `h2c`. Default: the server's.
    pub scheme: Option<String>,
    /// Default: the server's.
    pub port: Option<u16>,
    /// Path, taken from the server's URL on. Default: the path of that URL.
    pub path: String,
    /// Default `GET`.
    pub method: String,
    /// The only status that is well. Default: all from 200 to 399.
    pub status: Option<u16>,
    /// From one question to the next. Default 30 s.
    pub interval: Duration,
    /// The same while the server is down. Default: as `interval`.
    pub unhealthy_interval: Duration,
    /// Wait for an answer. Default 5 s.
    pub timeout: Duration,
    /// `Host` of the question. Default: the server's.
    pub hostname: Option<String>,
    /// Whether an answer that leads elsewhere is followed. Default true.
    pub follow_redirects: bool,
    /// Header fields of the question.
    pub headers: BTreeMap<String, String>,
}

/// `healthCheck.mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// `http`: a request.
    #[default]
    Http,
    /// `grpc`: `grpc.health.v1.Health/Check`.
    Grpc,
}

/// `passiveHealthCheck`: servers whose answers fail get no requests for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassiveHealthCheck {
    /// Failures in a row within this time count together, and the server is left alone for as long.
    /// Default 10 s.
    pub failure_window: Duration,
    /// That many are too many. Default 1.
    pub max_failed_attempts: u32,
}

const MODES: &[(&str, Mode)] = &[("http", Mode::Http), ("grpc", Mode::Grpc)];
const SCHEMES: &[(&str, &str)] = &[("http", "http"), ("https", "https"), ("h2c", "h2c")];
/// Traefik's.
const INTERVAL: Duration = Duration::from_secs(30);
/// Traefik's.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Traefik's.
const FAILURE_WINDOW: Duration = Duration::from_secs(10);

impl HealthCheck {
    /// Reads `healthCheck` of a load balancer.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.map("healthCheck", |check| {
            let interval = positive(check, "interval").unwrap_or(INTERVAL);
            let texts = check.text_map("headers");
            Self {
                mode: check.word("mode", MODES).unwrap_or_default(),
                scheme: check.word("scheme", SCHEMES).map(str::to_owned),
                port: check.number("port").filter(|port| *port != 0),
                path: check.text("path").unwrap_or_default(),
                method: method(check),
                status: status(check),
                interval,
                unhealthy_interval: positive(check, "unhealthyInterval").unwrap_or(interval),
                timeout: positive(check, "timeout").unwrap_or(TIMEOUT),
                hostname: check.text("hostname").filter(|host| !host.is_empty()),
                follow_redirects: check.boolean("followRedirects").unwrap_or(true),
                headers: texts,
            }
        })
    }
}

fn method(fields: &mut Fields<'_>) -> String {
    let method = fields.text("method").filter(|method| !method.is_empty());
    let method = method.unwrap_or_else(|| "GET".to_owned());
    if !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        fields.error("method", "expects a method of HTTP, as `GET` or `HEAD`");
    }
    method
}

fn status(fields: &mut Fields<'_>) -> Option<u16> {
    let status = fields.number("status").filter(|status| *status != 0)?;
    if !(100..=599).contains(&status) {
        fields.error("status", "expects a status of HTTP, from 100 to 599");
    }
    Some(status)
}

/// A duration; what is zero is said to be so, and the default stands.
fn positive(fields: &mut Fields<'_>, key: &'static str) -> Option<Duration> {
    let given = fields.duration(key)?;
    if given.is_zero() {
        fields.warn(key, "must be longer than zero; the default stands");
        return None;
    }
    Some(given)
}

impl PassiveHealthCheck {
    /// Reads `passiveHealthCheck` of a load balancer.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.map("passiveHealthCheck", |check| Self {
            failure_window: positive(check, "failureWindow").unwrap_or(FAILURE_WINDOW),
            max_failed_attempts: check.number("maxFailedAttempts").unwrap_or(1).max(1),
        })
    }
}
