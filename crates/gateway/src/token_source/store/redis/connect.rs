//! How a server is reached: at its own address, by asking sentinels, or as one node of a cluster.

use std::iter;
use std::net::SocketAddr;
use std::time::Duration;

use carnet_config::routing::middleware::oauth_client_credentials::{
    ClientTls, Login, Redis as Options, Topology,
};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::io::AsyncDNSResolver;
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind,
    FromRedisValue, IntoConnectionInfo as _, RedisConnectionInfo, RedisError, RedisFuture,
    RedisResult, TlsCertificates, TlsMode,
};
use secrecy::ExposeSecret as _;

use crate::pem;
use crate::supplies::Resolve;

/// The longest that a new connection may take, and each answer on the way to it. Nobody waits for
/// these.
const LIMIT: Duration = Duration::from_secs(1);

/// A connection; copies use the same one.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// Makes connections.
pub(super) struct Connector {
    options: Options,
    names: Names,
    certificates: Option<TlsCertificates>,
}

impl Connector {
    /// Checks the material. The error is one sentence.
    pub(super) fn new(options: &Options, resolve: Resolve) -> Result<Self, String> {
        let certificates = options.tls.as_ref().map(certificates).transpose()?;
        Ok(Self {
            options: options.clone(),
            names: Names(resolve),
            certificates,
        })
    }

    /// The endpoints, as metrics and logs call the store.
    pub(super) fn name(&self) -> String {
        let endpoints = self.options.endpoints.iter();
        let texts: Vec<String> = endpoints
            .map(|(host, port)| format!("{host}:{port}"))
            .collect();
        texts.join(",")
    }

    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        match &self.options.topology {
            Topology::Single(database) => self.single(*database).await.map(Connection::One),
            Topology::Cluster => self.cluster().await.map(Connection::Cluster),
            Topology::Sentinel {
                master_set,
                login,
                database,
            } => {
                let named = self.named(master_set, login, *database).await;
                named.map(Connection::One)
            }
        }
    }

    /// The first endpoint that answers.
    async fn single(&self, database: i64) -> RedisResult<MultiplexedConnection> {
        let mut last = RedisError::from((ErrorKind::InvalidClientConfig, "no endpoint"));
        for info in self.endpoints(&self.options.login, database)? {
            match self.open(&Client::open(info)?).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The server that the sentinels name.
    async fn named(
        &self,
        master_set: &str,
        login: &Login,
        database: i64,
    ) -> RedisResult<MultiplexedConnection> {
        let sentinels = self.endpoints(login, 0)?;
        let sentinels = sentinels.iter().map(|info| info.addr().clone());
        let mut builder =
            SentinelClientBuilder::new(sentinels, master_set, SentinelServerType::Master)?
                .set_client_to_redis_db(database)
                .set_client_to_redis_tcp_settings(tcp());
        if let Some(username) = &login.username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = &login.password {
            builder = builder.set_client_to_sentinel_password(password.expose_secret());
        }
        if let Some(username) = &self.options.login.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.options.login.password {
            builder = builder.set_client_to_redis_password(password.expose_secret());
        }
        if let Some((certificates, mode)) = self.certificates.clone().zip(self.mode()) {
            builder = builder
                .set_client_to_redis_tls_mode(mode)
                .set_client_to_redis_certificates(certificates);
        }
        self.open(&builder.build()?.async_get_client().await?).await
    }

    async fn cluster(&self) -> RedisResult<ClusterConnection> {
        let nodes = self.endpoints(&self.options.login, 0)?;
        let mut builder = ClusterClient::builder(nodes)
            .tcp_settings(tcp())
            .connection_timeout(LIMIT)
            .response_timeout(LIMIT)
            // Nobody waits for more: a slot that moved, and its new node.
            .retries(4)
            .async_dns_resolver(self.names.clone());
        if let Some((certificates, mode)) = self.certificates.clone().zip(self.mode()) {
            builder = builder.tls(mode).certs(certificates);
        }
        builder.build()?.get_async_connection().await
    }

    async fn open(&self, client: &Client) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT))
            .set_dns_resolver(self.names.clone());
        client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    fn endpoints(&self, login: &Login, database: i64) -> RedisResult<Vec<ConnectionInfo>> {
        let endpoints = self.options.endpoints.iter();
        endpoints
            .map(|(host, port)| self.endpoint(host, *port, login, database))
            .collect()
    }

    fn endpoint(
        &self,
        host: &str,
        port: u16,
        login: &Login,
        database: i64,
    ) -> RedisResult<ConnectionInfo> {
        let mut server = RedisConnectionInfo::default()
            .set_db(database)
            .set_skip_set_lib_name();
        if let Some(username) = &login.username {
            server = server.set_username(username);
        }
        if let Some(password) = &login.password {
            server = server.set_password(password.expose_secret());
        }
        let host = host.to_owned();
        let Some((certificates, mode)) = self.certificates.clone().zip(self.mode()) else {
            let info = ConnectionAddr::Tcp(host, port).into_connection_info()?;
            return Ok(info.set_redis_settings(server).set_tcp_settings(tcp()));
        };
        let address = ConnectionAddr::TcpTls {
            host,
            port,
            insecure: matches!(mode, TlsMode::Insecure),
            tls_params: None,
        };
        // Only a client puts certificates to an address.
        let client = Client::build_with_tls(address, certificates)?;
        let info = client.get_connection_info().clone();
        Ok(info.set_redis_settings(server).set_tcp_settings(tcp()))
    }

    fn mode(&self) -> Option<TlsMode> {
        let tls = self.options.tls.as_ref()?;
        Some(match tls.insecure_skip_verify {
            true => TlsMode::Insecure,
            false => TlsMode::Secure,
        })
    }
}

/// Small commands go out at once.
fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Material that has been looked at: the library would tell of it when it connects.
fn certificates(tls: &ClientTls) -> Result<TlsCertificates, String> {
    if let Some(ca) = &tls.ca {
        pem::authorities(iter::once(ca.as_str()))?;
    }
    let pair = tls.cert.as_ref().zip(tls.key.as_ref());
    if let Some((cert, key)) = pair {
        pem::certificates(cert, "the certificates of `store.redis.tls`")?;
        pem::private_key(key.expose_secret(), "the key of `store.redis.tls`")?;
    }
    Ok(TlsCertificates {
        client_tls: pair.map(|(cert, key)| ClientTlsConfig {
            client_cert: cert.clone().into_bytes(),
            client_key: key.expose_secret().as_bytes().to_vec(),
        }),
        root_cert: tls.ca.clone().map(String::into_bytes),
    })
}

/// Names that this process knows come before the system's.
#[derive(Clone)]
struct Names(Resolve);

/// Addresses of a name.
type Addresses<'a> = Box<dyn Iterator<Item = SocketAddr> + Send + 'a>;

impl AsyncDNSResolver for Names {
    fn resolve<'a, 'b: 'a>(&'a self, host: &'b str, port: u16) -> RedisFuture<'a, Addresses<'a>> {
        Box::pin(async move {
            let addresses: Addresses<'a> = match (self.0)(host, port) {
                Some(address) => Box::new(iter::once(address)),
                None => Box::new(tokio::net::lookup_host((host, port)).await?),
            };
            Ok(addresses)
        })
    }
}
