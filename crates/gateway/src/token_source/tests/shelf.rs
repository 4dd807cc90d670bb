//! A store that does as it is told: it is slow, fails, forgets, or tells something else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use super::world::Dice;
use crate::token_source::Shared;
use crate::token_source::store::{Store, Stored, Trouble};

/// What gateways seal with.
pub(super) const SECRET: &str = "0123456789abcdef";

/// The longest that the real store waits for itself.
const LIMIT: Duration = Duration::from_millis(50);

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// Answers take so many milliseconds at most.
    Slow(u64),
    /// Of ten commands so many fail, some of them after they were done.
    Failing(u64),
    /// It does not answer at all.
    Hanging,
}

/// The store.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// Without any, it is always well.
    dice: Option<Dice>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    health: Health,
    values: BTreeMap<String, (Vec<u8>, Instant)>,
}

/// A store as one gateway of a fleet has it.
pub(super) fn shared(shelf: &Arc<Shelf>, secret: &str) -> Shared {
    let secrets = [SecretString::from(secret)];
    Shared::new(shelf.clone(), "gw:", &secrets, Vec::new()).expect("a secret")
}

impl Shelf {
    pub(crate) fn new() -> Arc<Self> {
        Self::with(None)
    }

    /// One that is always well, or one that never is for long.
    pub(super) fn any(dice: &Dice) -> Arc<Self> {
        Self::with((dice.up_to(2) == 0).then(|| dice.fork()))
    }

    fn with(dice: Option<Dice>) -> Arc<Self> {
        Arc::new(Self {
            dice,
            state: Mutex::new(State {
                health: Health::Well,
                values: BTreeMap::new(),
            }),
        })
    }

    pub(super) fn is_well(&self) -> bool {
        self.dice.is_none()
    }

    pub(crate) fn turn(&self, health: Health) {
        self.state().health = health;
    }

    pub(super) fn recover(&self) {
        self.turn(Health::Well);
    }

    /// Something happens to it, unless it is always well.
    pub(super) fn suffer(&self, dice: &Dice) {
        if self.is_well() {
            return;
        }
        match dice.up_to(8) {
            0 => self.state().values.clear(),
            1 => self.mix_up(dice),
            2 => self.turn(Health::Hanging),
            3 => self.turn(Health::Slow(1 + dice.up_to(49))),
            4 | 5 => self.turn(Health::Failing(1 + dice.up_to(10))),
            _ => self.recover(),
        }
    }

    /// What it has: names, and values that may be changed.
    pub(crate) fn values(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let values = state.values.iter();
        values
            .map(|(name, (value, _))| (name.clone(), value.clone()))
            .collect()
    }

    /// Changes a value, and not its end.
    pub(crate) fn set(&self, name: &str, value: Vec<u8>) {
        if let Some((there, _)) = self.state().values.get_mut(name) {
            *there = value;
        }
    }

    /// Every value is another's, or one bit of it changes.
    fn mix_up(&self, dice: &Dice) {
        let mut state = self.state();
        let mut last = b"nobody's".to_vec();
        for (value, _) in state.values.values_mut() {
            match dice.up_to(2) {
                0 => std::mem::swap(value, &mut last),
                _ => {
                    let at = dice.pick(value.len());
                    value[at] ^= 1 << dice.up_to(8);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something, sooner or later, or not.
    async fn ask<T>(&self, act: impl FnOnce(&mut State) -> T + Send) -> Result<T, Trouble> {
        let health = self.state().health;
        let up_to = |end| self.dice.as_ref().map_or(0, |dice| dice.up_to(end));
        match health {
            Health::Well => {}
            Health::Slow(most) => sleep(Duration::from_millis(up_to(most))).await,
            Health::Failing(of_ten) if up_to(10) < of_ten => {
                if up_to(2) == 0 {
                    act(&mut self.fresh());
                }
                return Err(Trouble);
            }
            Health::Failing(_) => {}
            Health::Hanging => {
                sleep(LIMIT).await;
                return Err(Trouble);
            }
        }
        Ok(act(&mut self.fresh()))
    }

    /// What has not ended.
    fn fresh(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        let now = Instant::now();
        state.values.retain(|_, (_, end)| *end > now);
        state
    }
}

impl State {
    fn is_held_by(&self, name: &str, holder: &[u8]) -> bool {
        let held = self.values.get(name);
        held.is_some_and(|(value, _)| value == holder)
    }

    fn put(&mut self, name: &str, value: Vec<u8>, life: Duration) {
        self.values
            .insert(name.to_owned(), (value, Instant::now() + life));
    }
}

impl Store for Shelf {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Trouble>> {
        self.ask(|state| {
            let (value, end) = state.values.get(name)?;
            Some(Stored {
                value: value.clone(),
                left: *end - Instant::now(),
            })
        })
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a str,
        value: Vec<u8>,
        life: Duration,
    ) -> BoxFuture<'a, Result<(), Trouble>> {
        self.ask(move |state| state.put(name, value, life)).boxed()
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Trouble>> {
        self.ask(|state| {
            state.values.remove(name);
        })
        .boxed()
    }

    fn take<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        self.ask(move |state| {
            let is_free = !state.values.contains_key(name);
            if is_free {
                state.put(name, holder.to_vec(), life);
            }
            is_free
        })
        .boxed()
    }

    fn prolong<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>> {
        self.ask(move |state| {
            let is_held = state.is_held_by(name, holder);
            if is_held {
                state.put(name, holder.to_vec(), life);
            }
            is_held
        })
        .boxed()
    }

    fn give_back<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Trouble>> {
        self.ask(move |state| {
            if state.is_held_by(name, holder) {
                state.values.remove(name);
            }
        })
        .boxed()
    }
}
