//! `weighted` and `highestRandomWeight`: one of several services.

use std::sync::Arc;

use carnet_config::routing::service::{self, WeightedService};
use futures_util::future::BoxFuture;

use super::sticky::Sticky;
use super::strategy::{Hrw, Wrr};
use crate::body::{Request, Response};
use crate::error::{Fault, Reason};
use crate::middleware::{Endpoint, Exchange};

/// One of several services: by turns, or by the client's address.
#[derive(Debug)]
pub(crate) struct Weighted {
    services: Vec<(Arc<dyn Endpoint>, u32)>,
    choice: Choice,
    sticky: Option<Sticky>,
    /// Whether those that are down are passed over.
    looks_at_health: bool,
}

#[derive(Debug)]
enum Choice {
    Turns(Wrr),
    Address(Hrw),
}

impl Weighted {
    /// Services by turns; `children` are theirs in order. The error is one sentence.
    pub(crate) fn by_turns(
        name: &str,
        options: &service::Weighted,
        children: &[Arc<dyn Endpoint>],
    ) -> Result<Self, String> {
        let turns = Wrr::new(options.services.iter().map(|child| child.weight));
        let names = options
            .services
            .iter()
            .map(|child| as_written(&child.name, name));
        let sticky = options.sticky.as_ref();
        let sticky = sticky.map(|cookie| Sticky::new(cookie, name, names));
        Ok(Self {
            sticky: sticky.transpose()?,
            ..Self::over(
                &options.services,
                children,
                Choice::Turns(turns),
                options.health_check,
            )?
        })
    }

    /// Services by the client's address.
    pub(crate) fn by_address(
        name: &str,
        options: &service::HighestRandomWeight,
        children: &[Arc<dyn Endpoint>],
    ) -> Result<Self, String> {
        let services = options.services.iter();
        let hash = Hrw::new(services.map(|child| (as_written(&child.name, name), child.weight)));
        Self::over(
            &options.services,
            children,
            Choice::Address(hash),
            options.health_check,
        )
    }

    fn over(
        options: &[WeightedService],
        children: &[Arc<dyn Endpoint>],
        choice: Choice,
        looks_at_health: bool,
    ) -> Result<Self, String> {
        let children = options.iter().zip(children);
        if looks_at_health
            && let Some((mute, _)) = children.clone().find(|(_, child)| !child.reports_health())
        {
            return Err(format!("its service `{}` has no healthCheck", mute.name));
        }
        Ok(Self {
            services: children
                .map(|(child, endpoint)| (Arc::clone(endpoint), child.weight))
                .collect(),
            choice,
            sticky: None,
            looks_at_health,
        })
    }

    fn is_eligible(&self, index: usize) -> bool {
        let (service, weight) = &self.services[index];
        *weight > 0 && (!self.looks_at_health || service.is_up())
    }

    /// The service of a request, and whether the client was led back to it.
    fn choose(&self, request: &Request, exchange: &Exchange) -> Option<(usize, bool)> {
        let kept = self.sticky.as_ref().and_then(|sticky| {
            let index = sticky.member(request.headers())?;
            self.is_eligible(index).then_some(index)
        });
        if let Some(index) = kept {
            return Some((index, true));
        }
        let is_eligible = |index| self.is_eligible(index);
        let chosen = match &self.choice {
            Choice::Turns(turns) => turns.pick(is_eligible),
            Choice::Address(hash) => {
                hash.pick(exchange.connection().peer_ip().as_bytes(), is_eligible)
            }
        };
        Some((chosen?, false))
    }
}

/// A reference as its author wrote it, which Traefik makes cookies and hashes of: the provider's
/// name was added where it is the same as the service's own.
fn as_written<'n>(child: &'n str, service: &str) -> &'n str {
    match (child.split_once('@'), service.split_once('@')) {
        (Some((name, its)), Some((_, own))) if its == own => name,
        _ => child,
    }
}

impl Endpoint for Weighted {
    fn answer<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Response, Fault>> {
        let Some((index, was_kept)) = self.choose(&request, exchange) else {
            return Box::pin(async { Err(Fault::new(Reason::NoServer)) });
        };
        let answer = self.services[index].0.answer(request, exchange);
        match &self.sticky {
            Some(sticky) if !was_kept => Box::pin(async move {
                let mut response = answer.await?;
                sticky.keep(&mut response, index);
                Ok(response)
            }),
            _ => answer,
        }
    }

    fn is_up(&self) -> bool {
        (0..self.services.len()).any(|index| self.is_eligible(index))
    }

    fn reports_health(&self) -> bool {
        self.looks_at_health
    }
}
