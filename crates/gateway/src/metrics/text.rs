//! All counts as text, in the format of Prometheus 0.0.4, which is Traefik's.
//!
//! The encoder writes OpenMetrics, the format's child. The older one differs in three things, which
//! are made here: counters are described by their whole name, so they are written as the encoder
//! writes gauges; there is no end mark; and a bucket that ends at five seconds ends at `5`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::cell::Totals;
use super::kind::Kind;
use super::{Metrics, Series, locked, tokens};
use crate::token_source::{ProviderFigures, StoreFigures};

/// What [`write()`] writes.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is counted of whom.
const GROUPS: [&str; 3] = ["entrypoint", "router", "service"];

type Bytes = fn(&Totals) -> u64;
type Labels = Vec<(&'static str, String)>;

/// Services, URLs of their servers, and whether these are up.
pub(crate) type Servers = Vec<(String, Arc<str>, bool)>;

/// Servers that give tokens, and stores that share them.
pub(crate) type Tokens = (Vec<ProviderFigures>, Vec<StoreFigures>);

/// All counts, the servers whose health is checked, and those that give tokens.
pub(crate) fn write(
    metrics: &Arc<Metrics>,
    servers: Servers,
    tokens: Tokens,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let look = Look(Arc::clone(metrics), servers, tokens);
    registry.register_collector(Box::new(look));
    let mut text = String::new();
    encode_registry(&mut text, &registry)?;
    let whole = metrics
        .options
        .buckets
        .iter()
        .filter(|end| end.fract() == 0.0);
    for end in whole {
        text = text.replace(&format!("le=\"{end:.1}\""), &format!("le=\"{end:.0}\""));
    }
    Ok(text)
}

/// One look at the counts.
#[derive(Debug)]
struct Look(Arc<Metrics>, Servers, Tokens);

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let metrics = &*self.0;
        configuration(encoder, metrics)?;
        certificates(encoder, metrics)?;
        connections(encoder, metrics)?;
        for (group, all) in GROUPS.into_iter().zip(series(metrics)) {
            if let Some(all) = all {
                requests(encoder, metrics, (group, &all))?;
                if group == "service" {
                    services(encoder, &all, &self.1)?;
                }
            }
        }
        own(encoder, metrics)?;
        tokens::write(encoder, &self.2.0)?;
        tokens::write_stores(encoder, &self.2.1)
    }
}

/// The series of entry points, routers and services; `None` where none are wanted.
fn series(metrics: &Metrics) -> [Option<Vec<Arc<Series>>>; 3] {
    let options = &metrics.options;
    let entry_points = locked(&metrics.entry_points);
    let entry_points = entry_points
        .values()
        .filter_map(|one| one.series.clone())
        .collect();
    let routers = locked(&metrics.routers);
    let routers = routers
        .values()
        .filter_map(std::sync::Weak::upgrade)
        .collect();
    let services = locked(&metrics.services);
    let services = services
        .values()
        .filter_map(std::sync::Weak::upgrade)
        .collect();
    [
        options.add_entry_points_labels.then_some(entry_points),
        options.add_routers_labels.then_some(routers),
        options.add_services_labels.then_some(services),
    ]
}

fn configuration(encoder: &mut DescriptorEncoder<'_>, metrics: &Metrics) -> fmt::Result {
    let help = "Configurations that came to be served";
    let reloads = metrics.reloads.load(Ordering::Relaxed);
    alone(encoder, "traefik_config_reloads_total", help, &reloads)?;
    let help = "When a configuration last came to be served, in seconds since 1970";
    let last = metrics.last_reload.load(Ordering::Relaxed);
    let mut gauge = gauge(encoder, "traefik_config_last_reload_success", help)?;
    gauge.encode_gauge(&last)
}

fn certificates(encoder: &mut DescriptorEncoder<'_>, metrics: &Metrics) -> fmt::Result {
    let help = "When a certificate ends, in seconds since 1970";
    let mut gauge = gauge(encoder, "traefik_tls_certs_not_after", help)?;
    let mut all: BTreeSet<_> = metrics.issued.facts().into_iter().collect();
    all.extend(locked(&metrics.certificates).iter().cloned());
    for certificate in &all {
        let labels = [
            ("cn", certificate.common_name.clone()),
            ("serial", certificate.serial.clone()),
            ("sans", certificate.names.join(",")),
        ];
        gauge
            .encode_family(&labels)?
            .encode_gauge(&certificate.not_after)?;
    }
    Ok(())
}

fn connections(encoder: &mut DescriptorEncoder<'_>, metrics: &Metrics) -> fmt::Result {
    let help = "Connections that are open";
    let mut gauge = gauge(encoder, "traefik_open_connections", help)?;
    for (name, entry_point) in locked(&metrics.entry_points).iter() {
        let labels = [("entrypoint", name.as_str()), ("protocol", "TCP")];
        let open = entry_point.open.load(Ordering::Relaxed);
        gauge.encode_family(&labels)?.encode_gauge(&open)?;
    }
    Ok(())
}

/// The five series that entry points, routers and services have alike.
fn requests(
    encoder: &mut DescriptorEncoder<'_>,
    metrics: &Metrics,
    (group, all): (&str, &[Arc<Series>]),
) -> fmt::Result {
    let counted: Vec<_> = all
        .iter()
        .map(|series| (&**series, totals(series)))
        .collect();
    let name = format!("traefik_{group}_requests_total");
    let mut counter = counter(encoder, &name, "Requests that were answered")?;
    for (series, totals) in &counted {
        for (kind, totals) in totals {
            let mut labels = labels(series, kind);
            let headers = metrics.options.header_labels.keys();
            let values = kind.headers.iter().flat_map(|values| values.iter());
            let headers: Vec<_> = headers.cloned().zip(values.cloned()).collect();
            let more = labels
                .drain(..)
                .map(|(name, value)| (name.to_owned(), value));
            let labels: Vec<_> = more.chain(headers).collect();
            counter
                .encode_family(&labels)?
                .encode_gauge(&totals.requests())?;
        }
    }
    suites(encoder, group, all)?;
    let counted: Vec<_> = counted
        .into_iter()
        .map(|(series, totals)| (series, merged(totals)))
        .collect();
    durations(encoder, metrics, group, &counted)?;
    let parts: [(&str, &str, Bytes); 2] = [
        ("requests", "Bytes of the bodies of requests", |totals| {
            totals.request_bytes
        }),
        ("responses", "Bytes of the bodies of answers", |totals| {
            totals.response_bytes
        }),
    ];
    for (part, help, bytes) in parts {
        let name = format!("traefik_{group}_{part}_bytes_total");
        let mut counter = self::counter(encoder, &name, help)?;
        for (series, totals) in &counted {
            for (kind, totals) in totals {
                let labels = labels(series, kind);
                counter
                    .encode_family(&labels)?
                    .encode_gauge(&bytes(totals))?;
            }
        }
    }
    Ok(())
}

fn suites(encoder: &mut DescriptorEncoder<'_>, group: &str, all: &[Arc<Series>]) -> fmt::Result {
    let name = format!("traefik_{group}_requests_tls_total");
    let mut counter = counter(encoder, &name, "Requests over encrypted connections")?;
    for series in all {
        for ((version, cipher), count) in series.suites.all().iter() {
            let mut labels = vec![
                ("tls_version", (*version).to_owned()),
                ("tls_cipher", cipher.clone()),
            ];
            labels.extend(series.labels.iter().cloned());
            counter
                .encode_family(&labels)?
                .encode_gauge(&count.total())?;
        }
    }
    Ok(())
}

fn durations(
    encoder: &mut DescriptorEncoder<'_>,
    metrics: &Metrics,
    group: &str,
    counted: &[(&Series, BTreeMap<Kind, Totals>)],
) -> fmt::Result {
    let name = format!("traefik_{group}_request_duration_seconds");
    let help = "Time from the head of a request to the end of its answer";
    let mut histogram = encoder.encode_descriptor(&name, help, None, MetricType::Histogram)?;
    let ends = metrics.options.buckets.iter().copied();
    let ends: Vec<f64> = ends.chain([f64::INFINITY]).collect();
    for (series, totals) in counted {
        for (kind, totals) in totals {
            let labels = labels(series, kind);
            let counts = totals.buckets.iter().copied();
            let buckets: Vec<_> = ends.iter().copied().zip(counts).collect();
            let requests = totals.requests();
            let mut one = histogram.encode_family(&labels)?;
            one.encode_histogram::<NoLabelSet>(totals.seconds, requests, &buckets, None)?;
        }
    }
    Ok(())
}

/// What only services have.
fn services(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[Arc<Series>],
    servers: &Servers,
) -> fmt::Result {
    let help = "Attempts after the first";
    let mut counter = counter(encoder, "traefik_service_retries_total", help)?;
    for series in all {
        let retries = series.retries.total();
        if retries > 0 {
            counter
                .encode_family(&series.labels)?
                .encode_gauge(&retries)?;
        }
    }
    let help = "Whether a server whose health is checked is up (1) or not (0)";
    let mut gauge = gauge(encoder, "traefik_service_server_up", help)?;
    for (service, url, is_up) in servers {
        let labels = [("service", service.as_str()), ("url", &**url)];
        gauge
            .encode_family(&labels)?
            .encode_gauge(&u32::from(*is_up))?;
    }
    Ok(())
}

/// What Traefik does not count.
fn own(encoder: &mut DescriptorEncoder<'_>, metrics: &Metrics) -> fmt::Result {
    let errors = metrics.config_errors.load(Ordering::Relaxed);
    let help = "Errors in the configuration that is served";
    gauge(encoder, "carnet_config_errors", help)?.encode_gauge(&errors)?;
    let is_current = u32::from(metrics.config_is_current.load(Ordering::Relaxed));
    let help = "Whether the configuration could be read as it is now (1), or as it was before (0)";
    gauge(encoder, "carnet_config_current", help)?.encode_gauge(&is_current)?;
    let lost = metrics.lost_lines.load(Ordering::Relaxed);
    let help = "Lines of the access log that could not be written";
    alone(encoder, "carnet_access_log_lost_lines_total", help, &lost)?;
    let help = "Requests that the gateway could not serve; `internal` is a defect of its own";
    let mut counter = counter(encoder, "carnet_faults_total", help)?;
    for (reason, count) in metrics.faults.all().iter() {
        let labels = [("reason", *reason)];
        counter
            .encode_family(&labels)?
            .encode_gauge(&count.total())?;
    }
    Ok(())
}

pub(super) fn gauge<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    name: &'e str,
    help: &str,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)
}

pub(super) fn counter<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    name: &'e str,
    help: &str,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Counter)
}

/// A counter without labels.
fn alone(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    counter(encoder, name, help)?.encode_gauge(value)
}

fn totals(series: &Series) -> Vec<(Kind, Totals)> {
    let kinds = series.kinds.all();
    kinds
        .iter()
        .map(|(kind, cell)| (kind.clone(), cell.totals()))
        .collect()
}

/// Without the labels of headers, which only the counts of requests have.
fn merged(all: Vec<(Kind, Totals)>) -> BTreeMap<Kind, Totals> {
    let mut merged: BTreeMap<Kind, Totals> = BTreeMap::new();
    for (kind, totals) in all {
        let kind = Kind {
            headers: None,
            ..kind
        };
        merged.entry(kind).or_default().add(&totals);
    }
    merged
}

fn labels(series: &Series, kind: &Kind) -> Labels {
    let mut labels = vec![
        ("code", kind.code.to_string()),
        ("method", kind.method.to_owned()),
        ("protocol", kind.protocol.label().to_owned()),
    ];
    labels.extend(series.labels.iter().cloned());
    labels
}
