//! A server of a load balancer, with what is known of it. It outlives a reload that does not
//! concern it: so do its health, its load and its questions.

use std::sync::Arc;

use carnet_config::routing::service;

use super::Clients;
use super::health_check::{Health, Question};
use super::proxy::Server;
use super::strategy::{Candidate, InFlight, Load};
use crate::body::Response;
use crate::error::Fault;

/// A server and what is known of it.
#[derive(Debug)]
pub(crate) struct Member {
    service: Arc<str>,
    options: service::Server,
    server: Server,
    health: Health,
    load: Arc<Load>,
}

impl Member {
    /// A server of a service, of whose options it is one. The error is one sentence.
    pub(crate) fn new(
        service: Arc<str>,
        options: &service::LoadBalancer,
        server: &service::Server,
        clients: &Clients,
    ) -> Result<Self, String> {
        Ok(Self {
            service,
            server: Server::new(server, options.pass_host_header, clients)?,
            health: Health::new(options, &server.url, clients)?,
            options: server.clone(),
            load: Arc::default(),
        })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The URL as it was written.
    pub(super) fn name(&self) -> &str {
        &self.options.name
    }

    pub(super) fn weight(&self) -> u32 {
        self.options.weight
    }

    /// The URL as people see it, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        self.options.url.as_str().trim_end_matches('/')
    }

    /// Whether it is well, as far as anybody knows.
    pub(crate) fn is_up(&self) -> bool {
        self.health.is_up()
    }

    /// Whether clients that belong to it may go on coming.
    pub(super) fn keeps_clients(&self) -> bool {
        self.options.weight > 0 && self.health.is_up()
    }

    /// Whether it is asked how it is.
    pub(super) fn is_asked(&self) -> bool {
        self.health.question().is_some()
    }

    pub(super) fn question(&self) -> Option<&Question> {
        self.health.question()
    }

    /// Notes an answer to its question.
    pub(super) fn answered(&self, outcome: Result<(), String>) {
        if !self.health.answered(outcome.is_ok()) {
            return;
        }
        let (service, url) = (&*self.service, self.url());
        match outcome {
            Ok(()) => tracing::info!(service.name = service, server.url = url, "server is up"),
            Err(reason) => {
                tracing::warn!(
                    service.name = service,
                    server.url = url,
                    reason,
                    "server is down"
                );
            }
        }
    }

    /// Notes what came of a request.
    pub(super) fn judge(&self, outcome: &Result<Response, Fault>) {
        if self.health.judge(outcome) {
            let (service, url) = (&*self.service, self.url());
            let reason = "its answers failed";
            tracing::warn!(
                service.name = service,
                server.url = url,
                reason,
                "server is down"
            );
        }
    }

    /// Counts a request until what is given back is dropped.
    pub(super) fn enter(&self) -> InFlight {
        InFlight::new(&self.load)
    }
}

impl Candidate for Arc<Member> {
    fn is_eligible(&self) -> bool {
        !self.options.fenced && self.keeps_clients()
    }

    fn load(&self) -> &Load {
        &self.load
    }
}
