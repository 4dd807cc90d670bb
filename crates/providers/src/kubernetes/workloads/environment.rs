//! The environment of a container, as the kubelet makes it: `envFrom`, then `env`, whose values may
//! refer to earlier ones by `$(NAME)`.

use std::collections::BTreeMap;

use carnet_config::diagnostics::{Diagnostic, Severity};
use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar};
use secrecy::ExposeSecret;

use crate::kubernetes::manifests::Identity;
use crate::kubernetes::objects::{ObjectName, Objects};

/// Resolves the environment; what is missing is reported, and the container must not start then.
pub(super) fn resolve(
    objects: &Objects,
    identity: &Identity,
    container: &Container,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut resolver = Resolver {
        objects,
        namespace: &identity.namespace,
        env: BTreeMap::new(),
        missing: Vec::new(),
    };
    for source in container.env_from.iter().flatten() {
        resolver.take_all(source);
    }
    for variable in container.env.iter().flatten() {
        resolver.take(variable);
    }
    diagnostics.extend(resolver.missing.into_iter().map(|what| Diagnostic {
        severity: Severity::Error,
        object: identity.to_string(),
        key: format!("container {}", container.name),
        message: format!("{what} is not there; it starts once it is"),
        position: None,
    }));
    resolver.env
}

/// `$(NAME)` becomes the variable's value, where there is one; `$$(NAME)` stands for `$(NAME)`.
pub(super) fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(escaped) = after.strip_prefix('$') {
            expanded.push('$');
            rest = escaped;
            continue;
        }
        let name = after
            .strip_prefix('(')
            .and_then(|text| text.split_once(')'));
        match name.and_then(|(name, tail)| Some((env.get(name)?, tail))) {
            Some((value, tail)) => {
                expanded.push_str(value);
                rest = tail;
            }
            None => {
                expanded.push('$');
                rest = after;
            }
        }
    }
    expanded + rest
}

struct Resolver<'a> {
    objects: &'a Objects,
    namespace: &'a str,
    env: BTreeMap<String, String>,
    missing: Vec<String>,
}

impl Resolver<'_> {
    fn take_all(&mut self, source: &EnvFromSource) {
        let prefix = source.prefix.as_deref().unwrap_or_default();
        if let Some(secret) = &source.secret_ref {
            let name = ObjectName::new(self.namespace, &secret.name);
            match self.objects.secrets.get(&name) {
                Some(found) => {
                    for key in found.keys() {
                        if let Some(value) = found.text(key) {
                            let value = value.expose_secret().to_owned();
                            self.env.insert(format!("{prefix}{key}"), value);
                        }
                    }
                }
                None => self.miss(secret.optional, || format!("Secret {name}")),
            }
        }
        if let Some(map) = &source.config_map_ref {
            let name = ObjectName::new(self.namespace, &map.name);
            match self.objects.config_maps.get(&name) {
                Some(found) => {
                    for (key, value) in found.data.iter().flatten() {
                        self.env.insert(format!("{prefix}{key}"), value.clone());
                    }
                }
                None => self.miss(map.optional, || format!("ConfigMap {name}")),
            }
        }
    }

    fn take(&mut self, variable: &EnvVar) {
        let value = match &variable.value_from {
            None => Some(expand(
                variable.value.as_deref().unwrap_or_default(),
                &self.env,
            )),
            Some(source) => match (&source.secret_key_ref, &source.config_map_key_ref) {
                (Some(secret), _) => self.secret(&secret.name, &secret.key, secret.optional),
                (_, Some(map)) => self.config_map(&map.name, &map.key, map.optional),
                // Resources and fields of a pod do not exist here.
                (None, None) => {
                    tracing::debug!(variable.name = variable.name, "valueFrom is ignored");
                    None
                }
            },
        };
        if let Some(value) = value {
            self.env.insert(variable.name.clone(), value);
        }
    }

    fn secret(&mut self, name: &str, key: &str, optional: Option<bool>) -> Option<String> {
        let name = ObjectName::new(self.namespace, name);
        let secret = self.objects.secrets.get(&name);
        let value = secret.and_then(|secret| secret.text(key));
        if value.is_none() {
            self.miss(optional, || format!("key `{key}` of Secret {name}"));
        }
        value.map(|value| value.expose_secret().to_owned())
    }

    fn config_map(&mut self, name: &str, key: &str, optional: Option<bool>) -> Option<String> {
        let name = ObjectName::new(self.namespace, name);
        let map = self.objects.config_maps.get(&name);
        let value = map.and_then(|map| map.data.as_ref()?.get(key)).cloned();
        if value.is_none() {
            self.miss(optional, || format!("key `{key}` of ConfigMap {name}"));
        }
        value
    }

    fn miss(&mut self, optional: Option<bool>, what: impl FnOnce() -> String) {
        if optional != Some(true) {
            self.missing.push(what());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_earlier_variables_are_expanded() {
        let env = BTreeMap::from([("HOST".to_owned(), "hydra".to_owned())]);
        for (text, expected) in [
            ("http://$(HOST):4444", "http://hydra:4444"),
            ("$$(HOST)", "$(HOST)"),
            ("$(ABSENT) $HOST $", "$(ABSENT) $HOST $"),
        ] {
            assert_eq!(expand(text, &env), expected);
        }
    }
}
