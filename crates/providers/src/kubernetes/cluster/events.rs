//! Events on objects that are refused, and on those that are not any more: `kubectl describe` then
//! says what is wrong with them and which routers that closes.
//!
//! They are written beside everything else and nothing waits for them. Who does not let us write them
//! is told once what rule is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::RoutingConfig;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use serde_json::json;
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
/// At most so many of the routers that an object closes are named.
const NAMED: usize = 3;

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

/// Of which sort an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Refused,
    Accepted,
}

impl Verdict {
    /// The reason and the type of its events.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Refused => ("Refused", "Warning"),
            Self::Accepted => ("Accepted", "Normal"),
        }
    }
}

impl Refusal {
    /// `None` for a warning, and for a finding about no object of a cluster.
    fn of(finding: &Diagnostic, closed: &str) -> Option<Self> {
        let (kind, name) = finding.object.split_once(' ')?;
        let (namespace, name) = name.split_once('/')?;
        let message = match finding.key.as_str() {
            "" => format!("{}{closed}", finding.message),
            key => format!("{key}: {}{closed}", finding.message),
        };
        (finding.severity == Severity::Error).then(|| Self {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            message: message.chars().take(LONGEST).collect(),
        })
    }

    /// That nothing is wrong with its object any more.
    fn over(&self) -> Self {
        Self {
            message: "is served again".to_owned(),
            ..self.clone()
        }
    }

    fn is_about(&self, other: &Self) -> bool {
        let object = |one: &Self| (one.kind.clone(), one.namespace.clone(), one.name.clone());
        object(self) == object(other)
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
    let users = Users::of(config);
    let mut found = Refusals::new();
    let mut add = |closed: &str, findings: &[Diagnostic]| {
        found.extend(findings.iter().filter_map(|one| Refusal::of(one, closed)));
    };
    for object in config.routers.values() {
        add("", &object.diagnostics);
    }
    for (name, object) in &config.services {
        add(
            &closed(users.services.get(name.as_str())),
            &object.diagnostics,
        );
    }
    for (name, object) in &config.middlewares {
        add(
            &closed(users.middlewares.get(name.as_str())),
            &object.diagnostics,
        );
    }
    for object in config.servers_transports.values() {
        add("", &object.diagnostics);
    }
    for (name, object) in &config.tls.options {
        add(
            &closed(users.options.get(name.as_str())),
            &object.diagnostics,
        );
    }
    for object in config.tls.stores.values() {
        add("", &object.diagnostics);
    }
    for object in &config.tls.certificates {
        add("", &object.diagnostics);
    }
    found
}

/// The routers that name something, by its name.
type Named<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Who uses what.
#[derive(Default)]
struct Users<'a> {
    services: Named<'a>,
    middlewares: Named<'a>,
    options: Named<'a>,
}

impl<'a> Users<'a> {
    /// Only of what is closed: most is not.
    fn of(config: &'a RoutingConfig) -> Self {
        let mut users = Self::default();
        let add = |users: &mut Named<'a>, is_closed: bool, used: &'a str, router: &'a str| {
            if is_closed {
                users.entry(used).or_default().push(router);
            }
        };
        for (router, object) in &config.routers {
            let Some(value) = &object.value else { continue };
            let is_closed = |name: &str| config.services.get(name).is_some_and(Object::is_closed);
            // A service of the router's own has its findings said of the same object.
            let is_own = value.service == *router;
            let service = value.service.as_str();
            add(
                &mut users.services,
                !is_own && is_closed(service),
                service,
                router,
            );
            for name in &value.middlewares {
                let is_closed = config.middlewares.get(name).is_some_and(Object::is_closed);
                add(&mut users.middlewares, is_closed, name, router);
            }
            if let Some(name) = value.tls.as_ref().and_then(|tls| tls.options.as_ref()) {
                let is_closed = config.tls.options.get(name).is_some_and(Object::is_closed);
                add(&mut users.options, is_closed, name, router);
            }
        }
        users
    }
}

/// The end of a message: what is closed by what it is about.
fn closed(routers: Option<&Vec<&str>>) -> String {
    let Some(routers) = routers else {
        return String::new();
    };
    let named: Vec<&str> = routers.iter().take(NAMED).copied().collect();
    let more = match routers.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("; this closes {}{more}", named.join(", "))
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
            let over = written.iter().filter(|one| is_over(one, &standing));
            let over: BTreeSet<_> = over.map(|one| (one.over(), Verdict::Accepted)).collect();
            written.retain(|refusal| standing.contains(refusal));
            let new = standing.difference(&written).cloned();
            let new = new.map(|one| (one, Verdict::Refused));
            let new: Vec<_> = over.into_iter().chain(new).take(MOST).collect();
            for (refusal, verdict) in new {
                if let Err(error) = self.write(&refusal, verdict).await {
                    if matches!(&error, Error::Api(status) if status.code == 403) {
                        tracing::info!(
                            "events may not be written, so what is refused is told by the log \
                             alone; allow them by a ClusterRole with apiGroups: [\"\"], \
                             resources: [\"events\"], verbs: [\"create\", \"patch\"]"
                        );
                        return;
                    }
                    tracing::debug!(%error, "an event is not written");
                }
                if matches!(verdict, Verdict::Refused) {
                    written.insert(refusal);
                }
                sleep(BETWEEN).await;
            }
            match timeout(AGAIN, self.standing.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => written.clear(),
            }
        }
    }

    async fn write(&self, refusal: &Refusal, verdict: Verdict) -> Result<(), Error> {
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
        let (reason, type_) = verdict.words();
        let name = refusal.event_name();
        let event = Event {
            metadata: ObjectMeta {
                name: Some(name.clone()),
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
            reason: Some(reason.to_owned()),
            message: Some(refusal.message.clone()),
            type_: Some(type_.to_owned()),
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
            // Another gateway has written it, or it was so before: then it is so again.
            Err(Error::Api(status)) if status.code == 409 => {
                let again = Patch::Merge(json!({"lastTimestamp": event.last_timestamp}));
                match events.patch(&name, &PatchParams::default(), &again).await {
                    Err(Error::Api(status)) if status.code == 403 => Ok(()),
                    Err(error) => Err(error),
                    Ok(_) => Ok(()),
                }
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}

/// Whether nothing is said of its object any more.
fn is_over(refusal: &Refusal, standing: &Refusals) -> bool {
    !standing.iter().any(|other| other.is_about(refusal))
}
