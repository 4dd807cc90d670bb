//! Tokens that several gateways share, and the leases by which one of them asks for all.
//!
//! Knows names, values and time; refuses to know callers and requests. [`Shared`] is the way in:
//! `seal` makes names and values that tell nothing, `turn` waits, `lease` takes turns, `redis` is
//! the store itself, and `stores` has one of each for a process.

use std::time::Duration;

use futures_util::future::BoxFuture;

mod engine;
mod lease;
mod proof;
mod redis;
mod seal;
mod shared;
mod stores;
mod turn;

pub(crate) use self::redis::Redis;
pub(crate) use proof::parts as proof_parts;
pub(crate) use seal::Seal;
pub(crate) use shared::Shared;
pub(crate) use stores::{StoreFigures, Stores};

use lease::Lease;
use shared::Place;
use turn::{Judge, Turn};

/// A store of values with names, as all gateways of a fleet see it. It tells of its own trouble:
/// whoever uses it goes on without.
pub(crate) trait Store: Send + Sync {
    /// What is kept under a name.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Stored>, Trouble>>;

    /// Keeps a value for so long, in the place of the one before.
    fn put<'a>(
        &'a self,
        name: &'a str,
        value: Vec<u8>,
        life: Duration,
    ) -> BoxFuture<'a, Result<(), Trouble>>;

    /// Forgets a value.
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Trouble>>;

    /// Gives a name to a holder for so long, unless somebody has it; tells whether it did.
    fn take<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>>;

    /// Leaves it with its holder for so long from now; false: somebody else may have it.
    fn prolong<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
        life: Duration,
    ) -> BoxFuture<'a, Result<bool, Trouble>>;

    /// Takes it back, if it still is this holder's.
    fn give_back<'a>(
        &'a self,
        name: &'a str,
        holder: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Trouble>>;
}

/// A value that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) value: Vec<u8>,
    /// For how long it is kept yet, by the store's own clock.
    pub(crate) left: Duration,
}

/// The store cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trouble;
