//! One kind of object, in one namespace or in all: listed, then watched, for ever.
//!
//! Whatever breaks, what was told stays true until something newer is known: a list is told as a
//! whole, and a watch that ends is begun again where it ended, or by a new list.

use std::mem;
use std::time::Duration;

use carnet_config::diagnostics::{Diagnostic, Position};
use futures_util::StreamExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error};
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use super::by_name::{ByName, Wanted};
use super::kind::{Kind, SECRETS};
use super::read;
use crate::kubernetes::manifests::{Identity, ManifestObject};
use crate::kubernetes::objects::Kept;

/// First wait after an error; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Seconds after which the API server ends a watch, which is then begun again where it ended.
const WATCH_SECONDS: u32 = 60;

/// What a watch tells.
pub(super) enum News {
    /// All there is.
    Listed(Vec<Object>),
    /// A new or changed object.
    Applied(Object),
    /// An object that is no more.
    Deleted(Identity),
    /// We may not look, or the cluster does not know the kind: there is nothing to wait for.
    Refused,
}

/// An object as it will be kept: a large cluster's are never there as they were written.
pub(super) struct Object {
    pub(super) identity: Identity,
    /// What is wrong with it, where it does not fit its kind.
    pub(super) kept: Result<Kept, Diagnostic>,
}

impl Object {
    /// `None` when nothing here has a use for its kind.
    pub(super) fn read(object: ManifestObject) -> Option<Self> {
        let kept = Kept::read(&object)?;
        let identity = object.identity;
        Some(Self { identity, kept })
    }
}

/// A kind, and where it is watched.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) kind: Kind,
    /// `None`: all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) labels: Option<String>,
    /// Secrets that objects name, for when they may not be listed.
    pub(super) wanted: Wanted,
}

impl Watch {
    /// Tells everything, until nobody listens. `number` says who tells.
    pub(super) async fn run(self, client: Client, number: usize, news: Sender<(usize, News)>) {
        let resource = self.kind.api_resource();
        let api: Api<DynamicObject> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        let by_name = (self.kind == SECRETS).then(|| {
            let (namespace, wanted) = (self.namespace.clone(), self.wanted.clone());
            ByName::new(client, self.kind, namespace, wanted)
        });
        let mut teller = Teller {
            watch: self,
            by_name,
            number,
            news,
            position: read::position(),
            list: Vec::new(),
            wait: FIRST_WAIT,
            trouble: None,
        };
        while teller.follow(&api).await {}
    }

    fn config(&self) -> watcher::Config {
        watcher::Config {
            label_selector: self.labels.clone(),
            timeout: Some(WATCH_SECONDS),
            ..watcher::Config::default()
        }
    }

    /// What a role must allow, and where.
    fn rule(&self) -> String {
        let Kind { group, plural, .. } = self.kind;
        let scope = match &self.namespace {
            Some(namespace) => format!("a Role in the namespace `{namespace}`"),
            None => "a ClusterRole".to_owned(),
        };
        format!(
            "{scope} with apiGroups: [\"{group}\"], resources: [\"{plural}\"], \
             verbs: [\"get\", \"list\", \"watch\"]"
        )
    }
}

/// A watch under way.
struct Teller {
    watch: Watch,
    by_name: Option<ByName>,
    number: usize,
    news: Sender<(usize, News)>,
    position: Position,
    /// The list so far.
    list: Vec<Object>,
    wait: Duration,
    /// What was said of the trouble we are in.
    trouble: Option<String>,
}

impl Teller {
    /// From a list on, until only a new list can help; `false` when nobody listens any more.
    async fn follow(&mut self, api: &Api<DynamicObject>) -> bool {
        let mut events = Box::pin(watcher(api.clone(), self.watch.config()));
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if let Some(news) = self.hear(event)
                        && !self.tell(news).await
                    {
                        return false;
                    }
                }
                Err(error) => {
                    if !self.stumble(&error).await {
                        return false;
                    }
                    if needs_list(&error) {
                        return true;
                    }
                }
            }
        }
        true
    }

    fn hear(&mut self, event: Event<DynamicObject>) -> Option<News> {
        let kind = self.watch.kind;
        match event {
            Event::Init => {
                self.list.clear();
                None
            }
            Event::InitApply(object) => {
                let object = read::manifest(kind, object, &self.position);
                self.list.extend(Object::read(object));
                None
            }
            Event::InitDone => Some(News::Listed(mem::take(&mut self.list))),
            Event::Apply(object) => {
                let object = read::manifest(kind, object, &self.position);
                Object::read(object).map(News::Applied)
            }
            Event::Delete(object) => Some(News::Deleted(read::identity(kind, &object))),
        }
    }

    async fn tell(&mut self, news: News) -> bool {
        self.wait = FIRST_WAIT;
        if self.trouble.take().is_some() {
            tracing::info!(kind = %self.watch.kind, "the API server answers again");
        }
        self.news.send((self.number, news)).await.is_ok()
    }

    /// Says what is wrong, once, and waits a while.
    async fn stumble(&mut self, error: &watcher::Error) -> bool {
        let status = status(error);
        let message = self.explain(error, status);
        if self.trouble.as_ref() != Some(&message) {
            tracing::warn!(kind = %self.watch.kind, "{message}");
            self.trouble = Some(message);
        }
        let is_refused = matches!(status, Some(403 | 404));
        if is_refused && self.news.send((self.number, News::Refused)).await.is_err() {
            return false;
        }
        if is_refused && let Some(by_name) = &mut self.by_name {
            by_name.renew();
            while let Some(found) = by_name.next().await {
                let found = found.into_iter().filter_map(Object::read);
                let news = News::Listed(found.collect());
                if self.news.send((self.number, news)).await.is_err() {
                    return false;
                }
            }
            return true;
        }
        sleep(self.wait).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        true
    }

    /// One sentence without anything that an object holds.
    fn explain(&self, error: &watcher::Error, status: Option<u16>) -> String {
        let kind = self.watch.kind;
        match (status, cause(error)) {
            (Some(403), _) if kind == SECRETS => format!(
                "{kind} may not be listed, so those that objects name are read one by one, each \
                 second; a change is seen sooner with {}",
                self.watch.rule()
            ),
            (Some(403), _) => format!(
                "{kind} may not be read, so what needs them answers 503; allow it by {}",
                self.watch.rule()
            ),
            (Some(404), _) if kind.is_custom() => format!(
                "the cluster does not know {kind}; apply their definition, which \
                 `carnet install crds` prints"
            ),
            (Some(404), _) => format!("the cluster does not know {kind}"),
            (Some(401), _) => "the API server does not know our token".to_owned(),
            (Some(410), _) => format!("too much of {kind} was missed; they are listed again"),
            (Some(status), _) => {
                format!("the API server answers {status} for {kind}; what is known is kept")
            }
            (None, Some(Error::SerdeError(_))) => {
                format!("an answer about {kind} cannot be understood; they are listed again")
            }
            (None, _) => format!(
                "the API server cannot be reached for {kind}; what is known is kept and served"
            ),
        }
    }
}

/// Whether the watch may have missed something.
fn needs_list(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::WatchStartFailed(_) => status(error) == Some(410),
        _ => true,
    }
}

fn cause(error: &watcher::Error) -> Option<&Error> {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => Some(error),
        watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => None,
    }
}

/// The status with which the API server answered.
fn status(error: &watcher::Error) -> Option<u16> {
    match (error, cause(error)) {
        (watcher::Error::WatchError(status), _) => Some(status.code),
        (_, Some(Error::Api(status))) => Some(status.code),
        _ => None,
    }
}
