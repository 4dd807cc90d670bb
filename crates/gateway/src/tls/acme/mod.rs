//! Certificates from an authority that speaks ACME (RFC 8555). Knows which names are wanted and
//! which certificates there are; refuses to know routers and files. `resolver.rs` decides when to
//! ask, `order.rs` asks, `challenges.rs` answers the authority's questions, `acme_json.rs` is
//! Traefik's file, `issued.rs` what handshakes find.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use carnet_config::install::Acme;
use carnet_config::install::certificates_resolvers::Challenge;
use futures_util::future::join_all;
use secrecy::SecretString;
use tokio::sync::watch;

use crate::supplies::Supplies;

mod acme_json;
mod challenges;
mod client;
mod issued;
mod order;
mod resolver;
mod schedule;
#[cfg(test)]
mod tests;

use acme_json::AcmeJson;
pub(crate) use challenges::{Challenges, PATH};
pub(crate) use issued::Issued;
use order::Orders;
use resolver::Resolver;

/// Names of one certificate, in their order; the first is the main one.
pub(crate) type Names = Vec<String>;

/// What routers want of each resolver.
pub(crate) type Wanted = BTreeMap<String, BTreeSet<Names>>;

/// Where accounts and certificates are kept: the text of an `acme.json`.
pub trait Storage: Send + Sync + fmt::Debug {
    /// The text; `None`: nothing has been kept yet.
    ///
    /// # Errors
    /// Why it must not or cannot be read: a sentence.
    fn read(&self) -> Result<Option<SecretString>, String>;

    /// Keeps a text in place of the one before, wholly or not at all.
    ///
    /// # Errors
    /// Why it cannot be kept: a sentence.
    fn write(&self, text: &SecretString) -> Result<(), String>;
}

/// A certificate resolver, with what its files hold.
#[derive(Debug, Clone)]
pub struct CertificatesResolver {
    /// `certificatesResolvers.<name>.acme`.
    pub acme: Acme,
    /// PEM of the authorities of `acme.caCertificates`; empty: those of the system.
    pub authorities: Vec<String>,
    /// What is at `acme.storage`. Resolvers of one file share it.
    pub storage: Arc<dyn Storage>,
}

/// All resolvers of a gateway.
#[derive(Debug)]
pub(crate) struct Resolvers {
    resolvers: BTreeMap<String, Resolver>,
    /// All of them, those that cannot be used, too.
    names: BTreeSet<String>,
    /// Where authorities ask by HTTP.
    entry_points: BTreeSet<String>,
    issued: Arc<Issued>,
    challenges: Arc<Challenges>,
    wanted: watch::Sender<Wanted>,
}

impl Resolvers {
    /// Reads what has been kept; `issued` is where the certificates go. A resolver that cannot be used says so and gives nothing.
    pub(crate) fn new(
        resolvers: BTreeMap<String, CertificatesResolver>,
        issued: Arc<Issued>,
        supplies: &Supplies,
    ) -> Self {
        let challenges = Arc::new(Challenges::default());
        let changing = Arc::default();
        let mut entry_points = BTreeSet::new();
        let mut made = BTreeMap::new();
        let names = resolvers.keys().cloned().collect();
        for (name, resolver) in resolvers {
            if let Challenge::Http(entry_point) = &resolver.acme.challenge {
                entry_points.insert(entry_point.clone());
            }
            let kept = AcmeJson::new(&name, Arc::clone(&resolver.storage), &changing);
            let authority = Orders::new(&resolver, kept.clone(), &challenges, supplies);
            let opened = authority.and_then(|authority| {
                Resolver::open(&name, &resolver.acme, kept, Box::new(authority), supplies)
            });
            match opened {
                Ok(resolver) => {
                    issued.put(&name, resolver.certificates());
                    made.insert(name, resolver);
                }
                Err(reason) => {
                    tracing::error!(resolver = name, reason, "no certificates from a resolver");
                }
            }
        }
        Self {
            resolvers: made,
            names,
            entry_points,
            issued,
            challenges,
            wanted: watch::Sender::default(),
        }
    }

    /// Certificates for handshakes, those that come later included.
    pub(crate) fn issued(&self) -> &Arc<Issued> {
        &self.issued
    }

    /// The answers to authorities' questions.
    pub(crate) fn challenges(&self) -> &Arc<Challenges> {
        &self.challenges
    }

    /// Entry points at which authorities ask by HTTP.
    pub(crate) fn entry_points(&self) -> &BTreeSet<String> {
        &self.entry_points
    }

    /// Their names.
    pub(crate) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// What is wanted from now on.
    pub(crate) fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|current| {
            let is_new = *current != wanted;
            *current = wanted;
            is_new
        });
    }

    /// Gets what is wanted and renews it, for ever.
    pub(crate) async fn run(&self) {
        let running = self.resolvers.iter().map(|(name, resolver)| {
            let wanted = self.wanted.subscribe();
            resolver.run(name, wanted, &self.issued)
        });
        join_all(running).await;
        std::future::pending().await
    }
}
