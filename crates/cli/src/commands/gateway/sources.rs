//! The providers that are configured, together.

use std::sync::Arc;

use carnet_config::install::InstallConfig;
use carnet_providers::Update;
use carnet_providers::aggregate::{Aggregate, Merged};
use carnet_providers::file::{self, FileProvider};
use carnet_providers::kubernetes::cluster::{ClientError, ClusterProvider, Now};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::output::Failure;
use crate::process::Process;

/// Providers that have read nothing yet.
pub(super) struct Sources {
    file: Option<FileProvider>,
    clusters: Vec<ClusterProvider>,
    aggregate: Aggregate,
}

impl Sources {
    /// Those of a configuration; `None` when there are none.
    pub(super) async fn open(
        config: &InstallConfig,
        process: &Process,
    ) -> Result<Option<Self>, Failure> {
        let providers = &config.providers;
        let file = providers.file.clone();
        let file = file.map(|file| FileProvider::new(file, Arc::clone(&process.env)));
        let mut clusters = Vec::new();
        let clock = Arc::clone(&process.clock);
        let now: Now = Arc::new(move || clock.now());
        if let Some(crd) = providers.kubernetes_crd.clone() {
            let provider = ClusterProvider::connect_crd(crd, &process.env).await;
            clusters.push(provider.map_err(no_way)?.with_events(Arc::clone(&now)));
        }
        if let Some(ingress) = providers.kubernetes_ingress.clone() {
            let crd = providers.kubernetes_crd.as_ref();
            let provider = ClusterProvider::connect_ingress(ingress, crd, &process.env).await;
            clusters.push(provider.map_err(no_way)?.with_events(now));
        }
        let names: Vec<String> = file
            .iter()
            .map(|_| file::NAME)
            .chain(clusters.iter().map(ClusterProvider::name))
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            file,
            clusters,
            aggregate: Aggregate::new(names, providers.throttle),
        }))
    }

    /// Who is told to read again what is not watched. A cluster always is.
    pub(super) fn reload(&self) -> Arc<Notify> {
        self.file
            .as_ref()
            .map(FileProvider::reload)
            .unwrap_or_default()
    }

    /// Reads everything, and again whenever it changes, until `stop`.
    pub(super) async fn read(self, merged: watch::Sender<Option<Merged>>, stop: CancellationToken) {
        let (sender, updates) = mpsc::channel::<Update>(1);
        let mut tasks = JoinSet::new();
        if let Some(file) = self.file {
            tasks.spawn(file.run(sender.clone(), stop.clone()));
        }
        for provider in self.clusters {
            tasks.spawn(provider.run(sender.clone(), stop.clone()));
        }
        drop(sender);
        self.aggregate.run(updates, merged, stop).await;
        tasks.join_all().await;
    }
}

fn no_way(error: ClientError) -> Failure {
    Failure::new(error.to_string())
}
