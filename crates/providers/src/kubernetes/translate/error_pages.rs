//! `errors.service` of a Middleware: a service, written as routes write theirs.

use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::document::{Fields, Node, Spelling};

use super::Translation;
use super::service::Backend;
use crate::kubernetes::crd::ServiceEntry;
use crate::kubernetes::objects::ObjectName;

impl Translation<'_> {
    /// The services with error pages, where only some are wanted.
    pub(super) fn translate_error_pages(&mut self) {
        for (name, node) in &self.objects.middlewares {
            // What is wrong was told when the Middleware itself was read.
            let _ = self.error_pages(name, node);
        }
    }

    /// The name of the service with the pages of a Middleware, made if need be; `None`: it has none.
    pub(super) fn error_pages(
        &mut self,
        name: &ObjectName,
        node: &Node,
    ) -> Result<Option<String>, Vec<Diagnostic>> {
        let path = ["spec", "errors", "service"];
        let service = path.iter().try_fold(node, |node, key| node.member(key));
        let Some(service) = service else {
            return Ok(None);
        };
        let label = format!("Middleware {name}");
        let path = path.join(".");
        let mut fields = Fields::below(service, label.clone(), path, Spelling::Exact);
        let entry = ServiceEntry::read(&mut fields);
        let findings = fields.finish();
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        let Some(entry) = entry.filter(|_| !findings.iter().any(is_error)) else {
            return Err(findings);
        };
        let namespace = &name.namespace;
        if !self.is_wanted(namespace, std::iter::once(&entry)) {
            return Ok(None);
        }
        let backend = self.backend(namespace, &label, &entry);
        Ok(Some(match backend.map_err(|finding| vec![finding])? {
            Backend::Named(name) => name,
            Backend::Own(object) => {
                let wanted = format!("{namespace}-{}-errorpage-service", name.name);
                let key = self.names.services.claim(&wanted, &label);
                self.config.services.insert(key.clone(), object);
                key
            }
        }))
    }
}
