//! References between objects: namespaces are borders unless `allowCrossNamespace` opens them.

use std::collections::BTreeMap;

use carnet_config::nearest::suggestion;

use super::Translation;
use crate::kubernetes::NAME;
use crate::kubernetes::crd::Reference;
use crate::kubernetes::objects::ObjectName;

/// What a reference leads to.
pub(super) enum Target {
    /// An object of this provider.
    Object(ObjectName),
    /// `name@provider`.
    Qualified(String),
}

impl Translation<'_> {
    /// Where a reference of an object in `namespace` leads, or why it must not.
    pub(super) fn target(&self, namespace: &str, reference: &Reference) -> Result<Target, String> {
        let name = &reference.name;
        if name.contains('@') {
            if is_own(name) && !self.options.allow_cross_namespace {
                return Err(format!(
                    "`{name}` may be in any namespace, and allowCrossNamespace is off; \
                     write the name alone"
                ));
            }
            return Ok(Target::Qualified(name.clone()));
        }
        let wanted = reference.namespace.as_deref().unwrap_or(namespace);
        if wanted != namespace && !self.options.allow_cross_namespace {
            return Err(format!(
                "`{wanted}/{name}` is in another namespace, and allowCrossNamespace is off"
            ));
        }
        Ok(Target::Object(ObjectName::new(wanted, name)))
    }

    /// What the object of a reference is called in the routing configuration.
    pub(super) fn named(
        &self,
        kind: &str,
        names: &BTreeMap<ObjectName, String>,
        namespace: &str,
        reference: &Reference,
    ) -> Result<String, String> {
        match self.target(namespace, reference)? {
            Target::Qualified(name) => Ok(name),
            Target::Object(object) => match names.get(&object) {
                Some(name) => Ok(name.clone()),
                None => Err(absent(kind, &object, names.keys())),
            },
        }
    }
}

/// Whether `name@provider` is of this provider.
pub(super) fn is_own(name: &str) -> bool {
    name.rsplit_once('@')
        .is_some_and(|(_, provider)| provider == NAME)
}

/// A sentence about an object that is not there, with the nearest one of its namespace.
pub(super) fn absent<'a>(
    kind: &str,
    object: &ObjectName,
    known: impl Iterator<Item = &'a ObjectName>,
) -> String {
    let near = known
        .filter(|known| known.namespace == object.namespace)
        .map(|known| known.name.as_str());
    let suggestion = suggestion(&object.name, near);
    format!("{kind} {object} does not exist{suggestion}")
}
