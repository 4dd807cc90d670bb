//! What the domain counts, as Prometheus reads it. Labels have few values, whatever is sent: of
//! clients, only registered ones are named, and of those no more than [`NAMED`].

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// So many clients have a line of their own; those after them share one.
const NAMED: usize = 100;

/// What stands for the others.
const OTHER: &str = "other";

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    over_limit: Family<OverLimit, Counter>,
    throttled_guesses: Counter,
    failed_authentications: Family<Failed, Counter>,
    named: Mutex<BTreeSet<String>>,
}

/// A limit of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Rate,
    Quota,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OverLimit {
    client: String,
    limit: &'static str,
    enforced: &'static str,
}

impl Limit {
    /// Its name in the configuration.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Quota => "quota",
        }
    }
}

impl Counters {
    /// Adds them to what is shown.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "oauth2_tokens_over_limit",
            "Tokens beyond a limit of their client: refused where it is enforced, else given",
            self.over_limit.clone(),
        );
        registry.register(
            "oauth2_throttled_guesses",
            "Attempts to authenticate that were turned away because there were too many",
            self.throttled_guesses.clone(),
        );
        registry.register(
            "oauth2_failed_authentications",
            "Attempts of clients to authenticate that failed",
            self.failed_authentications.clone(),
        );
    }

    /// Counts a token beyond a limit.
    pub(super) fn note_over_limit(&self, client: &str, limit: Limit, is_enforced: bool) {
        let labels = OverLimit {
            client: self.name_of(client),
            limit: limit.name(),
            enforced: if is_enforced { "true" } else { "false" },
        };
        self.over_limit.get_or_create(&labels).inc();
    }

    /// Counts an attempt that was turned away.
    pub(super) fn note_throttled_guess(&self) {
        self.throttled_guesses.inc();
    }

    /// Counts an attempt that failed.
    pub(super) fn note_failed_authentication(&self, reason: &'static str) {
        let failed = Failed { reason };
        self.failed_authentications.get_or_create(&failed).inc();
    }

    fn name_of(&self, client: &str) -> String {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < NAMED && !named.contains(client) {
            named.insert(client.to_owned());
        }
        match named.contains(client) {
            true => client.to_owned(),
            false => OTHER.to_owned(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    // Holds SE-07.
    #[test]
    fn only_so_many_clients_have_a_line() {
        let (counters, mut registry) = (Counters::default(), Registry::default());
        counters.register(&mut registry);
        for at in 0..NAMED * 3 {
            counters.note_over_limit(&format!("client-{at}"), Limit::Rate, false);
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let lines = text.lines().filter(|line| line.contains("limit=\"rate\""));
        assert_eq!(lines.count(), NAMED + 1, "{text}");
        let rest = "oauth2_tokens_over_limit_total{client=\"other\",limit=\"rate\",enforced=\"false\"} 200";
        assert!(text.contains(rest), "{text}");
    }
}
