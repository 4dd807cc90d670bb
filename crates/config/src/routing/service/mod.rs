//! `http.services.<name>`: what stands behind a router. A service is of one kind: servers
//! (`load_balancer.rs`) or other services (`weighted.rs`, `failover.rs`). What several kinds have
//! is in `sticky.rs` and `health_check.rs`.

use crate::Shared;
use crate::document::Fields;
use crate::not_yet::SERVICE_KINDS;

mod failover;
mod health_check;
mod load_balancer;
mod sticky;
mod weighted;

pub use failover::{ErrorStatuses, Failover};
pub use health_check::{HealthCheck, Mode, PassiveHealthCheck};
pub use load_balancer::{LoadBalancer, Server, Strategy};
pub use sticky::{Cookie, SameSite};
pub use weighted::{HighestRandomWeight, Weighted, WeightedService};

/// A service: one kind, checked when read.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// `loadBalancer`.
    LoadBalancer(Shared<LoadBalancer>),
    /// `weighted`: other services by weight.
    Weighted(Weighted),
    /// `highestRandomWeight`: other services by the client's address.
    HighestRandomWeight(HighestRandomWeight),
    /// `failover`: one service, and another for when it fails.
    Failover(Failover),
}

impl Service {
    /// Reads `http.services.<name>`. `None` when it is of no kind that is served; the findings say
    /// why.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let balancer = fields.section("loadBalancer", LoadBalancer::read);
        let weighted = fields.section("weighted", Weighted::read);
        let hashed = fields.section("highestRandomWeight", HighestRandomWeight::read);
        let failover = fields.section("failover", Failover::read);
        let is_later = fields.has("mirroring");
        fields.not_yet(SERVICE_KINDS);
        let kinds = [
            balancer.map(|balancer| Self::LoadBalancer(Shared::new(balancer))),
            weighted.map(Self::Weighted),
            hashed.map(Self::HighestRandomWeight),
            failover.flatten().map(Self::Failover),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) if !is_later => Some(kind),
            (None, None) if is_later || fields.has("failover") => None,
            (None, None) => {
                let known = "`loadBalancer`, `weighted`, `highestRandomWeight` or `failover`";
                fields.error("", format!("names no kind of service: {known}"));
                None
            }
            _ => {
                fields.error("", "a service has one kind; make several services");
                None
            }
        }
    }

    /// The references to other services.
    pub fn children(&mut self) -> Vec<&mut String> {
        match self {
            Self::LoadBalancer(_) => Vec::new(),
            Self::Weighted(weighted) => names(&mut weighted.services),
            Self::HighestRandomWeight(hashed) => names(&mut hashed.services),
            Self::Failover(failover) => vec![&mut failover.service, &mut failover.fallback],
        }
    }
}

fn names(services: &mut [WeightedService]) -> Vec<&mut String> {
    services.iter_mut().map(|child| &mut child.name).collect()
}
