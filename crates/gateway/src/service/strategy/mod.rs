//! How one of several is chosen, a file a strategy. Knows weights, names, loads and who is
//! eligible; refuses to know requests and what a server is. No pick takes a lock or allocates.

use carnet_config::routing::service;

mod hrw;
mod leasttime;
mod load;
mod p2c;
mod wrr;

pub(super) use hrw::Hrw;
pub(super) use load::{InFlight, Load};
pub(super) use wrr::Wrr;

use leasttime::LeastTime;
use p2c::P2c;

/// A member as strategies see it.
pub(super) trait Candidate {
    /// Whether it may get a request that belongs to nobody yet.
    fn is_eligible(&self) -> bool;

    /// What it has to do at the moment.
    fn load(&self) -> &Load;
}

/// A strategy over members, which are named by their indices.
#[derive(Debug)]
pub(super) enum Strategy {
    Wrr(Wrr),
    P2c(P2c),
    Hrw(Hrw),
    LeastTime(LeastTime),
}

impl Strategy {
    /// A strategy over members with these names and weights. `seed` is random.
    pub(super) fn new(kind: service::Strategy, members: &[(&str, u32)], seed: u64) -> Self {
        let weights = || members.iter().map(|(_, weight)| *weight);
        match kind {
            service::Strategy::Wrr => Self::Wrr(Wrr::new(weights())),
            service::Strategy::P2c => Self::P2c(P2c::new(seed)),
            service::Strategy::Hrw => Self::Hrw(Hrw::new(members.iter().copied())),
            service::Strategy::LeastTime => Self::LeastTime(LeastTime::new(weights())),
        }
    }

    /// Whether it looks at loads, which then must be kept.
    pub(super) fn looks_at_loads(&self) -> bool {
        matches!(self, Self::P2c(_) | Self::LeastTime(_))
    }

    /// The index of an eligible member for a client; `None` when there is none.
    pub(super) fn pick<C: Candidate>(&self, members: &[C], client: &[u8]) -> Option<usize> {
        let is_eligible = |index: usize| members[index].is_eligible();
        match self {
            Self::Wrr(turns) => turns.pick(is_eligible),
            Self::P2c(choices) => choices.pick(members),
            Self::Hrw(hash) => hash.pick(client, is_eligible),
            Self::LeastTime(times) => times.pick(members),
        }
    }
}
