//! The objects of a cluster, by list and watch: told to [`Aggregate`](crate::aggregate::Aggregate)
//! as one routing configuration whenever something changes.
//!
//! Nothing is told before every kind was listed; what was told stays, whatever happens to the API
//! server. Refuses to know what objects mean, which is [`translate()`](super::translate())'s.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use carnet_config::install::{KubernetesCluster, KubernetesCrd, KubernetesIngress};
use carnet_config::routing::RoutingConfig;
use kube::Client;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::watch as latest;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::translate::named_secrets;
use super::translate::{Names, Translator};
use super::{INGRESS_NAME, IngressOptions, NAME, ObjectName, Objects, Options};
use crate::{Scope as Extent, Update};

mod by_name;
mod client;
mod events;
mod kind;
mod known;
mod pace;
mod read;
mod watch;

pub use client::ClientError;
use client::client;
pub use events::Now;
use events::{Events, Refusals, refusals};
use kind::{Kind, SECRETS, Selection};
use known::{Change, Known};
use pace::Pace;
use watch::{News, Watch};

/// News that may wait to be taken in.
const WAITING: usize = 1024;

/// `providers.kubernetesCRD` or `providers.kubernetesIngress`.
pub struct ClusterProvider {
    client: Client,
    name: &'static str,
    cluster: KubernetesCluster,
    scopes: Vec<Scope>,
    /// For events; `None`: none are written.
    now: Option<Now>,
    translator: Translator,
}

/// Kinds, and of which cluster's part.
struct Scope {
    kinds: Vec<Kind>,
    namespaces: Vec<String>,
    label_selector: Option<String>,
}

impl Scope {
    fn new(kinds: impl Into<Vec<Kind>>, cluster: &KubernetesCluster) -> Self {
        Self {
            kinds: kinds.into(),
            namespaces: cluster.namespaces.clone(),
            label_selector: cluster.label_selector.clone(),
        }
    }

    /// The namespaces in which a kind is watched; `None` is all of them.
    fn places(&self, kind: Kind) -> Vec<Option<String>> {
        match self.namespaces.as_slice() {
            names if !names.is_empty() && kind.selection != Selection::OfCluster => {
                names.iter().cloned().map(Some).collect()
            }
            _ => vec![None],
        }
    }
}

fn options(cluster: &KubernetesCluster, allow_cross_namespace: bool) -> Options {
    Options {
        allow_cross_namespace,
        allow_external_name_services: cluster.allow_external_name_services,
        ingress_class: cluster.ingress_class.clone(),
        native_lb_by_default: cluster.native_lb_by_default,
        allow_loopback_endpoints: false,
    }
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
        let translation = self::options(&options.cluster, options.allow_cross_namespace);
        Self {
            client,
            name: NAME,
            scopes: vec![Scope::new(kind::OF_CRD, &options.cluster)],
            now: None,
            cluster: options.cluster,
            translator: Translator::Crd(translation),
        }
    }

    /// The provider of Ingresses, with the API server that the options or the variables of the
    /// process name.
    ///
    /// # Errors
    /// No API server is known, or there is no way to it.
    pub async fn connect_ingress(
        options: KubernetesIngress,
        crd: Option<&KubernetesCrd>,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, ClientError> {
        let client = client(&options.cluster, env).await?;
        Ok(Self::ingress(options, crd, client))
    }

    /// The provider of Ingresses. `crd` is the provider whose Middlewares, TLSOptions and
    /// ServersTransports their annotations may name, if there is one.
    pub fn ingress(
        options: KubernetesIngress,
        crd: Option<&KubernetesCrd>,
        client: Client,
    ) -> Self {
        let allow_cross_namespace = crd.is_some_and(|crd| crd.allow_cross_namespace);
        let translation = IngressOptions {
            shared: self::options(&options.cluster, allow_cross_namespace),
            strict_prefix_matching: options.strict_prefix_matching,
        };
        let mut scopes = vec![Scope::new(kind::OF_INGRESS, &options.cluster)];
        if !options.ignores_classes {
            scopes.push(Scope::new([kind::INGRESS_CLASSES], &options.cluster));
        }
        if let Some(crd) = crd {
            scopes.push(Scope::new(kind::NAMED_BY_INGRESS, &crd.cluster));
        }
        Self {
            client,
            name: INGRESS_NAME,
            scopes,
            now: None,
            cluster: options.cluster,
            translator: Translator::Ingress(translation),
        }
    }

    /// The suffix of its objects: `kubernetescrd` or `kubernetes`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Writes events on objects that are refused; `now` tells the time that stands in them.
    #[must_use]
    pub fn with_events(self, now: Now) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// Tells all of the configuration whenever something changes, until `shutdown` is cancelled or
    /// nobody listens.
    pub async fn run(self, updates: Sender<Update>, shutdown: CancellationToken) {
        let wanted = latest::Sender::new(None);
        let watches = self.watches(&wanted);
        let secrets = watches.iter().enumerate();
        let secrets = secrets.filter(|(_, watch)| watch.kind == SECRETS);
        let client = self.client.clone();
        let standing = latest::Sender::new(Refusals::new());
        // They end with this.
        let mut tasks = JoinSet::new();
        if let Some(now) = self.now.clone() {
            let events = Events {
                client: client.clone(),
                kinds: self
                    .scopes
                    .iter()
                    .flat_map(|scope| scope.kinds.clone())
                    .collect(),
                now,
                standing: standing.subscribe(),
            };
            tasks.spawn(events.run());
        }
        let follower = Follower {
            standing,
            known: Known::new(watches.len()),
            secrets: secrets.map(|(number, _)| number).collect(),
            are_by_name: false,
            wanted,
            change: Change::Nothing,
            names: None,
            pace: Pace::new(self.cluster.throttle),
            provider: self,
            updates,
        };
        let (sender, news) = channel(WAITING);
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
        let mut watches = Vec::new();
        for scope in &self.scopes {
            let configured = scope.label_selector.as_deref();
            for kind in &scope.kinds {
                for namespace in scope.places(*kind) {
                    watches.push(Watch {
                        kind: *kind,
                        namespace,
                        labels: kind.selection.labels(configured).map(str::to_owned),
                        wanted: wanted.subscribe(),
                    });
                }
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
    /// What is new since the last rebuild.
    change: Change,
    /// The names that the last rebuild of everything gave.
    names: Option<Names>,
    pace: Pace,
    /// What is wrong with objects now.
    standing: latest::Sender<Refusals>,
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
        if !is_by_name {
            self.change.extend(self.known.take(number, news));
        }
        if self.change != Change::Nothing && self.known.is_complete() {
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
        let work = Work {
            objects: self.known.objects(),
            translator: self.provider.translator.clone(),
            names: self.names.take(),
            change: mem::take(&mut self.change),
        };
        // Ten thousand routes take their time, which requests should not wait for.
        let Ok((config, scope, names)) = spawn_blocking(move || work.translate()).await else {
            tracing::error!("a translation failed; what is served stays");
            return true;
        };
        self.names = Some(names);
        if scope == Extent::All && self.provider.now.is_some() {
            self.standing.send_replace(refusals(&config));
        }
        let update = Update {
            provider: self.provider.name.to_owned(),
            config,
            scope,
            diagnostics: self.known.take_findings(),
            readable: true,
            current: true,
        };
        self.updates.send(update).await.is_ok()
    }
}

/// A translation to be made.
struct Work {
    objects: Arc<Objects>,
    translator: Translator,
    names: Option<Names>,
    change: Change,
}

impl Work {
    /// Endpoints alone change the services behind which they stand; anything else may change
    /// everything.
    fn translate(self) -> (RoutingConfig, Extent, Names) {
        if let (Change::Endpoints(changed), Some(names)) = (&self.change, self.names) {
            let (services, names) = self.translator.part(&self.objects, names, changed);
            let config = RoutingConfig {
                services,
                ..RoutingConfig::default()
            };
            return (config, Extent::Services, names);
        }
        let (config, names) = self.translator.whole(&self.objects);
        (config, Extent::All, names)
    }
}
