//! An API server in this process: lists and watches with resource versions, and whatever may go
//! wrong with them. Real servers are for `kube/`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, Uri};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A server that several clients may ask.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    /// Requests wait while this is false.
    is_open: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    version: u64,
    /// Objects of a path, like `/api/v1/secrets`, by namespace and name.
    objects: BTreeMap<String, BTreeMap<(String, String), Value>>,
    /// Who watches a path.
    watchers: Vec<(String, mpsc::UnboundedSender<Bytes>)>,
    /// Events of the past, until they are forgotten.
    past: Vec<(u64, String, Value)>,
    /// Versions up to this one are forgotten: 410.
    forgotten: u64,
    /// What is answered instead, by path; the empty path means all.
    refusals: BTreeMap<String, u16>,
    lists: BTreeMap<String, usize>,
}

/// Where objects of a kind are.
pub(super) fn path(kind: &str) -> String {
    let (group, plural) = match kind {
        "Service" => ("/api/v1", "services"),
        "Secret" => ("/api/v1", "secrets"),
        "ConfigMap" => ("/api/v1", "configmaps"),
        "EndpointSlice" => ("/apis/discovery.k8s.io/v1", "endpointslices"),
        "Ingress" => ("/apis/networking.k8s.io/v1", "ingresses"),
        "IngressClass" => ("/apis/networking.k8s.io/v1", "ingressclasses"),
        "IngressRoute" => ("/apis/traefik.io/v1alpha1", "ingressroutes"),
        "Middleware" => ("/apis/traefik.io/v1alpha1", "middlewares"),
        other => panic!("no path for {other}"),
    };
    format!("{group}/{plural}")
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            state: Arc::default(),
            is_open: watch::Sender::new(true),
        }
    }

    pub(super) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request.uri()).await) }
        });
        Client::new(service, "default")
    }

    /// Puts objects of a text of manifests in their places.
    pub(super) fn apply(&self, text: &str) {
        for document in text.split("\n---\n") {
            let node = carnet_config::document::parse_yaml(document, "applied")
                .unwrap()
                .remove(0);
            self.put(node.to_json());
        }
    }

    fn put(&self, mut object: Value) {
        let mut state = self.state();
        let path = path(object["kind"].as_str().unwrap());
        let key = key(&object);
        let is_new = !state
            .objects
            .entry(path.clone())
            .or_default()
            .contains_key(&key);
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        let kept = state.objects.get_mut(&path).unwrap();
        kept.insert(key, object.clone());
        let what = if is_new { "ADDED" } else { "MODIFIED" };
        state.tell(&path, what, object);
    }

    /// Removes an object.
    pub(super) fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let mut state = self.state();
        let path = path(kind);
        let key = (namespace.to_owned(), name.to_owned());
        let kept = state.objects.get_mut(&path).unwrap();
        let mut object = kept.remove(&key).unwrap();
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        state.tell(&path, "DELETED", object);
    }

    /// Ends every watch.
    pub(super) fn cut(&self) {
        self.state().watchers.clear();
    }

    /// Ends every watch and forgets the past: who comes back must list again.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        // Whoever listed before this is too old.
        state.version += 1;
        state.forgotten = state.version;
        state.past.clear();
        state.watchers.clear();
    }

    /// Sends a line to everybody who watches a kind.
    pub(super) fn say(&self, kind: &str, line: &str) {
        let path = path(kind);
        let state = self.state();
        for (watched, sender) in &state.watchers {
            if *watched == path {
                sender.send(Bytes::from(format!("{line}\n"))).unwrap();
            }
        }
    }

    /// Answers so for a kind, or for every kind with an empty name, until [`Self::allow`].
    pub(super) fn refuse(&self, kind: &str, status: u16) {
        let path = if kind.is_empty() {
            String::new()
        } else {
            path(kind)
        };
        self.state().refusals.insert(path, status);
    }

    pub(super) fn allow(&self) {
        self.state().refusals.clear();
    }

    /// From now on requests wait, until they do not any more.
    pub(super) fn hang(&self, is_hanging: bool) {
        self.is_open.send_replace(!is_hanging);
    }

    /// How often a kind was listed.
    pub(super) fn lists(&self, kind: &str) -> usize {
        self.state().lists.get(&path(kind)).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(&self, uri: &Uri) -> Answer {
        let mut gate = self.is_open.subscribe();
        gate.wait_for(|is_open| *is_open).await.unwrap();
        let path = uri.path().to_owned();
        let query = uri.query().unwrap_or_default();
        let query: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let mut state = self.state();
        let refused = state.refusals.get(&path).or_else(|| state.refusals.get(""));
        if let Some(status) = refused {
            return failed(*status);
        }
        if let Some((path, namespace, name)) = single(&path) {
            return state.one(&path, namespace, name);
        }
        if !query.contains_key("watch") {
            return state.list(&path);
        }
        let since = query["resourceVersion"].parse().unwrap();
        if since < state.forgotten {
            return failed(410);
        }
        state.watch(&path, since)
    }
}

/// Path of the kind, namespace and name, where a request is for one object.
fn single(path: &str) -> Option<(String, &str, &str)> {
    let (group, rest) = path.split_once("/namespaces/")?;
    let mut parts = rest.splitn(3, '/');
    let (namespace, plural, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((format!("{group}/{plural}"), namespace, name))
}

impl State {
    fn one(&self, path: &str, namespace: &str, name: &str) -> Answer {
        let key = (namespace.to_owned(), name.to_owned());
        let found = self.objects.get(path).and_then(|kept| kept.get(&key));
        found.map_or_else(|| failed(404), |object| whole(200, object))
    }

    fn list(&mut self, path: &str) -> Answer {
        *self.lists.entry(path.to_owned()).or_default() += 1;
        let items: Vec<_> = self.objects.get(path).into_iter().flatten().collect();
        let items: Vec<&Value> = items.into_iter().map(|(_, object)| object).collect();
        let list = json!({
            "kind": "List",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": self.version.to_string()},
            "items": items,
        });
        whole(200, &list)
    }

    fn watch(&mut self, path: &str, since: u64) -> Answer {
        let (sender, receiver) = mpsc::unbounded_channel();
        for (version, of, event) in &self.past {
            if *version > since && of == path {
                sender.send(line(event)).unwrap();
            }
        }
        self.watchers.push((path.to_owned(), sender));
        let events = stream::unfold(receiver, |mut receiver| async {
            let line = receiver.recv().await?;
            Some((Ok(Frame::data(line)), receiver))
        });
        Response::new(StreamBody::new(events).boxed_unsync())
    }

    fn tell(&mut self, path: &str, what: &str, object: Value) {
        let event = json!({"type": what, "object": object});
        self.past
            .push((self.version, path.to_owned(), event.clone()));
        self.watchers
            .retain(|(watched, sender)| watched != path || sender.send(line(&event)).is_ok());
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    (text("namespace").to_owned(), text("name").to_owned())
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

fn failed(status: u16) -> Answer {
    whole(
        status,
        &json!({
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "message": "as the test wants it",
            "reason": "Test",
            "code": status,
        }),
    )
}

fn whole(status: u16, body: &Value) -> Answer {
    let body = Full::new(Bytes::from(body.to_string())).boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}
