//! Secrets one by one, for who may not list them: a role with `get` and `resourceNames` is enough.
//! Those that objects name are asked for again and again; there is nothing to watch.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::api::{Api, DynamicObject};
use kube::{Client, Error};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, timeout_at};

use super::kind::Kind;
use super::read;
use crate::kubernetes::manifests::ManifestObject;
use crate::kubernetes::objects::ObjectName;

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// For how long, before a list is tried again.
const TERM: Duration = Duration::from_secs(30);

/// The Secrets that objects name; `None` before the objects are known.
pub(super) type Wanted = Receiver<Option<BTreeSet<ObjectName>>>;

/// Reads Secrets by their names.
pub(super) struct ByName {
    pub(super) client: Client,
    pub(super) kind: Kind,
    /// `None`: of all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) wanted: Wanted,
    last: Option<Vec<ManifestObject>>,
    refused: BTreeSet<ObjectName>,
    term: Instant,
}

impl ByName {
    pub(super) fn new(
        client: Client,
        kind: Kind,
        namespace: Option<String>,
        wanted: Wanted,
    ) -> Self {
        Self {
            client,
            kind,
            namespace,
            wanted,
            last: None,
            refused: BTreeSet::new(),
            term: Instant::now(),
        }
    }

    /// Begins anew, for a while.
    pub(super) fn renew(&mut self) {
        self.term = Instant::now() + TERM;
    }

    /// All that are there, when that is news; `None` when it is time to try a list again.
    pub(super) async fn next(&mut self) -> Option<Vec<ManifestObject>> {
        loop {
            let round = Instant::now() + ROUND;
            let wanted = self.wanted.borrow_and_update().clone();
            if let Some(wanted) = wanted {
                let found = self.read(&wanted).await;
                if let Some(found) = found
                    && self.last.as_ref() != Some(&found)
                {
                    self.last = Some(found.clone());
                    return Some(found);
                }
            }
            if let Ok(Err(_)) = timeout_at(round, self.wanted.changed()).await {
                // Nobody wants anything any more; this ends soon.
                sleep(ROUND).await;
            }
            if Instant::now() >= self.term {
                return None;
            }
        }
    }

    /// `None` when the API server does not say.
    async fn read(&mut self, wanted: &BTreeSet<ObjectName>) -> Option<Vec<ManifestObject>> {
        let position = read::position();
        let mut found = Vec::new();
        for name in wanted {
            if self
                .namespace
                .as_ref()
                .is_some_and(|own| *own != name.namespace)
            {
                continue;
            }
            let resource = self.kind.api_resource();
            let client = self.client.clone();
            let api: Api<DynamicObject> = Api::namespaced_with(client, &name.namespace, &resource);
            match api.get(&name.name).await {
                Ok(object) => {
                    self.refused.remove(name);
                    found.push(read::manifest(self.kind, object, &position));
                }
                Err(Error::Api(status)) if status.code == 404 => {}
                Err(Error::Api(status)) if status.code == 403 => self.tell(name),
                Err(_) => return None,
            }
        }
        Some(found)
    }

    /// Once for each.
    fn tell(&mut self, name: &ObjectName) {
        if self.refused.insert(name.clone()) {
            tracing::warn!(
                "Secret {name} may not be read, so what needs it answers 503; allow it by a Role in \
                 the namespace `{}` with apiGroups: [\"\"], resources: [\"secrets\"], \
                 resourceNames: [\"{}\"], verbs: [\"get\"]",
                name.namespace,
                name.name
            );
        }
    }
}
