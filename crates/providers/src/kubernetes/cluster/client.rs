//! How the API server is reached: as configured, else as a pod of the cluster, else as `KUBECONFIG`
//! says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use carnet_config::install::KubernetesCluster;
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, config};
use thiserror::Error;

/// Longest silence of the API server. Watches end sooner by themselves.
const SILENCE: Duration = Duration::from_secs(90);
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no way to an API server.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody says where it is.
    #[error(
        "no API server is known: set `providers.kubernetesCRD.endpoint`, run inside a cluster, or \
         name a file in `KUBECONFIG`"
    )]
    Unknown,
    /// `endpoint` is no address.
    #[error("`endpoint` of the Kubernetes provider is no URL")]
    Endpoint,
    /// The cluster that the process runs in does not say enough.
    #[error("the pod's service account cannot be used: {0}; is its token mounted?")]
    InCluster(#[source] config::InClusterError),
    /// `KUBECONFIG` does not say enough.
    #[error("the file of KUBECONFIG cannot be used: {0}")]
    Kubeconfig(#[source] config::KubeconfigError),
    /// The way is known and cannot be taken.
    #[error("no client of the API server can be made: {0}")]
    Client(#[source] kube::Error),
}

/// A client for the cluster; `env` are the variables of the process.
///
/// # Errors
/// See [`ClientError`].
pub(super) async fn client(
    cluster: &KubernetesCluster,
    env: &BTreeMap<String, String>,
) -> Result<Client, ClientError> {
    let variable = |name: &str| env.get(name).filter(|value| !value.is_empty());
    let mut config = if cluster.endpoint.is_some() {
        explicit(cluster)?
    } else if variable("KUBERNETES_SERVICE_HOST").is_some() {
        Config::incluster_env().map_err(ClientError::InCluster)?
    } else if let Some(path) = variable("KUBECONFIG") {
        let file = Kubeconfig::read_from(path).map_err(ClientError::Kubeconfig)?;
        Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .map_err(ClientError::Kubeconfig)?
    } else {
        return Err(ClientError::Unknown);
    };
    config.read_timeout = Some(SILENCE);
    config.connect_timeout = Some(CONNECT);
    Client::try_from(config).map_err(ClientError::Client)
}

fn explicit(cluster: &KubernetesCluster) -> Result<Config, ClientError> {
    let endpoint = cluster.endpoint.as_deref().unwrap_or_default();
    let mut config = Config::new(endpoint.parse().map_err(|_| ClientError::Endpoint)?);
    config.root_cert_file = cluster.cert_auth_file_path.as_ref().map(PathBuf::from);
    config.auth_info = AuthInfo {
        token: cluster.token.clone().map(|token| token.0),
        ..AuthInfo::default()
    };
    Ok(config)
}
