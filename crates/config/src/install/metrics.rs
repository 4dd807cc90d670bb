//! `metrics`: what Prometheus reads.

use std::collections::BTreeMap;

use crate::document::Fields;

/// `metrics`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// `addInternals`: requests to the gateway itself count, too. Default false.
    pub add_internals: bool,
    /// `prometheus`; `None`: nothing is counted.
    pub prometheus: Option<Prometheus>,
}

/// `metrics.prometheus`.
#[derive(Debug, Clone, PartialEq)]
pub struct Prometheus {
    /// `buckets`: upper ends of the buckets of durations, in seconds, rising. Default 0.1, 0.3, 1.2
    /// and 5.
    pub buckets: Vec<f64>,
    /// `addEntryPointsLabels`: requests are counted by entry point. Default true.
    pub add_entry_points_labels: bool,
    /// `addRoutersLabels`: requests are counted by router. Default false.
    pub add_routers_labels: bool,
    /// `addServicesLabels`: requests are counted by service. Default true.
    pub add_services_labels: bool,
    /// `entryPoint` where `/metrics` is answered. Default `traefik`, which is made at `:8080` when
    /// nobody declares it.
    pub entry_point: String,
    /// `manualRouting`: only where a router names `prometheus@internal`. Default false.
    pub manual_routing: bool,
    /// `headerLabels.<label>`: a request header whose value is a label of the counts of requests.
    pub header_labels: BTreeMap<String, String>,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            buckets: vec![0.1, 0.3, 1.2, 5.0],
            add_entry_points_labels: true,
            add_routers_labels: false,
            add_services_labels: true,
            entry_point: "traefik".to_owned(),
            manual_routing: false,
            header_labels: BTreeMap::new(),
        }
    }
}

impl Metrics {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        fields.not_yet("metrics");
        Self {
            add_internals: fields.boolean("addInternals").unwrap_or(false),
            prometheus: fields.map("prometheus", Prometheus::read),
        }
    }
}

impl Prometheus {
    fn read(fields: &mut Fields<'_>) -> Self {
        let default = Self::default();
        Self {
            buckets: buckets(fields).unwrap_or(default.buckets),
            add_entry_points_labels: fields.boolean("addEntryPointsLabels").unwrap_or(true),
            add_routers_labels: fields.boolean("addRoutersLabels").unwrap_or(false),
            add_services_labels: fields.boolean("addServicesLabels").unwrap_or(true),
            entry_point: fields.text("entryPoint").unwrap_or(default.entry_point),
            manual_routing: fields.boolean("manualRouting").unwrap_or(false),
            header_labels: header_labels(fields),
        }
    }
}

/// What is wrong is said, and the defaults stand.
fn buckets(fields: &mut Fields<'_>) -> Option<Vec<f64>> {
    let texts = fields.texts("buckets");
    if texts.is_empty() {
        return None;
    }
    let read = |text: &String| text.trim().parse::<f64>().ok().filter(|end| *end > 0.0);
    let ends: Option<Vec<f64>> = texts.iter().map(read).collect();
    let ends = ends
        .filter(|ends| ends.is_sorted_by(|a, b| a < b) && ends.iter().all(|end| end.is_finite()));
    if ends.is_none() {
        fields.error(
            "buckets",
            "expects rising numbers of seconds, like `0.1, 0.3, 1.2`",
        );
    }
    ends
}

fn header_labels(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let mut labels = fields.text_map("headerLabels");
    let own = [
        "code",
        "entrypoint",
        "method",
        "protocol",
        "router",
        "service",
    ];
    for name in labels.keys().cloned().collect::<Vec<_>>() {
        let mut bytes = name.bytes();
        let first = bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let message = "is no name of a label: letters, digits and `_`";
            fields.error(&format!("headerLabels.{name}"), message);
            labels.remove(&name);
        } else if own.contains(&name.as_str()) {
            let message = "is the name of a label that is there already";
            fields.error(&format!("headerLabels.{name}"), message);
            labels.remove(&name);
        }
    }
    labels
}
