//! A Redis server, as middlewares name one.

use secrecy::{ExposeSecret as _, SecretString};

use super::oauth_client_credentials::{ClientTls, client_tls};
use crate::document::Fields;
use crate::secret::{credential, secret};

/// `redis`.
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

/// Which servers the endpoints are.
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

/// Tells an old configuration from a new one; no client has a say in either.
impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        let password = |one: &Self| Some(one.password.as_ref()?.expose_secret().to_owned());
        self.username == other.username && password(self) == password(other)
    }
}

/// Reads `redis` of a store. `None` when it cannot be used; the findings say why.
pub(super) fn redis(fields: &mut Fields<'_>) -> Option<Redis> {
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

/// `username` and `password`.
pub(super) fn login(fields: &mut Fields<'_>) -> Login {
    Login {
        username: credential(fields, "username"),
        password: secret(fields, "password"),
    }
}

/// `endpoints`, of which one at least is needed.
pub(super) fn endpoints(fields: &mut Fields<'_>) -> Option<Vec<(String, u16)>> {
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
