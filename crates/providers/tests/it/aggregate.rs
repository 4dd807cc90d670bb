use std::time::Duration;

use carnet_config::diagnostics::{Diagnostic, Object, Severity};
use carnet_config::routing::{Router, RoutingConfig};
use carnet_providers::aggregate::{Aggregate, Merged};
use carnet_providers::{Scope, Update};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// An update with one router.
fn update(provider: &str, router: &str) -> Update {
    let mut config = RoutingConfig::default();
    let value = Object::sound(Router::default());
    config.routers.insert(router.to_owned(), value);
    Update {
        provider: provider.to_owned(),
        config,
        scope: Scope::All,
        diagnostics: Vec::new(),
        readable: true,
        current: true,
    }
}

struct Running {
    updates: mpsc::Sender<Update>,
    merged: watch::Receiver<Option<Merged>>,
}

fn start(providers: &[&str], throttle: Duration) -> Running {
    let (updates, receiver) = mpsc::channel(8);
    let (sender, merged) = watch::channel(None);
    let providers = providers.iter().map(|name| (*name).to_owned());
    let aggregate = Aggregate::new(providers, throttle);
    tokio::spawn(aggregate.run(receiver, sender, CancellationToken::new()));
    Running { updates, merged }
}

impl Running {
    async fn send(&self, update: Update) {
        self.updates.send(update).await.unwrap();
    }

    /// The routers of the next publication.
    async fn next(&mut self) -> Vec<String> {
        self.merged.changed().await.unwrap();
        let merged = self.merged.borrow_and_update().clone().unwrap();
        merged.config.routers.keys().cloned().collect()
    }

    /// Nothing comes, however long one waits.
    async fn is_silent(&mut self) -> bool {
        let long = Duration::from_secs(3600);
        tokio::time::timeout(long, self.merged.changed())
            .await
            .is_err()
    }
}

const LONG: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn nothing_is_published_before_every_provider_has_spoken() {
    let mut running = start(&["file", "kubernetescrd"], LONG);
    running.send(update("file", "a")).await;
    assert!(running.is_silent().await);
    running.send(update("kubernetescrd", "b")).await;
    let before = Instant::now();
    assert_eq!(running.next().await, ["a@file", "b@kubernetescrd"]);
    assert_eq!(before.elapsed(), Duration::ZERO);
}

// Holds DO-08.
#[tokio::test(start_paused = true)]
async fn what_changes_together_is_published_together_and_what_is_equal_not_at_all() {
    let mut running = start(&["file"], LONG);
    running.send(update("file", "a")).await;
    running.next().await;
    running.send(update("file", "b")).await;
    running.send(update("file", "c")).await;
    assert_eq!(running.next().await, ["c@file"]);
    running.send(update("file", "c")).await;
    assert!(running.is_silent().await);
    let unread = Update {
        readable: false,
        ..update("file", "c")
    };
    running.send(unread).await;
    running.next().await;
    assert!(!running.merged.borrow().as_ref().unwrap().readable);
}

// Holds DO-08.
#[tokio::test(start_paused = true)]
async fn updates_without_end_are_published_after_the_throttle() {
    let mut running = start(&["file"], LONG);
    running.send(update("file", "0")).await;
    running.next().await;
    let updates = running.updates.clone();
    tokio::spawn(async move {
        for number in 1.. {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if updates
                .send(update("file", &number.to_string()))
                .await
                .is_err()
            {
                return;
            }
        }
    });
    let before = Instant::now();
    running.next().await;
    assert!(before.elapsed() <= LONG + Duration::from_millis(40));
}

#[tokio::test(start_paused = true)]
async fn services_take_the_places_of_those_of_their_names_and_all_else_stays() {
    for others in [&["file"][..], &["file", "other"]] {
        let mut running = start(others, LONG);
        for provider in others {
            running.send(update(provider, "a")).await;
        }
        running.next().await;
        let mut part = update("file", "nothing");
        part.scope = Scope::Services;
        part.config = RoutingConfig::default();
        part.config
            .services
            .insert("s".to_owned(), Object::closed(finding("gone")));
        running.send(part.clone()).await;
        assert_eq!(running.next().await.len(), others.len());
        let merged = running.merged.borrow().clone().unwrap();
        assert_eq!(merged.config.services["s@file"], part.config.services["s"]);
        // It is still known when another provider says something.
        if let [_, other] = others {
            running.send(update(other, "b")).await;
            assert_eq!(running.next().await, ["a@file", "b@other"]);
            let merged = running.merged.borrow().clone().unwrap();
            assert!(merged.config.services.contains_key("s@file"));
        }
        running.send(update("file", "c")).await;
        running.next().await;
        let merged = running.merged.borrow().clone().unwrap();
        assert!(merged.config.services.is_empty(), "all was told anew");
    }
}

fn finding(message: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        object: String::new(),
        key: String::new(),
        message: message.to_owned(),
        position: None,
    }
}
