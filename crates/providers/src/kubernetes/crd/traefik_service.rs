//! `TraefikService`: services made of services.

use carnet_config::diagnostics::{Object, Severity};
use carnet_config::document::{Fields, Spelling};

use super::ServiceEntry;
use crate::kubernetes::manifests::ManifestObject;

/// `TraefikService.spec`, of which `weighted` is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraefikService {
    /// `weighted.services`.
    pub weighted: Vec<ServiceEntry>,
}

impl TraefikService {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let Some(spec) = object.node.member("spec") else {
            return Object {
                value: None,
                diagnostics: vec![object.finding(&["spec"], "`spec` is missing")],
            };
        };
        let label = object.identity.to_string();
        let mut fields = Fields::below(spec, label, "spec".to_owned(), Spelling::Exact);
        let weighted = fields.map("weighted", |weighted| {
            weighted.unserved(Severity::Error, &["sticky"], "");
            let services = weighted.maps("services", ServiceEntry::read);
            services.into_iter().flatten().collect()
        });
        let others = ["failover", "highestRandomWeight", "mirroring"];
        let is_other = others.map(|kind| fields.has(kind)).contains(&true);
        fields.unserved(Severity::Error, &others, "; use `weighted`");
        if weighted.as_ref().is_none_or(Vec::is_empty) && !is_other {
            let message = "expects `services`, a list of one service or more";
            fields.error("weighted", message);
        }
        Object {
            value: weighted.map(|weighted| Self { weighted }),
            diagnostics: fields.finish(),
        }
    }
}
