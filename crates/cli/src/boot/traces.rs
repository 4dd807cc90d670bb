//! Traces, sent to a collector as OTLP over HTTP. Without a collector nothing here is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use carnet_authserver::TraceParent;
use carnet_config::install::{self, authserver};
use carnet_gateway::{SpanIds, TraceContext};
use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_http::{HeaderExtractor, HeaderInjector, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use url::Url;

use crate::output::Failure;

/// How long a collector may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Traces on their way to a collector.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

/// Who collects traces, and whose they are.
struct Collector<'a> {
    url: &'a Url,
    headers: Vec<(&'a str, &'a SecretString)>,
    service: &'a str,
    attributes: Vec<KeyValue>,
    /// The share of requests that are traced where the caller did not decide.
    ratio: f64,
}

impl Traces {
    /// Sends what the authorization server records from now on.
    ///
    /// # Errors
    /// When the collector cannot be asked at all.
    pub(crate) fn start(told: &authserver::Tracing) -> Result<Self, Failure> {
        let authorization = told.authorization_header.as_ref();
        let environment = told.deployment_environment.clone();
        let environment =
            environment.map(|name| KeyValue::new("deployment.environment.name", name));
        Self::to(&Collector {
            url: &told.url,
            headers: authorization
                .map(|value| ("authorization", value))
                .into_iter()
                .collect(),
            service: &told.service_name,
            attributes: environment.into_iter().collect(),
            ratio: told.sampling_ratio,
        })
    }

    /// Sends what the gateway records from now on.
    ///
    /// # Errors
    /// When the collector cannot be asked at all.
    pub(crate) fn of_gateway(told: &install::Tracing) -> Result<Self, Failure> {
        let headers = told.otlp.headers.iter();
        let attributes = told.resource_attributes.iter();
        let attribute =
            |(name, value): (&String, &String)| KeyValue::new(name.clone(), value.clone());
        Self::to(&Collector {
            url: &told.otlp.endpoint,
            headers: headers
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            service: &told.service_name,
            attributes: attributes.map(attribute).collect(),
            ratio: told.sample_rate,
        })
    }

    fn to(collector: &Collector<'_>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::new(format!("tracing: traces cannot be sent: {error}"))
        };
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| failed(&error))?;
        let sender = Sender {
            client,
            runtime: Handle::current(),
            is_failing: AtomicBool::new(false),
        };
        let headers = collector.headers.iter();
        let headers =
            headers.map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned()));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_endpoint(collector.url.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .with_headers(headers.collect())
            .build()
            .map_err(|error| failed(&error))?;
        let sampler = Sampler::TraceIdRatioBased(collector.ratio);
        let resource = Resource::builder_empty()
            .with_service_name(collector.service.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attributes(collector.attributes.clone());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource.build());
        Ok(Self(provider.build()))
    }

    /// Where spans go.
    pub(crate) fn tracer(&self) -> SdkTracer {
        self.0.tracer("carnet")
    }

    /// How a span of ours becomes part of its caller's trace (W3C Trace Context).
    pub(crate) fn parent() -> TraceParent {
        let propagator = TraceContextPropagator::new();
        TraceParent(Arc::new(move |span, headers| {
            let context = propagator.extract(&HeaderExtractor(headers));
            // A span that nobody records has no parent.
            let _ = span.set_parent(context);
        }))
    }

    /// Sends what is left, as long as the collector has patience.
    pub(crate) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown());
        if let Ok(Err(error)) = ended.await {
            tracing::debug!(error = %error, "the last traces were not sent");
        }
    }
}

/// How the gateway's spans become part of a trace (W3C Trace Context).
#[derive(Debug)]
pub(crate) struct TraceHeaders;

impl TraceContext for TraceHeaders {
    fn adopt(&self, span: &Span, headers: &HeaderMap) {
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // A span that nobody records has no parent.
        let _ = span.set_parent(context);
    }

    fn hand_on(&self, span: &Span, headers: &mut HeaderMap) {
        let propagator = TraceContextPropagator::new();
        propagator.inject_context(&span.context(), &mut HeaderInjector(headers));
    }

    fn note(&self, span: &Span, name: String, values: Vec<String>) {
        let values: Vec<StringValue> = values.into_iter().map(StringValue::from).collect();
        span.set_attribute(name, Value::Array(Array::String(values)));
    }

    fn ids(&self, span: &Span) -> Option<SpanIds> {
        let context = span.context();
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid()
            .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    }

    fn link(&self, span: &Span, (trace, other): &SpanIds) {
        let ids = (TraceId::from_hex(trace), SpanId::from_hex(other));
        if let (Ok(trace), Ok(other)) = ids {
            let state = TraceState::default();
            let flags = TraceFlags::SAMPLED;
            span.add_link(SpanContext::new(trace, other, flags, false, state));
        }
    }
}

/// Sends batches with the HTTP client of the process, from a thread that has no runtime.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    /// So that a collector that is away is told of once.
    is_failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            Ok::<_, reqwest::Error>((status, body))
        });
        let outcome = sent.await?;
        let is_failing = !matches!(&outcome, Ok((status, _)) if status.is_success());
        if is_failing && !self.is_failing.swap(true, Ordering::Relaxed) {
            let why = match &outcome {
                Ok((status, _)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::warn!(
                why,
                "the collector does not take traces; they are lost meanwhile"
            );
        } else if !is_failing && self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!("the collector takes traces again");
        }
        let (status, body) = outcome?;
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }
}
