//! `store`: tokens that several gateways share, in Redis.

use secrecy::{ExposeSecret as _, SecretString};

use super::ClientTls;
use super::read::client_tls;
use crate::document::Fields;
use crate::secret::{credential, look_at, secret};

/// `store`.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// `keyPrefix`: begins the name of every key. Default none.
    pub key_prefix: String,
    /// `secret` and, after it, `previousSecrets` (ours): what seals tokens, and what did before.
    pub secrets: Secrets,
    /// `redis`.
    pub redis: Redis,
}

/// Secrets of a store, the newest first.
#[derive(Debug, Clone)]
pub struct Secrets(pub Vec<SecretString>);

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        let exposed = |one: &Self| -> Vec<String> {
            let secrets = one.0.iter();
            secrets
                .map(|secret| secret.expose_secret().to_owned())
                .collect()
        };
        exposed(self) == exposed(other)
    }
}

/// `store.redis`.
#[derive(Debug, Clone, PartialEq)]
pub struct Redis {
    /// `endpoints`: host and port of each, at least one.
    pub endpoints: Vec<(String, u16)>,
    /// `username` and `password`.
    pub login: Login,
    /// Which servers the endpoints are.
    pub topology: Topology,
    /// `tls`; `None`: connections are not encrypted.
    pub tls: Option<ClientTls>,
}

/// Which servers the endpoints of a store are.
#[derive(Debug, Clone, PartialEq)]
pub enum Topology {
    /// One server, at one of them; and its `database`, default 0.
    Single(i64),
    /// `cluster`: some nodes of a cluster.
    Cluster,
    /// `sentinel`: sentinels that know where the server is.
    Sentinel {
        /// `masterSet`: name of the set that they watch.
        master_set: String,
        /// `username` and `password` of the sentinels.
        login: Login,
        /// `database` of the server. Default 0.
        database: i64,
    },
}

/// A user and a password, either of which may be missing.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// `username`.
    pub username: Option<String>,
    /// `password`.
    pub password: Option<SecretString>,
}

/// As with [`Secrets`].
impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        let password = |one: &Self| Some(one.password.as_ref()?.expose_secret().to_owned());
        self.username == other.username && password(self) == password(other)
    }
}

/// Reads `store`. `None` when it cannot be used; the findings say why.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Store> {
    let key_prefix = fields.text("keyPrefix").unwrap_or_default();
    let newest = sealing(fields);
    let previous = previous(fields);
    let Some(redis) = fields.section("redis", redis) else {
        fields.error("redis", "`redis` is missing: no other store is served");
        return None;
    };
    let secrets = std::iter::once(newest?).chain(previous).collect();
    Some(Store {
        key_prefix,
        secrets: Secrets(secrets),
        redis: redis?,
    })
}

/// As many characters as the keys of AES have, which Traefik Hub asks for.
fn has_length(text: &str) -> bool {
    matches!(text.chars().count(), 16 | 24 | 32)
}

const LENGTH: &str = "expects exactly 16, 24 or 32 characters";

fn sealing(fields: &mut Fields<'_>) -> Option<SecretString> {
    let Some(sealing) = secret(fields, "secret") else {
        fields.error("secret", "`secret` is missing: it encrypts the tokens");
        return None;
    };
    if !has_length(sealing.expose_secret()) {
        fields.error("secret", LENGTH);
    }
    Some(sealing)
}

fn previous(fields: &mut Fields<'_>) -> Vec<SecretString> {
    let texts = fields.texts("previousSecrets");
    for (index, text) in texts.iter().enumerate() {
        look_at(fields, &format!("previousSecrets[{index}]"), text);
    }
    if let Some(index) = texts.iter().position(|text| !has_length(text)) {
        fields.error(&format!("previousSecrets[{index}]"), LENGTH);
    }
    texts.into_iter().map(SecretString::from).collect()
}

fn redis(fields: &mut Fields<'_>) -> Option<Redis> {
    let endpoints = endpoints(fields);
    let login = login(fields);
    let database = fields.number::<u16>("database").map(i64::from);
    let is_cluster = fields.section("cluster", |_| ()).is_some();
    let sentinel = fields.section("sentinel", |fields| {
        (fields.required_text("masterSet"), self::login(fields))
    });
    let tls = fields.section("tls", client_tls);
    let topology = match sentinel {
        Some(_) if is_cluster => {
            fields.error("sentinel", "`cluster` and `sentinel` exclude each other");
            return None;
        }
        Some((master_set, login)) => Topology::Sentinel {
            master_set: master_set?,
            login,
            database: database.unwrap_or(0),
        },
        None if is_cluster => {
            if database.is_some_and(|database| database != 0) {
                fields.warn("database", "a cluster has one database; this is ignored");
            }
            Topology::Cluster
        }
        None => Topology::Single(database.unwrap_or(0)),
    };
    Some(Redis {
        endpoints: endpoints?,
        login,
        topology,
        tls,
    })
}

fn login(fields: &mut Fields<'_>) -> Login {
    Login {
        username: credential(fields, "username"),
        password: secret(fields, "password"),
    }
}

fn endpoints(fields: &mut Fields<'_>) -> Option<Vec<(String, u16)>> {
    let texts = fields.texts("endpoints");
    if texts.is_empty() {
        fields.error("endpoints", "`endpoints` is missing: a list of HOST:PORT");
        return None;
    }
    let mut endpoints = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match endpoint(text) {
            Some(endpoint) => endpoints.push(endpoint),
            None => fields.error(&format!("endpoints[{index}]"), "expects HOST:PORT"),
        }
    }
    (endpoints.len() == texts.len()).then_some(endpoints)
}

/// `HOST:PORT`, or `[IPV6]:PORT`.
fn endpoint(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.trim().rsplit_once(':')?;
    let is_bare = !host.contains([':', '/', '@', '[', ']']);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if is_bare => host,
        None => return None,
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::endpoint;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        for (text, expected) in [
            ("redis.svc:6379", Some(("redis.svc", 6379))),
            ("[::1]:6379", Some(("::1", 6379))),
            ("::1:6379", None),
            ("redis.svc", None),
            ("redis.svc:0", None),
            (":6379", None),
            ("redis://redis.svc:6379", None),
            ("user@redis.svc:6379", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(endpoint(text), expected, "{text}");
        }
    }
}
