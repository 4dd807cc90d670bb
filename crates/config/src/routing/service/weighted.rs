//! `weighted` and `highestRandomWeight`: other services by shares.

use super::Cookie;
use crate::document::Fields;

/// `weighted`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// The services and their shares.
    pub services: Vec<WeightedService>,
    /// A client comes back to the service that answered it first. Default: it does not.
    pub sticky: Option<Cookie>,
    /// `healthCheck: {}`: a service whose servers are all down is passed over, and a service that
    /// this one is part of hears of it. Default false.
    pub health_check: bool,
}

/// `weighted.services[]`, `highestRandomWeight.services[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedService {
    /// Name of a service.
    pub name: String,
    /// Share of requests. Default 1. With zero it gets none.
    pub weight: u32,
}

/// `highestRandomWeight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HighestRandomWeight {
    /// The services and their shares of clients.
    pub services: Vec<WeightedService>,
    /// As [`Weighted::health_check`].
    pub health_check: bool,
}

impl Weighted {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            services: services(fields),
            sticky: Cookie::read(fields),
            health_check: is_health_checked(fields),
        }
    }
}

impl HighestRandomWeight {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            services: services(fields),
            health_check: is_health_checked(fields),
        }
    }
}

fn services(fields: &mut Fields<'_>) -> Vec<WeightedService> {
    let services = fields.maps("services", |service| {
        let weight = service.number("weight").unwrap_or(1);
        let name = service.required_text("name")?;
        Some(WeightedService { name, weight })
    });
    services.into_iter().flatten().collect()
}

/// `healthCheck: {}` of a service made of services.
pub(super) fn is_health_checked(fields: &mut Fields<'_>) -> bool {
    fields.map("healthCheck", |_| ()).is_some()
}
