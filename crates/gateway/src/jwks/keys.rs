//! Published keys, kept while they are good, fetched by one at a time however many wait, and never
//! often. Reading them takes no lock. A fetch runs by itself: who goes away ends it for nobody.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

use super::{KeySource, Published};

/// Older keys are fetched anew, off the way of requests: one may have been withdrawn.
const FRESH: Duration = Duration::from_secs(300);

/// For older keys requests wait, unless it is known already that they cannot be fetched.
const STALE: Duration = Duration::from_secs(600);

/// Older keys are not used, whatever became of their server.
const LAST: Duration = Duration::from_secs(24 * 3600);

/// After a fetch that failed, the next comes so much later.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// After a look for a key that was not there, the next look for any comes so much later.
const IN_VAIN: Duration = Duration::from_secs(30);

/// The keys of one server.
#[derive(Clone)]
pub(crate) struct Keys(pub(super) Arc<Inner>);

pub(super) struct Inner {
    source: Arc<dyn KeySource>,
    state: ArcSwap<State>,
    /// Whose turn it is to fetch.
    turn: Arc<Mutex<()>>,
}

/// What is known. Changed by whose turn it is alone.
#[derive(Clone, Default)]
struct State {
    held: Option<Held>,
    /// When the last fetch failed; `None`: it did not.
    failed: Option<Instant>,
    /// What was told of fetches that fail.
    told: Told,
    /// No look for a key that is not known before this moment.
    no_look_before: Option<Instant>,
}

/// Each is told once, until keys can be fetched again.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    /// The last keys are used.
    LastOnes,
    /// There are none that are good: nothing is verified.
    NoKeys,
}

#[derive(Clone)]
struct Held {
    published: Arc<Published>,
    since: Instant,
}

impl Keys {
    pub(crate) fn new(source: Arc<dyn KeySource>) -> Self {
        Self(Arc::new(Inner {
            source,
            state: ArcSwap::default(),
            turn: Arc::default(),
        }))
    }

    /// The keys to verify with, where nobody has to wait for them; `None`: somebody has to, or there
    /// are none that are good.
    pub(crate) fn at_once(&self) -> Option<Arc<Published>> {
        let state = self.0.state.load();
        let age = state.held.as_ref()?.since.elapsed();
        if age >= FRESH {
            if age >= STALE && (age >= LAST || state.failed.is_none()) {
                return None;
            }
            self.renew_meanwhile();
        }
        state.good()
    }

    /// The keys to verify with; `None`: there are none that are good.
    pub(crate) async fn current(&self) -> Option<Arc<Published>> {
        if let Some(published) = self.at_once() {
            return Some(published);
        }
        if self.0.state.load().is_pausing() {
            return None;
        }
        let is_old = |state: &State| {
            let age = state.held.as_ref().map(|held| held.since.elapsed());
            age.is_none_or(|age| age >= FRESH) && !state.is_pausing()
        };
        self.fetch_if(is_old, None).await;
        self.0.state.load().good()
    }

    /// Whether to look for newer keys than those.
    pub(crate) fn may_be_newer(&self, known: &Arc<Published>) -> bool {
        self.0.state.load().is_worth_a_look(known)
    }

    /// The keys after those, in which `kid` was not, if there may be newer ones.
    pub(crate) async fn newer_than(
        &self,
        known: &Arc<Published>,
        kid: Option<&str>,
    ) -> Arc<Published> {
        let known = Arc::clone(known);
        let is_worth_a_look = |state: &State| state.is_worth_a_look(&known);
        let look = Look(kid.map(str::to_owned));
        self.fetch_if(is_worth_a_look, Some(look)).await;
        let held = self.0.state.load().held.clone();
        held.map_or(known, |held| held.published)
    }

    /// Fetches in one's turn, where that is wanted when it comes.
    async fn fetch_if(&self, is_wanted: impl Fn(&State) -> bool, look: Option<Look>) {
        if !is_wanted(&self.0.state.load()) {
            return;
        }
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        if is_wanted(&self.0.state.load()) {
            let inner = Arc::clone(&self.0);
            // One that breaks off leaves the state as it was.
            drop(tokio::spawn(inner.fetch(turn, look)).await);
        }
    }

    fn renew_meanwhile(&self) {
        let Ok(turn) = Arc::clone(&self.0.turn).try_lock_owned() else {
            return;
        };
        if !self.0.state.load().is_pausing() {
            tokio::spawn(Arc::clone(&self.0).fetch(turn, None));
        }
    }
}

/// A look for a key of this name.
struct Look(Option<String>);

impl Look {
    fn has_found(&self, published: &Published) -> bool {
        let keys = published.keys.keys();
        let Self(kid) = self;
        kid.as_ref()
            .is_some_and(|kid| keys.iter().any(|key| key.kid() == kid))
    }
}

impl Inner {
    /// Fetches. A set without a key that can be used has failed, too.
    async fn fetch(self: Arc<Self>, _turn: OwnedMutexGuard<()>, look: Option<Look>) {
        let mut state = State::clone(&self.state.load());
        let fetched = timeout(self.source.patience(), self.source.fetch()).await;
        let outcome = match fetched {
            Ok(Ok(published)) if published.keys.keys().is_empty() => {
                Err("there is no key that can be used".to_owned())
            }
            Ok(outcome) => outcome,
            Err(_) => Err("no answer in time".to_owned()),
        };
        if let Some(look) = look {
            // Keys may change as often as they do; one that nobody has is not looked for as often.
            let is_found = matches!(&outcome, Ok(published) if look.has_found(published));
            state.no_look_before = (!is_found).then(|| Instant::now() + IN_VAIN);
        }
        match outcome {
            Ok(published) => self.succeeded(&mut state, published),
            Err(reason) => self.failed(&mut state, &reason),
        }
        self.state.store(Arc::new(state));
    }

    fn succeeded(&self, state: &mut State, published: Published) {
        state.told = Told::Nothing;
        if state.failed.take().is_some() {
            let source = self.source.name();
            tracing::info!(source, "the keys to verify tokens can be fetched again");
        }
        // What did not change stays the same for those who compare it.
        let known = state.held.take().map(|held| held.published);
        let same = known.filter(|known| **known == published);
        if same.is_none() && published.rejected > 0 {
            let (source, count) = (self.source.name(), published.rejected);
            tracing::warn!(source, count, "keys that are too weak are not used");
        }
        state.held = Some(Held {
            published: same.unwrap_or_else(|| Arc::new(published)),
            since: Instant::now(),
        });
    }

    fn failed(&self, state: &mut State, reason: &str) {
        let (told, rest) = match state.good() {
            Some(_) => (Told::LastOnes, "the last ones are good for a day"),
            None => (Told::NoKeys, "no token counts without them"),
        };
        if state.told != told {
            let source = self.source.name();
            tracing::warn!(
                source,
                reason,
                "the keys to verify tokens cannot be fetched; {rest}"
            );
        }
        state.told = told;
        state.failed = Some(Instant::now());
    }
}

impl State {
    /// The keys, unless they are too old.
    fn good(&self) -> Option<Arc<Published>> {
        let held = self.held.as_ref()?;
        (held.since.elapsed() < LAST).then(|| Arc::clone(&held.published))
    }

    /// Whether a key that is not among those may be found by a look now.
    fn is_worth_a_look(&self, known: &Arc<Published>) -> bool {
        let is_same = |held: &Held| Arc::ptr_eq(&held.published, known);
        self.held.as_ref().is_some_and(is_same)
            && self.no_look_before.is_none_or(is_past)
            && !self.is_pausing()
    }

    fn is_pausing(&self) -> bool {
        self.failed.is_some_and(|failed| failed.elapsed() < PAUSE)
    }
}

fn is_past(moment: Instant) -> bool {
    Instant::now() >= moment
}
