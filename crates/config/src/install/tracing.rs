//! `tracing`: spans for a collector that speaks OTLP.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::document::Fields;

/// What a collector listens to (OTLP over HTTP).
const PATH: &str = "v1/traces";
/// Where a collector is, unless somebody says otherwise.
const COLLECTOR: &str = "https://localhost:4318";

/// `tracing`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracing {
    /// `serviceName`. Default `traefik`.
    pub service_name: String,
    /// `resourceAttributes`: further facts about the service.
    pub resource_attributes: BTreeMap<String, String>,
    /// `sampleRate`: the share of requests that are traced, from 0 to 1, where the caller did not
    /// decide. Default 1.
    pub sample_rate: f64,
    /// `capturedRequestHeaders`: headers that are written into spans. Credentials never are.
    pub captured_request_headers: Vec<String>,
    /// `capturedResponseHeaders`.
    pub captured_response_headers: Vec<String>,
    /// `safeQueryParams`: parameters of the query that are written into spans; of the others only
    /// the names are.
    pub safe_query_params: Vec<String>,
    /// `addInternals`: requests to the gateway itself are traced, too. Default false.
    pub add_internals: bool,
    /// `otlp`.
    pub otlp: Otlp,
}

/// `tracing.otlp`: where spans go.
#[derive(Debug, Clone)]
pub struct Otlp {
    /// `http.endpoint`. Default `https://localhost:4318`.
    pub endpoint: Url,
    /// `http.headers`, which may be credentials.
    pub headers: BTreeMap<String, SecretString>,
}

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Otlp {
    fn eq(&self, other: &Self) -> bool {
        let plain = |otlp: &Self| {
            let headers = otlp.headers.iter();
            let plain =
                headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
            plain.collect::<Vec<_>>()
        };
        self.endpoint == other.endpoint && plain(self) == plain(other)
    }
}

impl Tracing {
    /// `None`: there is no collector to send to; the findings say why.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        // Attributes under the name they had before.
        let mut resource_attributes = fields.text_map("globalAttributes");
        resource_attributes.extend(fields.text_map("resourceAttributes"));
        let service_name = fields.text("serviceName").filter(|name| !name.is_empty());
        let otlp = fields.map("otlp", Otlp::read);
        Some(Self {
            service_name: service_name.unwrap_or_else(|| "traefik".to_owned()),
            resource_attributes,
            sample_rate: sample_rate(fields),
            captured_request_headers: fields.texts("capturedRequestHeaders"),
            captured_response_headers: fields.texts("capturedResponseHeaders"),
            safe_query_params: fields.texts("safeQueryParams"),
            add_internals: fields.boolean("addInternals").unwrap_or(false),
            otlp: otlp.unwrap_or_else(|| Otlp::at(COLLECTOR))?,
        })
    }
}

fn sample_rate(fields: &mut Fields<'_>) -> f64 {
    let Some(text) = fields.text("sampleRate") else {
        return 1.0;
    };
    let rate = text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    if rate.is_none() {
        fields.error("sampleRate", "expects a number from 0 to 1");
    }
    rate.unwrap_or(1.0)
}

impl Otlp {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.not_yet("tracing.otlp");
        let is_other = fields.has("grpc") && !fields.has("http");
        let http = fields.map("http", |http| {
            http.not_yet("tracing.otlp.http");
            let endpoint = http.text("endpoint").filter(|text| !text.is_empty());
            (endpoint, headers(http))
        });
        if is_other {
            return None;
        }
        let (endpoint, headers) = http.unwrap_or_default();
        let otlp = Self::at(endpoint.as_deref().unwrap_or(COLLECTOR));
        if otlp.is_none() {
            let message = "is no address of a collector; write it as \
                           http://localhost:4318/v1/traces";
            fields.error("http.endpoint", message);
        }
        otlp.map(|otlp| Self { headers, ..otlp })
    }

    /// A collector without credentials.
    fn at(endpoint: &str) -> Option<Self> {
        let mut endpoint = Url::parse(endpoint).ok()?;
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.has_host() {
            return None;
        }
        if matches!(endpoint.path(), "" | "/") {
            endpoint.set_path(PATH);
        }
        Some(Self {
            endpoint,
            headers: BTreeMap::new(),
        })
    }
}

fn headers(fields: &mut Fields<'_>) -> BTreeMap<String, SecretString> {
    let texts = fields.text_map("headers").into_iter();
    texts.map(|(name, value)| (name, value.into())).collect()
}
