//! `{name, namespace}`: how one object names another.

use carnet_config::diagnostics::Position;
use carnet_config::document::{Fields, Node};

/// A reference that was not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Name of the object, or `name@provider`.
    pub name: String,
    /// Its namespace; `None`: that of the object that refers to it.
    pub namespace: Option<String>,
    /// Dotted path of the key that holds the name.
    pub key: String,
    /// Where the name stands.
    pub position: Position,
}

impl Reference {
    /// Reads `name` and `namespace`; `None` without a name, which is reported.
    pub(in crate::kubernetes) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let namespace = fields.text("namespace");
        let mut reference = Self::plain(fields, "name");
        if reference.is_none() {
            fields.required_text("name");
        }
        if let Some(reference) = &mut reference {
            reference.namespace = namespace.filter(|namespace| !namespace.is_empty());
        }
        reference
    }

    /// Reads a key whose value is a list of names.
    pub(in crate::kubernetes) fn list(fields: &mut Fields<'_>, key: &'static str) -> Vec<Self> {
        let dotted = fields.dotted(key);
        let names = fields.placed_texts(key).into_iter().enumerate();
        let reference = |(index, (name, node)): (usize, (String, &Node))| Self {
            name,
            namespace: None,
            key: format!("{dotted}[{index}]"),
            position: node.position.clone(),
        };
        names.map(reference).collect()
    }

    /// Reads a key whose value is the name itself.
    pub(in crate::kubernetes) fn plain(fields: &mut Fields<'_>, key: &'static str) -> Option<Self> {
        let name = fields.text(key).filter(|name| !name.is_empty())?;
        let position = fields.node(key)?.position.clone();
        Some(Self {
            name,
            namespace: None,
            key: fields.dotted(key),
            position,
        })
    }
}
