//! The provider, the clocks and the dice of the simulation, and what it remembers to judge by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use carnet_oauth::Clock;
use carnet_testkit::SeededRandom;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Response;
use http::header::RETRY_AFTER;
use serde_json::json;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::{Call, CallFailure, Options, TokenEndpoint, answer, refused, shown};

/// Numbers that follow from a seed.
#[derive(Debug)]
pub(super) struct Dice(SeededRandom);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Dice of their own, so that who throws them does not depend on the order of others' throws.
    pub(super) fn fork(&self) -> Self {
        Self(SeededRandom::new(self.0.next()))
    }

    /// A number below this one.
    pub(super) fn up_to(&self, end: u64) -> u64 {
        self.0.next() % end.max(1)
    }

    pub(super) fn pick(&self, end: usize) -> usize {
        usize::try_from(self.up_to(u64::try_from(end).expect("small"))).expect("small")
    }
}

/// A client and a secret that somebody shows for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) client: u64,
    pub(super) secret: u64,
}

/// Clients there are.
const CLIENTS: u64 = 3;

impl Pair {
    /// Clients have the secrets 0, 1 and so on, one after the other; others are always wrong.
    pub(super) fn any(dice: &Dice) -> Self {
        Self {
            client: dice.up_to(CLIENTS),
            secret: [0, 0, 0, 1, 99][dice.pick(5)],
        }
    }
}

/// How the provider is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mood {
    /// Of ten calls, so many fail.
    trouble: u64,
    /// Which trouble it is.
    kind: u64,
    /// Answers take so many milliseconds at most.
    slowness: u64,
    /// What `expires_in` says.
    life: u64,
}

impl Mood {
    pub(super) const WELL: Self = Self {
        trouble: 0,
        kind: 0,
        slowness: 1,
        life: 3600,
    };

    pub(super) fn any(dice: &Dice) -> Self {
        Self {
            trouble: [0, 0, 3, 10][dice.pick(4)],
            kind: dice.up_to(6),
            slowness: [1, 100, 7_000][dice.pick(3)],
            life: [0, 1, 2, 5, 60, 3600][dice.pick(6)],
        }
    }
}

/// All that is outside the engine.
#[derive(Debug)]
pub(super) struct World {
    dice: Dice,
    start: Instant,
    /// By how many seconds the clock of each gateway is wrong.
    offsets: Vec<Arc<Mutex<i64>>>,
    is_cached: bool,
    /// Whether the gateways take turns: they share a store that never fails.
    takes_turns: bool,
    state: Mutex<State>,
}

/// A pair as one of the gateways knows it.
type Known = (usize, Pair);

#[derive(Debug)]
struct State {
    mood: Mood,
    /// The secret of each client, and since when.
    secrets: BTreeMap<u64, (u64, Instant)>,
    /// When a secret stopped being right.
    retired: BTreeMap<Pair, Instant>,
    /// When each token was made and how long it lives, by its number.
    tokens: Vec<(Pair, Instant, Duration)>,
    /// Calls on their way.
    under_way: BTreeMap<Known, u32>,
    refused: BTreeMap<Pair, Instant>,
    /// Until when the provider wants to be left alone by each.
    patience: BTreeMap<Known, Instant>,
    /// Promises that were broken in calls, whose panics nobody would see.
    broken: Vec<String>,
    /// How each gateway sees it.
    views: Vec<View>,
}

/// What a gateway knows of the provider's health.
#[derive(Debug, Clone, Default)]
struct View {
    failures: u32,
    kept_back: Option<(Instant, Instant)>,
}

/// The provider as one of the gateways reaches it.
pub(super) struct Gate {
    world: Arc<World>,
    gateway: usize,
}

impl World {
    pub(super) fn new(
        dice: &Dice,
        is_cached: bool,
        gateways: usize,
        takes_turns: bool,
    ) -> Arc<Self> {
        let start = Instant::now();
        Arc::new(Self {
            start,
            offsets: (0..gateways).map(|_| Arc::default()).collect(),
            is_cached,
            takes_turns,
            state: Mutex::new(State {
                mood: Mood::any(dice),
                secrets: (0..CLIENTS).map(|client| (client, (0, start))).collect(),
                retired: BTreeMap::new(),
                tokens: Vec::new(),
                under_way: BTreeMap::new(),
                refused: BTreeMap::new(),
                patience: BTreeMap::new(),
                broken: Vec::new(),
                views: vec![View::default(); gateways],
            }),
            dice: dice.fork(),
        })
    }

    /// The time of day, as a gateway sees it.
    pub(super) fn clock(&self, gateway: usize) -> JumpingClock {
        JumpingClock {
            start: self.start,
            offset: Arc::clone(&self.offsets[gateway]),
        }
    }

    /// The way of a gateway to the provider.
    pub(super) fn gate(self: &Arc<Self>, gateway: usize) -> Arc<Gate> {
        let world = Arc::clone(self);
        Arc::new(Gate { world, gateway })
    }

    pub(super) fn jump(&self, dice: &Dice) {
        let by = i64::try_from(dice.up_to(14_400)).expect("small") - 7_200;
        let offset = &self.offsets[dice.pick(self.offsets.len())];
        *offset.lock().expect("no panic") += by;
    }

    pub(super) fn change(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// A new secret for a client: from now on the old one is wrong.
    pub(super) fn rotate(&self, client: u64) {
        let mut state = self.state();
        let now = Instant::now();
        let (secret, _) = state.secrets[&client];
        state.retired.insert(Pair { client, secret }, now);
        state.secrets.insert(client, (secret + 1, now));
    }

    pub(super) fn right_pairs(&self) -> Vec<Pair> {
        let state = self.state();
        let pairs = state.secrets.iter();
        pairs
            .map(|(client, (secret, _))| Pair {
                client: *client,
                secret: *secret,
            })
            .collect()
    }

    /// A token was given to who showed this pair.
    pub(super) fn check_token(&self, pair: Pair, bearer: &str, options: &Options) {
        let state = self.state();
        let number: usize = bearer
            .strip_prefix("Bearer t")
            .expect("ours")
            .parse()
            .expect("a number");
        let (owner, made, life) = state.tokens[number];
        assert_eq!(owner, pair, "another's token");
        let age = made.elapsed();
        // One that says nothing of its life is used once, by those who waited for it.
        let most = match life.is_zero() {
            true => options.timeout + Duration::from_millis(5),
            false => life,
        };
        assert!(age < most, "past its end: {age:?} of {life:?}");
        let greatest = options.max_age.max(options.timeout);
        assert!(age <= greatest, "too old: {age:?}");
        if let Some(retired) = state.retired.get(&pair) {
            let since = retired.elapsed();
            assert!(since <= Duration::from_secs(305), "retired {since:?} ago");
        }
    }

    /// Somebody was told that this pair is wrong.
    pub(super) fn check_refusal(&self, pair: Pair, began: Instant) {
        let state = self.state();
        let refused = state.refused.get(&pair).expect("the provider said so");
        let memory = Duration::from_secs(5) + began.elapsed();
        assert!(refused.elapsed() <= memory, "remembered for too long");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call arrives: may it?
    fn arrived(&self, (gateway, pair): Known) {
        let now = Instant::now();
        let mut state = self.state();
        let known = (gateway, pair);
        *state.under_way.entry(known).or_default() += 1;
        // Without a cache calls are not shared, and may be given up by who waits for them.
        if !self.is_cached {
            return;
        }
        let is_counted = |at: &Known| at.1 == pair && (self.takes_turns || at.0 == gateway);
        let calls = state.under_way.iter().filter(|(at, _)| is_counted(at));
        let under_way: u32 = calls.map(|(_, number)| number).sum();
        if under_way > 1 {
            state.broken.push(format!("two calls for {pair:?}"));
        }
        if state.patience.get(&known).is_some_and(|until| now < *until) {
            state.broken.push(format!("no patience for {pair:?}"));
        }
        let is_down = |(since, until): (Instant, Instant)| since < now && now < until;
        if state.views[gateway].kept_back.is_some_and(is_down) {
            state.broken.push("called while it is down".to_owned());
        }
    }

    /// What went wrong in calls.
    pub(super) fn broken(&self) -> Vec<String> {
        self.state().broken.clone()
    }

    fn failed(&self, gateway: usize) {
        let now = Instant::now();
        let view = &mut self.state().views[gateway];
        if view.kept_back.is_some_and(|(_, until)| now < until) {
            return;
        }
        view.failures += 1;
        if view.failures >= 5 {
            view.kept_back = Some((now, now + Duration::from_secs(1)));
        }
    }

    fn lives(&self, gateway: usize) {
        self.state().views[gateway] = View::default();
    }

    /// What the provider does with a call.
    async fn treat(&self, known: Known) -> Result<Response<Bytes>, CallFailure> {
        let (gateway, pair) = known;
        let mood = self.state().mood;
        sleep(Duration::from_millis(self.dice.up_to(mood.slowness))).await;
        if self.dice.up_to(10) < mood.trouble {
            return self.trouble(known, mood.kind).await;
        }
        self.lives(gateway);
        let now = Instant::now();
        let mut state = self.state();
        if state.secrets[&pair.client].0 != pair.secret {
            state.refused.insert(pair, now);
            return refused(401, "invalid_client");
        }
        let number = state.tokens.len();
        let life = Duration::from_secs(mood.life);
        state.tokens.push((pair, now, life));
        answer(
            200,
            &json!({"access_token": format!("t{number}"), "token_type": "Bearer", "expires_in": mood.life}),
        )
    }

    async fn trouble(&self, known: Known, kind: u64) -> Result<Response<Bytes>, CallFailure> {
        let gateway = known.0;
        match kind {
            0 => {
                self.failed(gateway);
                Err(CallFailure::Transport("connection refused".to_owned()))
            }
            1 => {
                self.failed(gateway);
                answer(500, &json!({}))
            }
            2 => {
                self.lives(gateway);
                let seconds = self.dice.up_to(20);
                let until = Instant::now() + Duration::from_secs(seconds);
                self.state().patience.insert(known, until);
                let mut patience = answer(429, &json!({}))?;
                patience.headers_mut().insert(RETRY_AFTER, seconds.into());
                Ok(patience)
            }
            3 => {
                self.lives(gateway);
                Err(CallFailure::Garbled("no HTTP".to_owned()))
            }
            4 => {
                self.lives(gateway);
                answer(200, &json!({"token_type": "Bearer", "expires_in": 60}))
            }
            _ => {
                // Longer than anybody waits.
                let patience = Duration::from_secs(3600);
                sleep(patience).await;
                Err(CallFailure::TimedOut)
            }
        }
    }
}

impl TokenEndpoint for Gate {
    fn post(&self, call: Call) -> BoxFuture<'_, Result<Response<Bytes>, CallFailure>> {
        async move {
            let world = &*self.world;
            let shown = shown(&call);
            let pair = Pair {
                client: shown.id.parse().expect("a number"),
                secret: shown.secret.parse().expect("a number"),
            };
            let known = (self.gateway, pair);
            world.arrived(known);
            let mut call = UnderWay {
                world,
                known,
                is_answered: false,
            };
            for _ in 0..world.dice.up_to(3) {
                yield_now().await;
            }
            let result = world.treat(known).await;
            call.is_answered = true;
            drop(call);
            for _ in 0..world.dice.up_to(3) {
                yield_now().await;
            }
            result
        }
        .boxed()
    }
}

/// A call on its way. Dropped without an answer, it was given up because it took too long.
struct UnderWay<'a> {
    world: &'a World,
    known: Known,
    is_answered: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.world.state().under_way.get_mut(&self.known) {
            *number -= 1;
        }
        if !self.is_answered {
            self.world.failed(self.known.0);
        }
    }
}

/// A time of day that follows the steady clock but for its jumps.
#[derive(Debug)]
pub(super) struct JumpingClock {
    start: Instant,
    offset: Arc<Mutex<i64>>,
}

impl Clock for JumpingClock {
    fn now(&self) -> SystemTime {
        let base = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_694_400);
        let now = base + self.start.elapsed();
        let offset = *self.offset.lock().expect("no panic");
        match u64::try_from(offset) {
            Ok(ahead) => now + Duration::from_secs(ahead),
            Err(_) => now - Duration::from_secs(offset.unsigned_abs()),
        }
    }
}
