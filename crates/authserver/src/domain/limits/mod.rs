//! Who gets how much: tokens of a client ([`tokens`]), guesses at a secret ([`guesses`]). All of it
//! is in memory and of this process: several servers of one database count apart. The algorithm is
//! in [`bucket`]. Knows nothing of what a token or a secret is.

pub(super) mod bucket;
pub(super) mod guesses;
pub(super) mod tokens;
