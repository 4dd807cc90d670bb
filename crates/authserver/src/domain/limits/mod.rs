//! Who gets how much: tokens of a client ([`tokens`]). All of it is in memory and of this process:
//! several servers of one database count apart. The algorithm is in [`bucket`].

mod bucket;
pub(super) mod tokens;
