//! The words of OAuth 2.0 (RFC 6749 and its family), both sides of the wire.
//!
//! Knows no socket, file or database; time and randomness come in as [`Clock`] and [`Random`].

pub mod client;
pub mod clock;
pub mod random;

pub use clock::Clock;
pub use random::Random;
