//! Whether a server is well: `healthCheck` asks it, `passiveHealthCheck` looks at its answers.
//! Knows one server; refuses to know who chooses it. `passive.rs` counts failures, `question.rs`
//! asks once, `rounds.rs` asks everybody in intervals for as long as they are served.

use std::sync::atomic::{AtomicBool, Ordering};

use carnet_config::routing::service::LoadBalancer;

use super::Clients;
use crate::body::Response;
use crate::error::{Fault, Side};

mod grpc;
mod passive;
mod question;
mod rounds;

use passive::Passive;
pub(super) use question::Question;
pub(crate) use rounds::rounds;

/// What is known of one server.
#[derive(Debug)]
pub(super) struct Health {
    /// Set by failures, taken back by an answer to a question.
    is_down: AtomicBool,
    passive: Option<Passive>,
    question: Option<Question>,
}

impl Health {
    /// A server that is well until somebody finds otherwise.
    pub(super) fn new(
        options: &LoadBalancer,
        server: &url::Url,
        clients: &Clients,
    ) -> Result<Self, String> {
        let question = options.health_check.as_ref();
        let question = question.map(|check| Question::new(check, server, clients));
        Ok(Self {
            is_down: AtomicBool::new(false),
            passive: options.passive_health_check.map(Passive::new),
            question: question.transpose()?,
        })
    }

    pub(super) fn is_up(&self) -> bool {
        let is_out = |passive: &Passive| passive.is_out();
        !self.is_down.load(Ordering::Relaxed) && !self.passive.as_ref().is_some_and(is_out)
    }

    /// Counts what came of a request. Whether that took the server out.
    pub(super) fn judge(&self, outcome: &Result<Response, Fault>) -> bool {
        let Some(passive) = &self.passive else {
            return false;
        };
        let has_failed = match outcome {
            Ok(response) => response.status().is_server_error(),
            // A client that left says nothing of the server.
            Err(fault) if fault.side() == Side::Client => return false,
            Err(_) => true,
        };
        if !has_failed {
            passive.succeeded();
            return false;
        }
        let is_too_much = passive.failed();
        match (is_too_much, &self.question) {
            (false, _) => false,
            // Who asks the server anyway also finds out when it is well again.
            (true, Some(_)) => !self.is_down.swap(true, Ordering::Relaxed),
            (true, None) => {
                passive.take_out();
                true
            }
        }
    }

    /// The question it is asked, if it is.
    pub(super) fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    /// Notes an answer to the question. Whether that changed anything.
    pub(super) fn answered(&self, is_well: bool) -> bool {
        self.is_down.swap(!is_well, Ordering::Relaxed) == is_well
    }
}
