//! `TraefikService`: services made of services.

use carnet_config::diagnostics::Object;

use super::{ServiceEntry, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `TraefikService.spec`, of which `weighted` is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraefikService {
    /// `weighted.services`.
    pub weighted: Vec<ServiceEntry>,
}

impl TraefikService {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let weighted = fields.map("weighted", |weighted| {
            weighted.not_yet("TraefikService.spec.weighted");
            let services = weighted.maps("services", ServiceEntry::read);
            services.into_iter().flatten().collect()
        });
        let others = ["failover", "highestRandomWeight", "mirroring"];
        let is_other = others.map(|kind| fields.has(kind)).contains(&true);
        fields.not_yet("TraefikService.spec");
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
