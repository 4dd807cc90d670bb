//! The objects of a cluster, by list and watch: told to [`Aggregate`](crate::aggregate::Aggregate)
//! as one routing configuration whenever something changes.
//!
//! Nothing is told before every kind was listed; what was told stays, whatever happens to the API
//! server. Refuses to know what objects mean, which is [`translate()`](super::translate())'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use carnet_config::install::{KubernetesCluster, KubernetesCrd};
use carnet_config::routing::RoutingConfig;
use kube::Client;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch as latest;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::translate::named_secrets;
use super::{NAME, ObjectName, Objects, Options, translate};
use crate::Update;

mod by_name;
mod client;
mod kind;
mod known;
mod pace;
mod read;
mod watch;

pub use client::ClientError;
use client::client;
use kind::{Kind, SECRETS};
use known::Known;
use pace::Pace;
use watch::{News, Watch};

/// News that may wait to be taken in.
const WAITING: usize = 1024;

/// `providers.kubernetesCRD`.
pub struct ClusterProvider {
    client: Client,
    name: &'static str,
    kinds: &'static [Kind],
    cluster: KubernetesCluster,
    translate: Arc<dyn Fn(&Objects) -> RoutingConfig + Send + Sync>,
}

impl ClusterProvider {
    /// The provider of Traefik's own kinds, with the API server that the options or the variables
    /// of the process name.
    ///
    /// # Errors
    /// No API server is known, or there is no way to it.
    pub async fn connect_crd(
        options: KubernetesCrd,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ClientError> {
        let client = client(&options.cluster, env).await?;
        Ok(Self::crd(options, client))
    }

    /// The provider of Traefik's own kinds.
    pub fn crd(options: KubernetesCrd, client: Client) -> Self {
        let translation = Options {
            allow_cross_namespace: options.allow_cross_namespace,
            allow_external_name_services: options.cluster.allow_external_name_services,
            ingress_class: options.cluster.ingress_class.clone(),
            native_lb_by_default: options.cluster.native_lb_by_default,
            allow_loopback_endpoints: false,
        };
        Self {
            client,
            name: NAME,
            kinds: &kind::OF_CRD,
            cluster: options.cluster,
            translate: Arc::new(move |objects| translate(objects, &translation)),
        }
    }

    /// The suffix of its objects: `kubernetescrd`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tells all of the configuration whenever something changes, until `shutdown` is cancelled or
    /// nobody listens.
    pub async fn run(self, updates: Sender<Update>, shutdown: CancellationToken) {
        let wanted = latest::Sender::new(None);
        let watches = self.watches(&wanted);
        let secrets = watches.iter().enumerate();
        let secrets = secrets.filter(|(_, watch)| watch.kind == SECRETS);
        let client = self.client.clone();
        let follower = Follower {
            known: Known::new(watches.len()),
            secrets: secrets.map(|(number, _)| number).collect(),
            are_by_name: false,
            wanted,
            pace: Pace::new(self.cluster.throttle),
            provider: self,
            updates,
        };
        let (sender, news) = channel(WAITING);
        // They end with this.
        let mut tasks = JoinSet::new();
        for (number, watch) in watches.into_iter().enumerate() {
            tasks.spawn(watch.run(client.clone(), number, sender.clone()));
        }
        drop(sender);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = follower.follow(news) => {}
        }
    }

    fn watches(&self, wanted: &latest::Sender<Option<BTreeSet<ObjectName>>>) -> Vec<Watch> {
        let namespaces: Vec<Option<String>> = match self.cluster.namespaces.as_slice() {
            [] => vec![None],
            names => names.iter().cloned().map(Some).collect(),
        };
        let configured = self.cluster.label_selector.as_deref();
        let mut watches = Vec::new();
        for kind in self.kinds {
            for namespace in &namespaces {
                watches.push(Watch {
                    kind: *kind,
                    namespace: namespace.clone(),
                    labels: kind.selection.labels(configured).map(str::to_owned),
                    wanted: wanted.subscribe(),
                });
            }
        }
        watches
    }
}

/// What follows the news.
struct Follower {
    provider: ClusterProvider,
    known: Known,
    /// Numbers of the watches of Secrets.
    secrets: BTreeSet<usize>,
    /// Whether some of them are read by their names, and which.
    are_by_name: bool,
    wanted: latest::Sender<Option<BTreeSet<ObjectName>>>,
    pace: Pace,
    updates: Sender<Update>,
}

impl Follower {
    async fn follow(mut self, mut news: Receiver<(usize, News)>) {
        loop {
            let due = self.pace.due();
            tokio::select! {
                told = news.recv() => {
                    let Some((number, told)) = told else { return };
                    self.take(number, told);
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if !self.rebuild().await {
                        return;
                    }
                }
            }
        }
    }

    fn take(&mut self, number: usize, news: News) {
        // They are told by their names instead, once it is known which.
        let is_by_name = self.secrets.contains(&number) && matches!(news, News::Refused);
        self.are_by_name |= is_by_name;
        if !is_by_name && self.known.take(number, news) && self.known.is_complete() {
            self.pace.changed(Instant::now());
        }
        if self.are_by_name && self.known.is_complete_but(&self.secrets) {
            let wanted = Some(named_secrets(&self.known.objects()));
            self.wanted.send_if_modified(|old| {
                let is_news = *old != wanted;
                if is_news {
                    *old = wanted;
                }
                is_news
            });
        }
    }

    /// `false` when nobody listens.
    async fn rebuild(&mut self) -> bool {
        self.pace.rebuilt(Instant::now());
        let (objects, translate) = (self.known.objects(), Arc::clone(&self.provider.translate));
        // Ten thousand routes take their time, which requests should not wait for.
        let translated = spawn_blocking(move || translate(&objects)).await;
        let Ok(config) = translated else {
            tracing::error!("a translation failed; what is served stays");
            return true;
        };
        let update = Update {
            provider: self.provider.name.to_owned(),
            config,
            diagnostics: self.known.take_findings(),
            readable: true,
            current: true,
        };
        self.updates.send(update).await.is_ok()
    }
}
