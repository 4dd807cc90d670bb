//! Flags, environment variables and where files are looked for.

use std::collections::BTreeMap;
use std::time::Duration;

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::document::parse_yaml;
use carnet_config::install::providers::FileSource;
use carnet_config::install::{
    InstallConfig, config_file, read_document, read_environment, read_flags, search_names,
};

fn arguments(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

fn flags(flags: &[&str]) -> InstallConfig {
    let (config, findings) = read_flags(&arguments(flags));
    assert_eq!(findings, []);
    config
}

fn told(findings: &[Diagnostic]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

fn environment(variables: &[(&str, &str)]) -> (InstallConfig, Vec<Diagnostic>) {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    read_environment(&variables.iter().map(owned).collect::<BTreeMap<_, _>>())
}

fn document(text: &str) -> InstallConfig {
    let (config, findings) = read_document(&parse_yaml(text, "a.yaml").unwrap().remove(0));
    assert_eq!(findings, []);
    config
}

const DOCUMENT: &str = "
entryPoints:
  web: {address: ':8000', asDefault: true, forwardedHeaders: {trustedIPs: [10.0.0.0/8, 127.0.0.1]}}
  websecure: {address: ':8443', http: {middlewares: [a@file, b@file]}}
providers: {file: {directory: /etc/gateway, watch: false}}
accessLog: {filters: {statusCodes: [404, 500-503]}}
log: {level: DEBUG}
ping: {}
";

#[test]
fn flags_say_what_a_document_says_whatever_their_case_and_form() {
    let forms: [&[&str]; 2] = [
        &[
            "--entryPoints.web.address=:8000",
            "--entryPoints.web.asDefault",
            "--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.0/8,127.0.0.1",
            "--entryPoints.websecure.address=:8443",
            "--entryPoints.websecure.http.middlewares=a@file",
            "--entryPoints.websecure.http.middlewares=b@file",
            "--providers.file.directory=/etc/gateway",
            "--providers.file.watch=false",
            "--accessLog.filters.statusCodes[1]=500-503",
            "--accessLog.filters.statusCodes[0]=404",
            "--log.level=INFO",
            "--log.level=DEBUG",
            "--ping",
        ],
        &[
            "--ENTRYPOINTS.web.ADDRESS",
            ":8000",
            "-entrypoints.web.asdefault",
            "true",
            "--entrypoints.web.forwardedheaders.trustedips[0]=10.0.0.0/8",
            "--entrypoints.web.forwardedheaders.trustedips[1]=127.0.0.1",
            "--entrypoints.websecure.address=:8443",
            "--entrypoints.websecure.http.middlewares=a@file, b@file",
            "--providers.file.directory",
            "/etc/gateway",
            "--providers.file.watch=false",
            "--accesslog=true",
            "--accesslog.filters.statuscodes=404,500-503",
            "--log.level=DEBUG",
            "--ping=true",
            "--configFile=elsewhere.yaml",
        ],
    ];
    for form in forms {
        assert_eq!(flags(form), document(DOCUMENT));
    }
}

#[test]
fn variables_say_what_a_document_says() {
    let (config, findings) = environment(&[
        ("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS", ":8000"),
        ("TRAEFIK_ENTRYPOINTS_WEB_ASDEFAULT", "true"),
        (
            "TRAEFIK_ENTRYPOINTS_WEB_FORWARDEDHEADERS_TRUSTEDIPS",
            "10.0.0.0/8,127.0.0.1",
        ),
        ("TRAEFIK_ENTRYPOINTS_WEBSECURE_ADDRESS", ":8443"),
        ("TRAEFIK_ENTRYPOINTS_WEBSECURE_HTTP_MIDDLEWARES_0", "a@file"),
        ("TRAEFIK_ENTRYPOINTS_WEBSECURE_HTTP_MIDDLEWARES_1", "b@file"),
        ("TRAEFIK_PROVIDERS_FILE_DIRECTORY", "/etc/gateway"),
        ("TRAEFIK_PROVIDERS_FILE_WATCH", "false"),
        ("TRAEFIK_ACCESSLOG", "true"),
        ("TRAEFIK_ACCESSLOG_FILTERS_STATUSCODES", "404,500-503"),
        ("TRAEFIK_LOG_LEVEL", "DEBUG"),
        ("TRAEFIK_PING", "true"),
        ("HOME", "/root"),
    ]);
    assert_eq!(told(&findings), [""; 0]);
    assert_eq!(config, document(DOCUMENT));
}

#[test]
fn variables_that_mean_nothing_are_no_error_and_switch_nothing_on() {
    let (config, findings) = environment(&[
        ("TRAEFIK_SERVICE_HOST", "10.0.0.1"),
        ("TRAEFIK_PORT", "tcp://10.0.0.1:80"),
        ("TRAEFIK_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("TRAEFIK_PING_SERVICE_PORT", "80"),
        ("TRAEFIK_ACCESSLOG_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("TRAEFIK_LOG_PORT", "tcp://10.0.0.1:80"),
        ("TRAEFIK_ENTRYPOINTS_PORT", "tcp://10.0.0.1:80"),
        ("TRAEFIK_ENTRYPOINTS_WEB_SERVICE_PORT", "80"),
        ("TRAEFIK_PROVIDERS_FILE_SERVICE_PORT", "80"),
        ("TRAEFIK__", "x"),
    ]);
    assert_eq!(told(&findings), [""; 0]);
    assert_eq!(config, flags(&[]));
}

#[test]
fn what_is_seen_is_switched_on_by_flags() {
    let config = flags(&[
        "--api.insecure",
        "--metrics.prometheus",
        "--metrics.prometheus.buckets=0.5,1",
        "--tracing",
        "--tracing.otlp.http.endpoint=http://collector:4318",
    ]);
    assert!(config.api.is_some_and(|api| api.insecure && api.dashboard));
    let prometheus = config.metrics.prometheus.unwrap();
    assert_eq!(prometheus.buckets, [0.5, 1.0]);
    let otlp = config.tracing.unwrap().otlp;
    assert_eq!(otlp.endpoint.as_str(), "http://collector:4318/v1/traces");
    assert_eq!(config.entry_points["traefik"].address, ":8080");
    let otlp = flags(&["--tracing.otlp=true"]).tracing.unwrap().otlp;
    assert_eq!(otlp.endpoint.as_str(), "https://localhost:4318/v1/traces");
}

#[test]
fn variables_with_values_that_do_not_fit_are_errors() {
    let (_, findings) = environment(&[("TRAEFIK_LOG_LEVEL", "loud")]);
    assert_eq!(
        told(&findings),
        [
            "environment: error: log.level: expects one of `TRACE`, `DEBUG`, `INFO`, `WARN`, `WARNING`, `ERROR`, `FATAL`, `PANIC`"
        ]
    );
}

#[test]
fn flags_nobody_knows_are_errors_with_the_nearest_word() {
    let mistakes = [
        "up",
        "--entryPoints.web.adress=:80",
        "--entryPoint.web.address=:80",
        "--log.level",
        "--",
        "--a..b=c",
    ];
    let (_, findings) = read_flags(&arguments(&mistakes));
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity == Severity::Error)
    );
    assert_eq!(
        told(&findings),
        [
            "flag: error: argument 1 belongs to no flag; flags start with `--`",
            "flag: error: `--` is no name of an option",
            "flag: error: `--a..b` is no name of an option",
            "flag: error: entryPoints.web.adress: unknown option `adress`; did you mean `address`?",
            "flag: error: log.level: expects one of `TRACE`, `DEBUG`, `INFO`, `WARN`, `WARNING`, `ERROR`, `FATAL`, `PANIC`",
            "flag: error: entryPoint: unknown option `entryPoint`; did you mean `entryPoints`?",
        ]
    );
}

#[test]
fn known_flags_that_are_not_served_are_warnings() {
    let (config, findings) = read_flags(&arguments(&["--ocsp", "--hub.token=CANARY"]));
    assert_eq!(
        told(&findings),
        [
            "flag: warning: ocsp: `ocsp` is not served yet; remove it; see docs/reference/not-yet.md#install-configuration",
            "flag: warning: hub: `hub` is not served yet: no token is needed; remove it; see docs/reference/not-yet.md#install-configuration",
        ]
    );
    assert_eq!(config, flags(&[]));
}

#[test]
fn without_entry_points_there_is_one_at_port_80() {
    let config = flags(&[]);
    let addresses = |config: &InstallConfig| -> Vec<(String, String)> {
        let all = config.entry_points.iter();
        all.map(|(name, e)| (name.clone(), e.address.clone()))
            .collect()
    };
    let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    assert_eq!(addresses(&config), [pair("http", ":80")]);
    let config = flags(&["--ping"]);
    assert_eq!(
        addresses(&config),
        [pair("http", ":80"), pair("traefik", ":8080")]
    );
    let config = flags(&["--ping", "--entrypoints.traefik.address=:9000"]);
    assert_eq!(addresses(&config), [pair("traefik", ":9000")]);
    let config = flags(&["--ping.manualRouting", "--entrypoints.web.address=:81"]);
    assert_eq!(addresses(&config), [pair("web", ":81")]);
    let config = flags(&["--ping=false"]);
    assert_eq!(config.ping, None);
}

#[test]
fn the_file_provider_has_its_defaults() {
    let config = flags(&["--providers.file.filename=a.yaml"]);
    let file = config.providers.file.unwrap();
    assert_eq!(file.source, FileSource::File("a.yaml".into()));
    assert!(file.watch);
    assert_eq!(config.providers.throttle, Duration::from_secs(2));
}

#[test]
fn our_files_come_before_those_of_traefik_in_its_folders() {
    let names = search_names(Some("/xdg"), Some("/home/me"));
    assert_eq!(names.len(), 24);
    assert_eq!(names[0], "/etc/traefik/carnet.yaml");
    assert_eq!(names[3], "/xdg/carnet.yaml");
    assert_eq!(names[8], "/home/me/.config/carnet.toml");
    assert_eq!(names[11], "./carnet.toml");
    assert_eq!(names[12], "/etc/traefik/traefik.yaml");
    assert_eq!(search_names(None, Some("")).len(), 12);
}

#[test]
fn the_flag_that_names_the_file_is_found() {
    let given = arguments(&["--ping", "--configfile", "a.toml", "--log.level=INFO"]);
    assert_eq!(config_file(&given), Some("a.toml"));
    assert_eq!(
        config_file(&arguments(&["--configFile=b.yaml"])),
        Some("b.yaml")
    );
    assert_eq!(config_file(&arguments(&["--ping"])), None);
}
