//! A whole document of the file provider.

use std::collections::BTreeMap;

use super::tls::{Certificate, CertificateStore, TlsOptions};
use super::{Router, RoutingConfig, ServersTransport, Service, Tls, middleware};
use crate::Shared;
use crate::diagnostics::{Diagnostic, Object, Severity};
use crate::document::{Fields, Node, Spelling, Value};
use crate::not_yet;

/// Reads a document of Traefik's routing configuration. `Err`: nothing of it can be used, because
/// it is no map or a key at its top is unknown. Everything else that is wrong is in the findings of
/// the objects, and what the document as a whole is told in [`RoutingConfig::diagnostics`].
pub fn read(root: &Node) -> Result<RoutingConfig, Vec<Diagnostic>> {
    let mut config = RoutingConfig::default();
    let mut top = Fields::new(root, "", Spelling::AnyCase);
    top.not_yet(not_yet::ROUTES_TOP);
    if let Some(tls) = top.map("tls", tls_section) {
        config.tls = Shared::new(tls);
    }
    top.map("http", |http| {
        config.routers = Shared::new(objects(http, "routers", "router", |node, name| {
            object(node, name, |fields| Some(Router::read(fields)))
        }));
        config.services = objects(http, "services", "service", |node, name| {
            object(node, name, Service::read)
        });
        let middlewares = objects(http, "middlewares", "middleware", middleware::read);
        config.middlewares = Shared::new(middlewares);
        let (key, noun) = ("serversTransports", "serversTransport");
        config.servers_transports = Shared::new(objects(http, key, noun, |node, name| {
            object(node, name, |fields| Some(ServersTransport::read(fields)))
        }));
    });
    misplaced(&mut top);
    config.diagnostics = top.finish();
    let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
    if config.diagnostics.iter().any(is_error) {
        return Err(config.diagnostics);
    }
    Ok(config)
}

/// What is written one level too high, or in the form of another provider.
fn misplaced(top: &mut Fields<'_>) {
    let keys = [
        "labels",
        "middlewares",
        "routers",
        "serversTransports",
        "services",
    ];
    let is_there = |key: &str| {
        let mut members = top.members().iter();
        members.any(|member| member.key.eq_ignore_ascii_case(key))
    };
    for key in keys
        .into_iter()
        .filter(|key| is_there(key))
        .collect::<Vec<_>>()
    {
        let message = match key {
            "labels" => "labels of containers are not read; write the same below `http`".to_owned(),
            _ => format!("stands one level too high; write `http.{key}`"),
        };
        if top.has(key) {
            top.error(key, message);
        }
    }
}

fn tls_section(tls: &mut Fields<'_>) -> Tls {
    let items = match tls.node("certificates") {
        None => &[],
        Some(Node {
            value: Value::List(items),
            ..
        }) => items.as_slice(),
        Some(node) => std::slice::from_ref(node),
    };
    let certificates = items
        .iter()
        .map(|node| object(node, "tls certificate", Certificate::read));
    Tls {
        certificates: certificates.collect(),
        options: objects(tls, "options", "tls option", |node, name| {
            object(node, name, |fields| Some(TlsOptions::read(fields)))
        }),
        stores: objects(tls, "stores", "tls store", |node, name| {
            let store = name.rsplit(' ').next().unwrap_or_default();
            object(node, name, |fields| {
                Some(CertificateStore::read(fields, store))
            })
        }),
    }
}

/// The objects of one kind by their names. `noun` is what messages call them.
fn objects<T>(
    section: &mut Fields<'_>,
    key: &'static str,
    noun: &str,
    read: impl Fn(&Node, &str) -> Object<T>,
) -> BTreeMap<String, Object<T>> {
    let Some(node) = section.node(key) else {
        return BTreeMap::new();
    };
    if !node.is_map() {
        section.error(
            key,
            format!("expects a map of names, found {}", node.kind()),
        );
    }
    let mut objects = BTreeMap::new();
    for member in node.members() {
        let name = &member.key;
        if name.contains('@') {
            let message = "a name holds no `@`; the provider's name is added by itself";
            section.error_at(&format!("{key}.{name}"), &member.key_position, message);
        }
        let object = read(&member.value, &format!("{noun} {name}"));
        objects.insert(name.clone(), object);
    }
    objects
}

fn object<T>(
    node: &Node,
    name: &str,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Object<T> {
    let mut fields = Fields::new(node, name, Spelling::AnyCase);
    let value = read(&mut fields);
    Object {
        value,
        diagnostics: fields.finish(),
    }
}
