//! `oauth2.client_assertion.issuers` (ours): platforms whose tokens stand for clients that have no
//! secret.

use std::time::Duration;

use carnet_jose::JwkSet;
use secrecy::SecretString;

/// A SPIFFE trust domain is named by its id.
const SPIFFE: &str = "spiffe://";

/// A platform that knows its workloads: a cluster, a SPIFFE trust domain, a cloud.
#[derive(Debug, Clone)]
pub struct AssertionIssuer {
    /// `issuer`: the `iss` of its tokens, byte for byte; of a SPIFFE trust domain its id, as
    /// `spiffe://example.org`, which is held against `sub`.
    pub issuer: String,
    /// `discovery_url`, `jwks_url` or `jwks_file`: where its keys are.
    pub keys: IssuerKeys,
    /// `audiences`: whom its tokens must be for; this server where there are none.
    pub audiences: Vec<String>,
    /// `max_lifetime`: from its making to its end a token lives no longer.
    pub max_lifetime: Duration,
    /// `single_use`: whether a token counts once, by its `jti`; else it counts until its end.
    pub single_use: bool,
    /// `clients`: which workload is which client. The first one that fits counts.
    pub clients: Vec<Workload>,
}

/// Where the keys of a platform are.
#[derive(Debug, Clone)]
pub enum IssuerKeys {
    /// A discovery document names the address of the key set, at the same origin.
    Discovery(Endpoint),
    /// The address of the key set.
    Jwks(Endpoint),
    /// The key set itself.
    Given(String),
}

/// An address that this server asks.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// http or https; never link-local.
    pub url: String,
    /// `ca_file`: what it holds, PEM: the one authority that is believed; those of the system when
    /// absent.
    pub ca: Option<String>,
    /// `bearer_file`: what it holds: the token by which this server is let in.
    pub bearer: Option<SecretString>,
}

/// A workload and its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// `subject`: its `sub`; `*` stands for any text within a part between `:` and `/`.
    pub subject: String,
    /// `client_id`.
    pub client_id: String,
}

impl IssuerKeys {
    /// The address that is asked first.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Discovery(endpoint) | Self::Jwks(endpoint) => Some(&endpoint.url),
            Self::Given(_) => None,
        }
    }
}

impl AssertionIssuer {
    /// Whether this is a SPIFFE trust domain.
    pub(crate) fn is_trust_domain(&self) -> bool {
        self.issuer.starts_with(SPIFFE)
    }

    /// What cannot be served of it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let endpoint = match &self.keys {
            IssuerKeys::Given(text) => {
                let keys = JwkSet::from_json(text.as_bytes());
                let is_set = keys.is_ok_and(|keys| !keys.keys().is_empty());
                return (!is_set).then_some("jwks_file: is no set of public keys (RFC 7517)");
            }
            IssuerKeys::Discovery(endpoint) | IssuerKeys::Jwks(endpoint) => endpoint,
        };
        let is_pem = |text: &String| {
            let read = reqwest::Certificate::from_pem_bundle(text.as_bytes());
            read.is_ok_and(|certificates| !certificates.is_empty())
        };
        let is_trusted = endpoint.ca.as_ref().is_none_or(is_pem);
        (!is_trusted).then_some("ca_file: holds no certificate in PEM")
    }
}

impl Workload {
    /// Whether a subject is this workload.
    pub(crate) fn is(&self, subject: &str) -> bool {
        let parts = |text| str::split_inclusive(text, [':', '/']);
        let (mut wanted, mut shown) = (parts(&self.subject), parts(subject));
        loop {
            match (wanted.next(), shown.next()) {
                (None, None) => return true,
                (Some(wanted), Some(shown)) if part_fits(wanted, shown) => {}
                _ => return false,
            }
        }
    }
}

fn part_fits(wanted: &str, shown: &str) -> bool {
    match wanted.split_once('*') {
        None => wanted == shown,
        Some((head, tail)) => {
            let is_long = shown.len() > head.len() + tail.len();
            let has_end = |tail: &str| match tail.is_empty() {
                true => !shown.ends_with([':', '/']),
                false => shown.ends_with(tail),
            };
            is_long && shown.starts_with(head) && has_end(tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_its_part_of_a_subject() {
        for (pattern, subject, expected) in [
            (
                "system:serviceaccount:a:b",
                "system:serviceaccount:a:b",
                true,
            ),
            (
                "system:serviceaccount:a:b",
                "system:serviceaccount:a:bc",
                false,
            ),
            (
                "system:serviceaccount:a:*",
                "system:serviceaccount:a:b",
                true,
            ),
            (
                "system:serviceaccount:a:*",
                "system:serviceaccount:a:",
                false,
            ),
            (
                "system:serviceaccount:a:*",
                "system:serviceaccount:a:b:c",
                false,
            ),
            (
                "system:serviceaccount:a:*",
                "system:serviceaccount:ab:c",
                false,
            ),
            (
                "system:serviceaccount:*:b",
                "system:serviceaccount:a:b",
                true,
            ),
            (
                "system:serviceaccount:*:b",
                "system:serviceaccount:a:x:b",
                false,
            ),
            (
                "system:serviceaccount:a-*:b",
                "system:serviceaccount:a-1:b",
                true,
            ),
            (
                "system:serviceaccount:a-*:b",
                "system:serviceaccount:a:b",
                false,
            ),
            ("spiffe://d/ns/*/sa/x", "spiffe://d/ns/n/sa/x", true),
            ("spiffe://d/ns/*/sa/x", "spiffe://d/ns/n/o/sa/x", false),
            ("spiffe://d/ns/*", "spiffe://d/ns/n", true),
            ("spiffe://d/ns/*", "spiffe://d/ns/n/", false),
            ("spiffe://d/ns/*", "spiffe://d:x/ns/n", false),
            ("*", "a", true),
            ("*", "a:b", false),
            ("a/b", "a:b", false),
            ("", "", true),
            ("", "a", false),
        ] {
            let workload = Workload {
                subject: pattern.to_owned(),
                client_id: String::new(),
            };
            assert_eq!(workload.is(subject), expected, "{pattern} {subject}");
        }
    }
}
