//! `http.routers.<name>`: which requests go where, through what.

use std::sync::Arc;

use crate::diagnostics::Position;
use crate::document::Fields;
use crate::rule::{self, MAX_PRIORITY, Rule};

/// A router. Sources: Traefik `http.routers`, `IngressRoute.spec.routes[]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Router {
    /// Entry points it listens on; empty means the default entry points.
    pub entry_points: Vec<String>,
    /// The rule as written, for logs and `/api`.
    pub rule_text: String,
    /// The rule; `None` when it does not parse (the error is in the diagnostics).
    pub rule: Option<Arc<Rule>>,
    /// Rank among routers; `None` or 0 means the byte length of the rule. Higher wins.
    pub priority: Option<i64>,
    /// Middlewares, applied in this order.
    pub middlewares: Vec<String>,
    /// The service at the end of the chain.
    pub service: String,
    /// Present when the router takes TLS connections only.
    pub tls: Option<RouterTls>,
    /// What is seen of its requests.
    pub observability: Observability,
    /// Where the router stands, for findings about what it names.
    pub position: Option<Position>,
}

/// `tls` of a router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouterTls {
    /// Name of the TLS options; `None` means `default`.
    pub options: Option<String>,
    /// Name of the certificate resolver.
    pub cert_resolver: Option<String>,
    /// `domains`: what the resolver asks certificates for, a list of names each. Empty: one for the
    /// hosts of the rule.
    pub domains: Vec<Vec<String>>,
}

/// `observability` of a router or of an entry point; what a router does not say, its entry points
/// do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observability {
    /// `accessLogs`: its requests are written to the access log. Default true.
    pub access_logs: Option<bool>,
    /// `metrics`: its requests are counted. Default true.
    pub metrics: Option<bool>,
    /// `tracing`: its requests are traced. Default true.
    pub tracing: Option<bool>,
    /// `traceVerbosity` is `detailed`: middlewares and services have spans, too. Default `minimal`.
    pub detailed_traces: Option<bool>,
}

impl Router {
    /// Reads `http.routers.<name>`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let matching = Matching::read(fields, "rule", "ruleSyntax");
        fields.not_yet("http.routers.*");
        Self {
            entry_points: fields.texts("entryPoints"),
            rule_text: matching.rule_text,
            rule: matching.rule,
            priority: matching.priority,
            middlewares: fields.texts("middlewares"),
            service: fields.required_text("service").unwrap_or_default(),
            tls: fields.map("tls", RouterTls::read),
            observability: matching.observability,
            position: Some(fields.position().clone()),
        }
    }
}

/// What a router of a file and a route of an IngressRoute have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// The rule as written.
    pub rule_text: String,
    /// The rule; `None` when it does not parse.
    pub rule: Option<Arc<Rule>>,
    /// `priority`.
    pub priority: Option<i64>,
    /// `observability`.
    pub observability: Observability,
}

impl Matching {
    /// Reads the rule from `rule`, its syntax from `syntax`, `priority` and `observability`.
    pub fn read(fields: &mut Fields<'_>, rule: &'static str, syntax: &'static str) -> Self {
        let rule_text = fields.required_text(rule).unwrap_or_default();
        let parsed = parse(fields, rule, &rule_text);
        check_syntax(fields, syntax);
        let priority = fields.integer("priority");
        if priority.is_some_and(|priority| priority > MAX_PRIORITY) {
            let message = format!("the greatest priority is {MAX_PRIORITY}");
            fields.error("priority", message);
        }
        let observability = fields.map("observability", Observability::read);
        Self {
            rule_text,
            rule: parsed,
            priority,
            observability: observability.unwrap_or_default(),
        }
    }
}

/// The message says at which character of the rule it breaks.
fn parse(fields: &mut Fields<'_>, key: &str, text: &str) -> Option<Arc<Rule>> {
    if text.is_empty() {
        return None;
    }
    match rule::parse(text) {
        Ok(rule) => Some(Arc::new(rule)),
        Err(error) => {
            fields.error(key, error.to_string());
            None
        }
    }
}

fn check_syntax(fields: &mut Fields<'_>, key: &'static str) {
    let syntax = fields.text(key).unwrap_or_default();
    if !matches!(syntax.as_str(), "" | "default" | "v3") {
        let message = "only the syntax `v3` is served; rewrite the rule in it";
        fields.error(key, message);
    }
}

const VERBOSITIES: [(&str, bool); 2] = [("minimal", false), ("detailed", true)];

impl Observability {
    /// Reads `observability` of a router or of an entry point.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            access_logs: fields.boolean("accessLogs"),
            metrics: fields.boolean("metrics"),
            tracing: fields.boolean("tracing"),
            detailed_traces: fields.word("traceVerbosity", &VERBOSITIES),
        }
    }

    /// What is said here, and the rest as said there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            access_logs: self.access_logs.or(other.access_logs),
            metrics: self.metrics.or(other.metrics),
            tracing: self.tracing.or(other.tracing),
            detailed_traces: self.detailed_traces.or(other.detailed_traces),
        }
    }
}

impl RouterTls {
    /// Reads `domains`: `main` and `sans` of each.
    pub fn domains(fields: &mut Fields<'_>) -> Vec<Vec<String>> {
        let domains = fields.maps("domains", |domain| {
            let main = domain.text("main").into_iter().chain(domain.texts("sans"));
            main.filter(|name| !name.is_empty()).collect::<Vec<_>>()
        });
        let named = domains.into_iter().filter(|names| !names.is_empty());
        named.collect()
    }

    /// Reads `tls` of a router or of an entry point.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            domains: Self::domains(fields),
            options: fields.text("options").filter(|name| !name.is_empty()),
            cert_resolver: fields.text("certResolver").filter(|name| !name.is_empty()),
        }
    }
}
