//! Which Secrets objects name, for who may not list them all.

use std::collections::BTreeSet;

use carnet_config::document::{Node, Value};

use super::middleware::PREFIX;
use crate::kubernetes::crd::{CertificateSource, Reference};
use crate::kubernetes::objects::{ObjectName, Objects};

/// Where Middlewares name Secrets as wholes.
const IN_MIDDLEWARES: [&str; 7] = [
    "spec.basicAuth.secret",
    "spec.digestAuth.secret",
    "spec.forwardAuth.tls.caSecret",
    "spec.forwardAuth.tls.certSecret",
    "spec.rateLimit.redis.secret",
    "spec.rateLimit.redis.tls.caSecret",
    "spec.rateLimit.redis.tls.certSecret",
];

/// The Secrets that the objects name, whether they are there or not.
pub(in crate::kubernetes) fn named_secrets(objects: &Objects) -> BTreeSet<ObjectName> {
    let mut names = BTreeSet::new();
    for (name, node) in &objects.middlewares {
        in_tree(node, &name.namespace, &mut names);
        for path in IN_MIDDLEWARES {
            let named = path.split('.').try_fold(node, Node::member);
            if let Some(secret) = named.and_then(Node::scalar) {
                names.insert(ObjectName::new(&name.namespace, secret));
            }
        }
    }
    let mut add = |namespace: &str, reference: &Reference| {
        names.insert(ObjectName::new(namespace, &reference.name));
    };
    for (name, object) in &objects.ingress_routes {
        let tls = object.value.as_ref().and_then(|route| route.tls.as_ref());
        for reference in tls.iter().filter_map(|tls| tls.secret.as_ref()) {
            add(&name.namespace, reference);
        }
    }
    for (name, object) in &objects.ingresses {
        let secrets = object.value.iter().flat_map(|ingress| &ingress.secrets);
        secrets.for_each(|reference| add(&name.namespace, reference));
    }
    for (name, object) in &objects.tls_options {
        let authorities = object.value.iter().flat_map(|option| &option.authorities);
        authorities.for_each(|reference| add(&name.namespace, reference));
    }
    for (name, object) in &objects.tls_stores {
        if let Some(store) = &object.value {
            let all = store.certificates.iter().chain(&store.default_certificate);
            all.for_each(|reference| add(&name.namespace, reference));
        }
    }
    for (name, object) in &objects.servers_transports {
        if let Some(transport) = &object.value {
            let roots = transport.root_cas.iter().filter_map(|source| match source {
                CertificateSource::Secret(reference) => Some(reference),
                CertificateSource::ConfigMap(_) => None,
            });
            let all = transport.certificates.iter().chain(roots);
            all.for_each(|reference| add(&name.namespace, reference));
        }
    }
    names
}

fn in_tree(node: &Node, namespace: &str, names: &mut BTreeSet<ObjectName>) {
    match &node.value {
        Value::Text(text) => {
            let named = text
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split_once(':'));
            if let Some((name, _)) = named {
                names.insert(ObjectName::new(namespace, name));
            }
        }
        Value::List(items) => items
            .iter()
            .for_each(|item| in_tree(item, namespace, names)),
        Value::Map(members) => members
            .iter()
            .for_each(|member| in_tree(&member.value, namespace, names)),
        _ => {}
    }
}
