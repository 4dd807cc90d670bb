//! `rateLimit`: how many requests of one source may pass in a time.

use std::time::Duration;

use schemars::JsonSchema;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::oauth_client_credentials::ClientTls;
use super::pem_tls::PemTls;
use super::redis::{Login, Redis as Server, Topology, endpoints, login};
use super::source_criterion::SourceCriterion;
use crate::document::Fields;
use crate::duration;
use crate::routing::Pem;
use crate::routing::pem::HoldsPem;

/// Where Redis listens when nobody says it.
const ENDPOINT: (&str, u16) = ("localhost", 6379);

/// `rateLimit`, Traefik's: how many requests of one source may pass in a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// So many requests of one source in each `period`; more are answered 429 with `Retry-After`.
    /// Default 0: nothing is limited.
    pub average: u64,
    /// The time of `average`. Default 1s.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(with = "String")]
    pub period: Duration,
    /// So many may come at once. Default 1.
    pub burst: u64,
    /// Whose requests are counted together. Default: those of one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_criterion: Option<SourceCriterion>,
    /// Where all gateways count together. Default: each by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Written>")]
    pub redis: Option<Redis>,
}

/// `rateLimit.redis` as it is written, for its schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "no value of it is made: it is written down for its schema"
)]
struct Written {
    /// HOST:PORT of each; several are nodes of a cluster. Default `localhost:6379`.
    endpoints: Vec<String>,
    /// In Kubernetes `secret` names a Secret with this and `password`. Default: none.
    username: String,
    /// Default: none.
    password: String,
    /// Not in a cluster. Default 0.
    db: u16,
    /// In Kubernetes with `caSecret` and `certSecret`. Default: connections are not encrypted.
    tls: PemTls,
    /// While Redis cannot be used: 500, in place of each gateway counting by itself. Default false.
    deny_on_error: bool,
    /// Without effect: there is one connection.
    pool_size: u32,
    /// Without effect.
    min_idle_conns: u32,
    /// Without effect.
    max_active_conns: u32,
    /// Without effect: nobody waits longer than 50 ms.
    read_timeout: String,
    /// Without effect.
    write_timeout: String,
    /// Without effect.
    dial_timeout: String,
}

/// `rateLimit.redis`, Traefik's.
#[derive(Debug, Clone, PartialEq)]
pub struct Redis {
    /// Host and port of each; several are nodes of a cluster. Default `localhost:6379`.
    pub endpoints: Vec<(String, u16)>,
    /// `username` and `password`.
    pub login: Login,
    /// `db`, not in a cluster. Default 0.
    pub database: i64,
    /// `None`: connections are not encrypted.
    pub tls: Option<PemTls>,
    /// What happens while Redis cannot be used. Default: each gateway counts by itself.
    pub deny_on_error: bool,
}

/// Options of a pool of connections, which the one connection that is used has no need of.
const POOL: [&str; 3] = ["poolSize", "minIdleConns", "maxActiveConns"];
const TIMEOUTS: [&str; 3] = ["readTimeout", "writeTimeout", "dialTimeout"];

impl RateLimit {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let limits = fields.has("average");
        let average = fields.number("average");
        let period = fields.duration("period").filter(|period| !period.is_zero());
        let burst: u64 = fields.number("burst").unwrap_or(1);
        let source_criterion = SourceCriterion::read(fields);
        let redis = fields.section("redis", Redis::read);
        if average == Some(0) || !limits {
            fields.warn("average", "is 0: nothing is limited");
        }
        Some(Self {
            average: average.unwrap_or(0),
            period: period.unwrap_or(Duration::from_secs(1)),
            burst: burst.max(1),
            source_criterion,
            redis: match redis {
                Some(redis) => Some(redis?),
                None => None,
            },
        })
    }
}

impl Redis {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let given = fields.has("endpoints").then(|| endpoints(fields));
        let login = login(fields);
        let database = fields.number::<u16>("db").map_or(0, i64::from);
        let tls = fields.section("tls", tls);
        for key in POOL {
            fields.number::<u32>(key);
        }
        for key in TIMEOUTS {
            fields.duration(key);
        }
        let deny_on_error = fields.boolean("denyOnError").unwrap_or(false);
        let is_cluster = given.iter().flatten().any(|endpoints| endpoints.len() > 1);
        if is_cluster && database != 0 {
            fields.warn("db", "a cluster has one database; this is ignored");
        }
        let (host, port) = ENDPOINT;
        Some(Self {
            endpoints: given.unwrap_or_else(|| Some(vec![(host.to_owned(), port)]))?,
            login,
            database,
            tls,
            deny_on_error,
        })
    }

    /// The server that these options mean.
    pub fn server(&self) -> Server {
        Server {
            endpoints: self.endpoints.clone(),
            login: self.login.clone(),
            topology: match self.endpoints.len() {
                1 => Topology::Single(self.database),
                _ => Topology::Cluster,
            },
            tls: self.tls.as_ref().map(client),
        }
    }
}

/// What may be shown.
impl Serialize for Redis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.map(|(host, port)| format!("{host}:{port}"));
        let mut shown = serializer.serialize_map(None)?;
        shown.serialize_entry("endpoints", &endpoints.collect::<Vec<_>>())?;
        shown.serialize_entry("db", &self.database)?;
        shown.serialize_entry("denyOnError", &self.deny_on_error)?;
        shown.end()
    }
}

/// `tls`.
fn tls(fields: &mut Fields<'_>) -> PemTls {
    let skips = fields.boolean("insecureSkipVerify").unwrap_or(false);
    PemTls::read(fields, skips)
}

/// The same for who connects.
fn client(tls: &PemTls) -> ClientTls {
    let text = |pem: &Option<Pem>| Some(pem.as_ref()?.text()?.to_owned());
    ClientTls {
        ca: text(&tls.ca),
        cert: text(&tls.cert),
        key: text(&tls.key).map(Into::into),
        insecure_skip_verify: tls.insecure_skip_verify,
    }
}

impl HoldsPem for RateLimit {
    fn pems(&mut self) -> Vec<&mut Pem> {
        let tls = self.redis.as_mut().and_then(|redis| redis.tls.as_mut());
        tls.map(PemTls::pems).unwrap_or_default()
    }
}
