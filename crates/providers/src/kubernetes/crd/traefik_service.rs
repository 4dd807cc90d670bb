//! `TraefikService`: services made of services.

use carnet_config::diagnostics::Object;
use carnet_config::document::Fields;
use carnet_config::routing::service::{self, Cookie, ErrorStatuses};

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
    /// `mirroring`.
    Mirroring(Box<Mirroring>),
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

/// `mirroring`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirroring {
    /// What stands in `mirroring` itself: who answers.
    pub service: ServiceEntry,
    /// `mirrors[]`.
    pub mirrors: Vec<(ServiceEntry, service::Mirror)>,
    /// The other options.
    pub options: service::Mirroring,
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
        let entries: Vec<&ServiceEntry> = match self {
            Self::Weighted { services, .. } | Self::HighestRandomWeight(services) => {
                services.iter().collect()
            }
            Self::Failover(failover) => vec![&failover.service, &failover.fallback],
            Self::Mirroring(mirroring) => {
                let mirrors = mirroring.mirrors.iter().map(|(entry, _)| entry);
                std::iter::once(&mirroring.service).chain(mirrors).collect()
            }
        };
        entries.into_iter()
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
        let mirroring = fields.map("mirroring", Mirroring::read);
        let failover = failover.map(|read| read.map(|read| Self::Failover(Box::new(read))));
        let mirroring = mirroring.map(|read| read.map(|read| Self::Mirroring(Box::new(read))));
        let mut kinds = [weighted.map(Some), hashed.map(Some), failover, mirroring]
            .into_iter()
            .flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => kind,
            (None, _) => {
                let known = "`weighted`, `highestRandomWeight`, `failover` or `mirroring`";
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

impl Mirroring {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let mirrors = fields.maps("mirrors", |fields| {
            let entry = ServiceEntry::read(fields);
            let name = entry.as_ref().map(|entry| entry.reference.name.clone());
            entry.zip(service::Mirror::read(fields, name))
        });
        let service = ServiceEntry::read(fields);
        let options = service::Mirroring::read_options(fields);
        Some(Self {
            service: service?,
            mirrors: mirrors.into_iter().collect::<Option<_>>()?,
            options,
        })
    }
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
