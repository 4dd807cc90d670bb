//! `tracing` of Hydra's configuration.

use crate::authserver::{from, sound, yaml};

#[test]
fn traces_go_to_a_collector_by_otlp() {
    let document = yaml(
        "tracing: {provider: otel, service_name: tokens, providers: {otlp: {server_url: 'collector:4318', insecure: true, sampling: {sampling_ratio: 0.5}, authorization_header: CANARY}}}",
    );
    let config = sound(&[document], &[]);
    let tracing = config.tracing.as_ref().unwrap();
    assert_eq!(tracing.url.as_str(), "http://collector:4318/v1/traces");
    assert_eq!(tracing.service_name, "tokens");
    assert!((tracing.sampling_ratio - 0.5).abs() < f64::EPSILON);
    assert!(!format!("{config:?}").contains("CANARY"));
    for (server, url) in [
        ("collector:4318", "https://collector:4318/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ("https://a/b/traces", "https://a/b/traces"),
    ] {
        let variables = [
            ("TRACING_PROVIDER", "otel"),
            ("TRACING_PROVIDERS_OTLP_SERVER_URL", server),
        ];
        let tracing = sound(&[], &variables).tracing.unwrap();
        assert_eq!(tracing.url.as_str(), url);
    }
}

#[test]
fn traces_that_go_nowhere_are_one_sentence() {
    for (document, finding) in [
        (
            "tracing: {provider: zipkin, providers: {zipkin: {server_url: 'http://z'}}}",
            "warning: tracing.provider: `zipkin` is not served, and takes OTLP as well: set it to `otel`, and `providers.otlp.server_url`; nothing is traced until then",
        ),
        (
            "tracing: {provider: otel}",
            "error: tracing.providers.otlp.server_url: needs the address of a collector, such as localhost:4318",
        ),
        (
            "tracing: {provider: otle}",
            "expects one of `otel`, `jaeger`, `zipkin`",
        ),
        (
            "tracing: {providers: {otlp: {sampling: {sampling_ratio: 2}}}}",
            "error: tracing.providers.otlp.sampling.sampling_ratio: expects a number from 0 to 1",
        ),
    ] {
        let (config, findings) = from(&[yaml(document)], &[], &[]);
        assert_eq!(findings.len(), 1, "{document}: {findings:#?}");
        assert!(findings[0].ends_with(finding), "{document}: {findings:#?}");
        assert!(config.tracing.is_none());
    }
}
