//! `http.services.<name>`: what stands behind a router. A service is of one kind: servers
//! (`load_balancer.rs`) or other services (`weighted.rs`, `failover.rs`, `mirroring.rs`), and any may
//! have middlewares. What several kinds have is in `sticky.rs` and `health_check.rs`.

use crate::Shared;
use crate::document::Fields;

mod failover;
mod health_check;
mod load_balancer;
mod mirroring;
mod sticky;
mod weighted;

pub use failover::{ErrorStatuses, Failover};
pub use health_check::{HealthCheck, Mode, PassiveHealthCheck};
pub use load_balancer::{LoadBalancer, Server, Strategy};
pub use mirroring::{Mirror, Mirroring};
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
    /// `mirroring`: one service, and others that get copies of its requests.
    Mirroring(Mirroring),
    /// `middlewares`: one of the others, behind stations of its own.
    Guarded(Box<Guarded>),
}

/// A service with `middlewares`: whatever leads to it passes them, after those of the router.
#[derive(Debug, Clone, PartialEq)]
pub struct Guarded {
    /// `middlewares`, in order. Not empty.
    pub middlewares: Vec<String>,
    /// What stands behind them: of another kind.
    pub service: Service,
}

impl Service {
    /// Reads `http.services.<name>`. `None` when it is of no kind that is served; the findings say
    /// why.
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let balancer = fields.section("loadBalancer", LoadBalancer::read);
        let weighted = fields.section("weighted", Weighted::read);
        let hashed = fields.section("highestRandomWeight", HighestRandomWeight::read);
        let failover = fields.section("failover", Failover::read);
        let mirroring = fields.section("mirroring", Mirroring::read);
        let middlewares = fields.texts("middlewares");
        let kinds = [
            balancer.map(|balancer| Self::LoadBalancer(Shared::new(balancer))),
            weighted.map(Self::Weighted),
            hashed.map(Self::HighestRandomWeight),
            failover.flatten().map(Self::Failover),
            mirroring.flatten().map(Self::Mirroring),
        ];
        let mut kinds = kinds.into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Some(kind.behind(middlewares)),
            (None, None) if fields.has("failover") || fields.has("mirroring") => None,
            (None, None) => {
                let known = "`loadBalancer`, `weighted`, `highestRandomWeight`, `failover` or \
                             `mirroring`";
                fields.error("", format!("names no kind of service: {known}"));
                None
            }
            _ => {
                fields.error("", "a service has one kind; make several services");
                None
            }
        }
    }

    /// This service behind middlewares, if there are any.
    pub fn behind(self, middlewares: Vec<String>) -> Self {
        match middlewares.is_empty() {
            true => self,
            false => Self::Guarded(Box::new(Guarded {
                middlewares,
                service: self,
            })),
        }
    }

    /// Its middlewares.
    pub fn middlewares(&self) -> &[String] {
        match self {
            Self::Guarded(guarded) => &guarded.middlewares,
            _ => &[],
        }
    }

    /// What stands behind its middlewares.
    pub fn unguarded(&self) -> &Self {
        match self {
            Self::Guarded(guarded) => guarded.service.unguarded(),
            _ => self,
        }
    }

    /// The references to other services.
    pub fn children(&mut self) -> Vec<&mut String> {
        match self {
            Self::LoadBalancer(_) => Vec::new(),
            Self::Weighted(weighted) => names(&mut weighted.services),
            Self::HighestRandomWeight(hashed) => names(&mut hashed.services),
            Self::Failover(failover) => vec![&mut failover.service, &mut failover.fallback],
            Self::Mirroring(mirroring) => {
                let mirrors = mirroring.mirrors.iter_mut().map(|mirror| &mut mirror.name);
                std::iter::once(&mut mirroring.service)
                    .chain(mirrors)
                    .collect()
            }
            Self::Guarded(guarded) => guarded.service.children(),
        }
    }
}

fn names(services: &mut [WeightedService]) -> Vec<&mut String> {
    services.iter_mut().map(|child| &mut child.name).collect()
}
