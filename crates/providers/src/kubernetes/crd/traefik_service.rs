//! `TraefikService`: services made of services.

use carnet_config::diagnostics::Object;
use carnet_config::document::Fields;
use carnet_config::routing::service::{Cookie, ErrorStatuses};

use super::{ServiceEntry, spec};
use crate::kubernetes::manifests::ManifestObject;

/// `TraefikService.spec`.
#[derive(Debug, Clone, PartialEq)]
pub enum TraefikService {
    /// `weighted`.
    Weighted {
        /// `weighted.services`.
        services: Vec<ServiceEntry>,
        /// `weighted.sticky`.
        sticky: Option<Cookie>,
    },
    /// `highestRandomWeight.services`.
    HighestRandomWeight(Vec<ServiceEntry>),
    /// `failover`.
    Failover(Box<Failover>),
}

/// `failover`.
#[derive(Debug, Clone, PartialEq)]
pub struct Failover {
    /// `service`.
    pub service: ServiceEntry,
    /// `fallback`.
    pub fallback: ServiceEntry,
    /// `errors`.
    pub errors: Option<ErrorStatuses>,
}

impl TraefikService {
    pub(in crate::kubernetes) fn read(object: &ManifestObject) -> Object<Self> {
        let mut fields = match spec(object) {
            Ok(fields) => fields,
            Err(missing) => return Object::closed(missing),
        };
        let value = Self::kind(&mut fields);
        Object {
            value,
            diagnostics: fields.finish(),
        }
    }

    /// All entries, whatever they are for.
    pub(in crate::kubernetes) fn entries(&self) -> impl Iterator<Item = &ServiceEntry> {
        let (many, two) = match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                (services.as_slice(), None)
            }
            Self::Failover(failover) => (&[][..], Some([&failover.service, &failover.fallback])),
        };
        many.iter().chain(two.into_iter().flatten())
    }

    fn kind(fields: &mut Fields<'_>) -> Option<Self> {
        let weighted = fields.map("weighted", |weighted| Self::Weighted {
            services: entries(weighted),
            sticky: Cookie::read(weighted),
        });
        let hashed = fields.map("highestRandomWeight", |hashed| {
            Self::HighestRandomWeight(entries(hashed))
        });
        let failover = fields.map("failover", Failover::read);
        fields.not_yet("TraefikService.spec");
        let failover = failover.map(|read| read.map(|read| Self::Failover(Box::new(read))));
        let mut kinds = [weighted.map(Some), hashed.map(Some), failover]
            .into_iter()
            .flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind,
            (None, _) if fields.has("mirroring") => None,
            (None, _) => {
                let known = "`weighted`, `highestRandomWeight` or `failover`";
                fields.error("", format!("names no kind of service: {known}"));
                None
            }
            (Some(_), Some(_)) => {
                fields.error("", "a service has one kind; make several services");
                None
            }
        }
    }
}

fn entries(fields: &mut Fields<'_>) -> Vec<ServiceEntry> {
    let entries = fields.maps("services", ServiceEntry::read);
    if entries.is_empty() {
        fields.error("services", "expects a list of one service or more");
    }
    entries.into_iter().flatten().collect()
}

impl Failover {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let service = fields.map("service", ServiceEntry::read);
        let fallback = fields.map("fallback", ServiceEntry::read);
        for (key, entry) in [("service", &service), ("fallback", &fallback)] {
            if entry.is_none() {
                fields.error(key, format!("`{key}` is missing"));
            }
        }
        let errors = ErrorStatuses::read(fields);
        Some(Self {
            service: service??,
            fallback: fallback??,
            errors,
        })
    }
}
