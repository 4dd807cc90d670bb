//! Events on objects that are refused: `kubectl describe` then says what is wrong with them.
//!
//! They are written beside everything else and nothing waits for them. Who does not let us write them
//! is told once what rule is missing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use carnet_config::diagnostics::{Diagnostic, Severity};
use carnet_config::routing::RoutingConfig;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject, PostParams};
use kube::{Client, Error};
use tokio::sync::watch::Receiver;
use tokio::time::{sleep, timeout};

use super::kind::Kind;

/// Events end after an hour in most clusters: what stands is written again before.
const AGAIN: Duration = Duration::from_secs(30 * 60);
/// Time between two of them: ten thousand broken objects must not keep an API server busy.
const BETWEEN: Duration = Duration::from_millis(50);
/// At most so many in one round.
const MOST: usize = 200;
/// Longest message that the API server takes.
const LONGEST: usize = 1024;

/// The time, as whoever made the provider tells it.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What is wrong with objects.
pub(super) type Refusals = BTreeSet<Refusal>;

/// What is wrong with one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Refusal {
    kind: String,
    namespace: String,
    name: String,
    message: String,
}

impl Refusal {
    /// `None` for a warning, and for a finding about no object of a cluster.
    fn of(finding: &Diagnostic) -> Option<Self> {
        let (kind, name) = finding.object.split_once(' ')?;
        let (namespace, name) = name.split_once('/')?;
        let message = match finding.key.as_str() {
            "" => finding.message.clone(),
            key => format!("{key}: {}", finding.message),
        };
        (finding.severity == Severity::Error).then(|| Self {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            message: message.chars().take(LONGEST).collect(),
        })
    }

    /// The same for the same, so that several gateways write one event.
    fn event_name(&self) -> String {
        let said = format!("{} {}", self.kind, self.message);
        let digest = digest::digest(&digest::SHA256, said.as_bytes());
        let digits = digest.as_ref().iter().take(8);
        let hash: String = digits.map(|byte| format!("{byte:02x}")).collect();
        // Names of objects have 253 characters at most.
        let name: String = self.name.chars().take(200).collect();
        format!("{}.{hash}", name.trim_end_matches(['.', '-']))
    }
}

/// Everything that a translation found wrong.
pub(super) fn refusals(config: &RoutingConfig) -> Refusals {
    let routers = config.routers.values().map(|one| &one.diagnostics);
    let services = config.services.values().map(|one| &one.diagnostics);
    let middlewares = config.middlewares.values().map(|one| &one.diagnostics);
    let transports = config
        .servers_transports
        .values()
        .map(|one| &one.diagnostics);
    let options = config.tls.options.values().map(|one| &one.diagnostics);
    let stores = config.tls.stores.values().map(|one| &one.diagnostics);
    let certificates = config.tls.certificates.iter().map(|one| &one.diagnostics);
    let all = routers.chain(services).chain(middlewares).chain(transports);
    let all = all.chain(options).chain(stores).chain(certificates);
    all.flatten().filter_map(Refusal::of).collect()
}

/// Writes them.
pub(super) struct Events {
    pub(super) client: Client,
    pub(super) kinds: Vec<Kind>,
    pub(super) now: Now,
    pub(super) standing: Receiver<Refusals>,
}

impl Events {
    /// Writes what is new, and all again before it is forgotten, until nobody tells more.
    pub(super) async fn run(mut self) {
        let mut written = BTreeSet::new();
        loop {
            let standing = self.standing.borrow_and_update().clone();
            written.retain(|refusal| standing.contains(refusal));
            let new: Vec<Refusal> = standing.difference(&written).take(MOST).cloned().collect();
            for refusal in new {
                if let Err(error) = self.write(&refusal).await {
                    if matches!(&error, Error::Api(status) if status.code == 403) {
                        tracing::info!(
                            "events may not be written, so what is refused is told by the log \
                             alone; allow them by a ClusterRole with apiGroups: [\"\"], \
                             resources: [\"events\"], verbs: [\"create\"]"
                        );
                        return;
                    }
                    tracing::debug!(%error, "an event is not written");
                }
                written.insert(refusal);
                sleep(BETWEEN).await;
            }
            match timeout(AGAIN, self.standing.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => written.clear(),
            }
        }
    }

    async fn write(&self, refusal: &Refusal) -> Result<(), Error> {
        let Some(kind) = self.kinds.iter().find(|kind| kind.kind == refusal.kind) else {
            return Ok(());
        };
        let resource = kind.api_resource();
        let (client, namespace) = (self.client.clone(), &refusal.namespace);
        let objects: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
        let Some(object) = objects.get_opt(&refusal.name).await? else {
            return Ok(());
        };
        let time = Timestamp::try_from((self.now)()).ok().map(Time);
        let event = Event {
            metadata: ObjectMeta {
                name: Some(refusal.event_name()),
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference {
                api_version: Some(resource.api_version),
                kind: Some(refusal.kind.clone()),
                name: Some(refusal.name.clone()),
                namespace: Some(namespace.clone()),
                uid: object.metadata.uid,
                ..ObjectReference::default()
            },
            reason: Some("Refused".to_owned()),
            message: Some(refusal.message.clone()),
            type_: Some("Warning".to_owned()),
            source: Some(EventSource {
                component: Some("carnet".to_owned()),
                ..EventSource::default()
            }),
            count: Some(1),
            first_timestamp: time.clone(),
            last_timestamp: time,
            ..Event::default()
        };
        let events: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        match events.create(&PostParams::default(), &event).await {
            // Another gateway has written it.
            Err(Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}
