//! From a tree to an [`InstallConfig`], whatever the source.

use super::{
    AccessLog, Api, EntryPoint, InstallConfig, Log, Metrics, Ping, Providers, Tracing,
    certificates_resolvers,
};
use crate::diagnostics::Diagnostic;
use crate::document::{Fields, Node, Spelling};
use crate::nearest::suggestion;
use crate::not_yet;
use crate::routing::ServersTransport;

/// The entry point that is made for what the gateway itself answers.
const INTERNAL: &str = "traefik";

/// Reads the document of a file. With an error among the findings the gateway does not start.
pub fn read_document(root: &Node) -> (InstallConfig, Vec<Diagnostic>) {
    read(root, Spelling::AnyCase)
}

pub(super) fn read(root: &Node, spelling: Spelling) -> (InstallConfig, Vec<Diagnostic>) {
    let mut fields = Fields::new(root, "", spelling);
    fields.not_yet(not_yet::INSTALL_TOP);
    let declared = fields.entries("entryPoints", |name, entry_point| {
        (name.to_owned(), EntryPoint::read(entry_point))
    });
    let names: Vec<String> = declared.iter().map(|(name, _)| name.clone()).collect();
    let served = declared
        .into_iter()
        .filter_map(|(name, entry_point)| Some((name, entry_point?)));
    let mut config = InstallConfig {
        entry_points: served.collect(),
        providers: fields.map("providers", Providers::read).unwrap_or_default(),
        access_log: fields.map("accessLog", AccessLog::read),
        log: fields.map("log", Log::read).unwrap_or_default(),
        ping: fields.map("ping", Ping::read),
        certificates_resolvers: Default::default(),
        api: fields.map("api", Api::read),
        metrics: fields.map("metrics", Metrics::read).unwrap_or_default(),
        tracing: fields.map("tracing", Tracing::read).flatten(),
        servers_transport: fields
            .map("serversTransport", ServersTransport::read)
            .unwrap_or_default(),
    };
    if names.is_empty() {
        let default = EntryPoint::at(":80");
        config.entry_points.insert("http".to_owned(), default);
    }
    for (key, name) in wanted(&config) {
        place(&mut config, &names, &mut fields, (key, name));
    }
    let entry_points: Vec<&str> = config.entry_points.keys().map(String::as_str).collect();
    let resolvers = fields.entries("certificatesResolvers", |name, resolver| {
        let acme = certificates_resolvers::read(resolver, &entry_points)?;
        Some((name.to_owned(), acme))
    });
    config.certificates_resolvers = resolvers.into_iter().flatten().collect();
    (config, fields.finish())
}

/// Where the gateway itself answers, by the key that says so.
fn wanted(config: &InstallConfig) -> Vec<(&'static str, String)> {
    let ping = config.ping.as_ref().filter(|ping| !ping.manual_routing);
    let prometheus = config.metrics.prometheus.as_ref();
    let prometheus = prometheus.filter(|prometheus| !prometheus.manual_routing);
    let api = config.api.as_ref().filter(|api| api.insecure);
    let wanted = [
        ping.map(|ping| ("ping.entryPoint", ping.entry_point.clone())),
        prometheus.map(|metrics| ("metrics.prometheus.entryPoint", metrics.entry_point.clone())),
        api.map(|_| ("api.insecure", INTERNAL.to_owned())),
    ];
    wanted.into_iter().flatten().collect()
}

/// The entry point called `traefik` is made when it is needed and nobody declares it.
fn place(
    config: &mut InstallConfig,
    declared: &[String],
    fields: &mut Fields<'_>,
    (key, name): (&str, String),
) {
    if declared.contains(&name) || config.entry_points.contains_key(&name) {
        return;
    }
    if name == INTERNAL {
        config.entry_points.insert(name, EntryPoint::at(":8080"));
    } else {
        let near = suggestion(&name, declared.iter().map(String::as_str));
        let message = format!("no entry point is called `{name}`{near}");
        fields.error(key, message);
    }
}
